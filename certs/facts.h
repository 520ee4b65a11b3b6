#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace stash::certs {

// Keys of the Secret that holds the webhook's certificates.
inline constexpr std::string_view kCaCert = "ca.crt";  ///< the signing CA first, then older ones that are still trusted
inline constexpr std::string_view kCaKey = "ca.key";   ///< of the first certificate in ca.crt
inline constexpr std::string_view kLeafCert = "tls.crt";
inline constexpr std::string_view kLeafKey = "tls.key";

/// The Secret's data, base64 decoded.
using SecretData = std::map<std::string, std::string, std::less<>>;

/// What decisions read of one certificate.
struct CertificateFacts {
  std::string pem;          ///< as normalise_pem writes it
  std::string fingerprint;  ///< SHA-256 in hex
  std::string common_name;
  TimePoint not_before{}, not_after{};
  std::vector<std::string> dns_names;
  bool is_ca = false;
  friend bool operator==(const CertificateFacts&, const CertificateFacts&) = default;
};

/// What the Secret holds. An `error` says why a pair cannot be used (absent, does not parse, the key belongs to another
/// certificate); its facts are then empty.
struct SecretFacts {
  std::string ca_error;
  std::vector<CertificateFacts> cas;  ///< those of ca.crt that parse; the first one signs
  std::string leaf_error;
  CertificateFacts leaf;
  std::string leaf_signed_by;  ///< fingerprint of the CA among `cas` whose signature the leaf carries; "" for none
  friend bool operator==(const SecretFacts&, const SecretFacts&) = default;
};

}  // namespace stash::certs
