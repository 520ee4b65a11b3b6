#include "certs/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <limits>

namespace stash::certs::ossl {
namespace {

// Without a callback OpenSSL would ask for the passphrase on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

Error last_error(std::string_view doing) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return {ErrorCode::invalid, std::string(doing) + ": " + (reason == nullptr ? "OpenSSL gives no reason" : reason)};
}

BioPtr bio_of(std::string_view text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return nullptr;
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
}

X509Ptr read_certificate(std::string_view pem) {
  const BioPtr bio = bio_of(pem);
  X509Ptr certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
  ERR_clear_error();
  return certificate;
}

KeyPtr read_key(std::string_view pem) {
  const BioPtr bio = bio_of(pem);
  KeyPtr key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
  ERR_clear_error();
  return key;
}

}  // namespace stash::certs::ossl
