#include "certs/serving_pair.h"

#include <openssl/ssl.h>

#include "certs/authority.h"
#include "certs/openssl.h"

namespace stash::certs {

struct ServingPair::Impl {
  ossl::X509Ptr certificate;
  ossl::KeyPtr key;
  std::vector<ossl::X509Ptr> chain;
  CertificateFacts facts;
};

ServingPair::ServingPair(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServingPair::~ServingPair() = default;

Result<std::shared_ptr<const ServingPair>> ServingPair::load(std::string_view certificate_pem,
                                                             std::string_view key_pem) {
  auto impl = std::make_unique<Impl>();
  TRY(impl->facts, inspect(certificate_pem));
  impl->key = ossl::read_key(key_pem);
  if (!impl->key) return fail(ErrorCode::invalid, "no private key in PEM form");
  for (const std::string& block : pem_blocks(certificate_pem)) {
    ossl::X509Ptr certificate = ossl::read_certificate(block);
    if (!certificate) return fail(ErrorCode::invalid, "a certificate of the chain does not parse");
    if (!impl->certificate) {
      impl->certificate = std::move(certificate);
    } else {
      impl->chain.push_back(std::move(certificate));
    }
  }
  if (!impl->certificate || X509_check_private_key(impl->certificate.get(), impl->key.get()) != 1) {
    return std::unexpected(ossl::last_error("the private key is not that of the certificate"));
  }
  return std::shared_ptr<const ServingPair>(new ServingPair(std::move(impl)));
}

bool ServingPair::present_on(ssl_st* connection) const {
  if (SSL_use_certificate(connection, impl_->certificate.get()) != 1) return false;
  if (SSL_use_PrivateKey(connection, impl_->key.get()) != 1) return false;
  SSL_clear_chain_certs(connection);
  for (const ossl::X509Ptr& certificate : impl_->chain) {
    if (SSL_add1_chain_cert(connection, certificate.get()) != 1) return false;
  }
  return true;
}

const CertificateFacts& ServingPair::facts() const { return impl_->facts; }

}  // namespace stash::certs
