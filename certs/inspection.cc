#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/pem.h>

#include "certs/authority.h"
#include "certs/openssl.h"

namespace stash::certs {
namespace {

using namespace ossl;

std::string pem_of(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) return "";
  return normalise_pem(text_of(bio.get()));
}

std::string fingerprint_of(const X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1) return "";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string common_name_of(const X509* certificate) {
  const X509_NAME* name = X509_get_subject_name(certificate);
  const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (index < 0) return "";
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

TimePoint time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> found;
  const NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      const ASN1_STRING* text = name->d.dNSName;
      found.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                         static_cast<std::size_t>(ASN1_STRING_length(text)));
    } else if (name->type == GEN_IPADD && ASN1_STRING_length(name->d.iPAddress) == 4) {
      const unsigned char* bytes = ASN1_STRING_get0_data(name->d.iPAddress);
      found.push_back(fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]));
    }
  }
  return found;
}

std::string_view entry(const SecretData& data, std::string_view key) {
  const auto found = data.find(key);
  return found == data.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

Result<CertificateFacts> inspect(std::string_view pem) {
  const X509Ptr certificate = read_certificate(pem);
  if (!certificate) return fail(ErrorCode::invalid, "no certificate in PEM form");
  CertificateFacts facts;
  facts.pem = pem_of(certificate.get());
  facts.fingerprint = fingerprint_of(certificate.get());
  facts.common_name = common_name_of(certificate.get());
  facts.not_before = time_of(X509_get0_notBefore(certificate.get()));
  facts.not_after = time_of(X509_get0_notAfter(certificate.get()));
  facts.dns_names = names_of(certificate.get());
  facts.is_ca = X509_check_ca(certificate.get()) == 1;
  return facts;
}

bool signed_by(std::string_view certificate_pem, std::string_view ca_pem) {
  const X509Ptr certificate = read_certificate(certificate_pem);
  const X509Ptr ca = read_certificate(ca_pem);
  if (!certificate || !ca) return false;
  if (X509_check_issued(ca.get(), certificate.get()) != X509_V_OK) return false;
  return X509_verify(certificate.get(), X509_get0_pubkey(ca.get())) == 1;
}

bool key_belongs(std::string_view key_pem, std::string_view certificate_pem) {
  const X509Ptr certificate = read_certificate(certificate_pem);
  const KeyPtr key = read_key(key_pem);
  return certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
}

SecretFacts inspect_secret(const SecretData& data) {
  SecretFacts facts;
  for (const std::string& block : pem_blocks(entry(data, kCaCert))) {
    if (auto ca = inspect(block)) facts.cas.push_back(*std::move(ca));
  }
  if (facts.cas.empty()) {
    facts.ca_error = "ca.crt holds no certificate";
  } else if (!key_belongs(entry(data, kCaKey), facts.cas.front().pem)) {
    facts.ca_error = "ca.key is not the key of the first certificate in ca.crt";
  }

  const std::string_view leaf_pem = entry(data, kLeafCert);
  auto leaf = inspect(leaf_pem);
  if (!leaf) {
    facts.leaf_error = "tls.crt holds no certificate";
  } else if (!key_belongs(entry(data, kLeafKey), leaf_pem)) {
    facts.leaf_error = "tls.key is not the key of tls.crt";
  } else {
    facts.leaf = *std::move(leaf);
    for (const CertificateFacts& ca : facts.cas) {
      if (!signed_by(facts.leaf.pem, ca.pem)) continue;
      facts.leaf_signed_by = ca.fingerprint;
      break;
    }
  }
  return facts;
}

}  // namespace stash::certs
