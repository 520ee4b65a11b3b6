#include "certs/authority.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>

#include "certs/openssl.h"

namespace stash::certs {
namespace {

using namespace ossl;

constexpr long kVersion3 = 2;

KeyPtr new_key() { return KeyPtr(EVP_EC_gen("P-256")); }

bool set_random_serial(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] &= 0x7f;  // positive, RFC 5280 4.1.2.2
  BIGNUM* number = BN_bin2bn(bytes, sizeof bytes, nullptr);
  const bool set = number != nullptr && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return set;
}

bool set_subject(X509* certificate, std::string_view organisation, std::string_view common_name) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto add = [&](const char* field, std::string_view text) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1;
  };
  // RFC 5280 allows 64 characters.
  return add("O", organisation) && add("CN", common_name.substr(0, 64));
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  const bool added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool set_validity(X509* certificate, TimePoint now, std::chrono::hours lifetime) {
  const auto first = std::chrono::system_clock::to_time_t(now - kBackdate);
  const auto last = std::chrono::system_clock::to_time_t(now + lifetime);
  return ASN1_TIME_set(X509_getm_notBefore(certificate), first) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), last) != nullptr;
}

bool prepare(X509* certificate, EVP_PKEY* key, TimePoint now, std::chrono::hours lifetime) {
  return X509_set_version(certificate, kVersion3) == 1 && set_random_serial(certificate) &&
         set_validity(certificate, now, lifetime) && X509_set_pubkey(certificate, key) == 1;
}

Result<KeyPair> write_pair(X509* certificate, EVP_PKEY* key) {
  const BioPtr certificate_bio(BIO_new(BIO_s_mem()));
  const BioPtr key_bio(BIO_new(BIO_s_mem()));
  if (!certificate_bio || !key_bio || PEM_write_bio_X509(certificate_bio.get(), certificate) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return std::unexpected(last_error("writing a certificate"));
  }
  return KeyPair{text_of(certificate_bio.get()), text_of(key_bio.get())};
}

/// nullopt when a name would not survive OpenSSL's own list syntax, where "," separates.
std::optional<std::string> alternative_names(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    const bool plain = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '*' || c == ':';
    });
    if (!plain) return std::nullopt;
    unsigned char address[16];
    const bool ip = inet_pton(AF_INET, name.c_str(), address) == 1 || inet_pton(AF_INET6, name.c_str(), address) == 1;
    list += (list.empty() ? "" : ",") + std::string(ip ? "IP:" : "DNS:") + name;
  }
  return list;
}

}  // namespace

Result<KeyPair> make_ca(std::string_view common_name, TimePoint now, std::chrono::hours lifetime) {
  const KeyPtr key = new_key();
  const X509Ptr ca(X509_new());
  const bool made = key && ca && prepare(ca.get(), key.get(), now, lifetime) &&
                    set_subject(ca.get(), "Stash", common_name) &&
                    X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get())) == 1 &&
                    add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash") &&
                    X509_sign(ca.get(), key.get(), EVP_sha256()) != 0;
  if (!made) return std::unexpected(last_error("making a CA"));
  return write_pair(ca.get(), key.get());
}

Result<KeyPair> make_leaf(const KeyPair& ca, const std::vector<std::string>& dns_names, TimePoint now,
                          std::chrono::hours lifetime) {
  const auto names = alternative_names(dns_names);
  if (dns_names.empty() || !names) return fail(ErrorCode::invalid, "making a serving certificate: bad DNS names");
  const X509Ptr issuer = read_certificate(ca.certificate_pem);
  const KeyPtr issuer_key = read_key(ca.key_pem);
  if (!issuer || !issuer_key || X509_check_private_key(issuer.get(), issuer_key.get()) != 1) {
    return fail(ErrorCode::invalid, "making a serving certificate: the CA's certificate and key do not fit");
  }
  const KeyPtr key = new_key();
  const X509Ptr leaf(X509_new());
  const bool made = key && leaf && prepare(leaf.get(), key.get(), now, lifetime) &&
                    set_subject(leaf.get(), "Stash", dns_names.front()) &&
                    X509_set_issuer_name(leaf.get(), X509_get_subject_name(issuer.get())) == 1 &&
                    add_extension(leaf.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(leaf.get(), issuer.get(), NID_key_usage, "critical,digitalSignature") &&
                    add_extension(leaf.get(), issuer.get(), NID_ext_key_usage, "serverAuth") &&
                    add_extension(leaf.get(), issuer.get(), NID_subject_alt_name, *names) &&
                    add_extension(leaf.get(), issuer.get(), NID_authority_key_identifier, "keyid") &&
                    X509_sign(leaf.get(), issuer_key.get(), EVP_sha256()) != 0;
  if (!made) return std::unexpected(last_error("making a serving certificate"));
  return write_pair(leaf.get(), key.get());
}

Result<SecretData> carry_out(const RotationPlan& plan, const SecretData& data,
                             const std::vector<std::string>& dns_names, std::string_view release, TimePoint now) {
  SecretData after = data;
  std::string bundle;
  if (plan.make_ca) {
    // The time in the name tells two CAs apart, for people and for chain building by subject.
    TRY(const KeyPair ca, make_ca(fmt::format("{} webhook CA {}", release, format_time(now)), now, kCaLifetime));
    bundle = normalise_pem(ca.certificate_pem);
    after.insert_or_assign(std::string(kCaKey), ca.key_pem);
  }
  for (const CertificateFacts& ca : inspect_secret(data).cas) {
    if (std::ranges::count(plan.forget, ca.fingerprint) == 0) bundle += ca.pem;
  }
  after.insert_or_assign(std::string(kCaCert), bundle);
  if (plan.make_leaf) {
    const KeyPair ca{after.find(kCaCert)->second, after.find(kCaKey) == after.end() ? "" : after.find(kCaKey)->second};
    TRY(const KeyPair leaf, make_leaf(ca, dns_names, now, kLeafLifetime));
    after.insert_or_assign(std::string(kLeafCert), leaf.certificate_pem);
    after.insert_or_assign(std::string(kLeafKey), leaf.key_pem);
  }
  return after;
}

}  // namespace stash::certs
