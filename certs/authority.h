#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "certs/facts.h"
#include "certs/rotation.h"

namespace stash::certs {

struct KeyPair {
  std::string certificate_pem, key_pem;  ///< the key is PKCS#8, not encrypted: a secret
};

// All P-256 with SHA-256, valid from an hour before `now` (clocks differ) until `now` + lifetime.
// Error invalid: OpenSSL's sentence.

/// A self-signed CA that may sign leaves only (pathlen 0).
Result<KeyPair> make_ca(std::string_view common_name, TimePoint now, std::chrono::hours lifetime);
/// A server certificate for `dns_names` (the first is the common name as well; IP addresses are recognised).
Result<KeyPair> make_leaf(const KeyPair& ca, const std::vector<std::string>& dns_names, TimePoint now,
                          std::chrono::hours lifetime);

/// The first certificate of a PEM text.
Result<CertificateFacts> inspect(std::string_view pem);
/// Was this certificate signed with the CA's key? False for anything that does not parse.
bool signed_by(std::string_view certificate_pem, std::string_view ca_pem);
/// Is the private key that of the (first) certificate?
bool key_belongs(std::string_view key_pem, std::string_view certificate_pem);

/// Total: whatever is wrong with the data becomes an `error` of the facts.
SecretFacts inspect_secret(const SecretData& data);

/// The Secret's data after the plan. Other keys of `data` are kept. `release` names the CA, for people.
Result<SecretData> carry_out(const RotationPlan& plan, const SecretData& data,
                             const std::vector<std::string>& dns_names, std::string_view release, TimePoint now);

}  // namespace stash::certs
