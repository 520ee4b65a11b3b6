#pragma once
#include <memory>
#include <string_view>

#include "base/result.h"
#include "certs/facts.h"

struct ssl_st;

namespace stash::certs {

/// A certificate chain with its key, parsed once and shared by all handshakes. Immutable, so thread-safe.
class ServingPair {
 public:
  /// Error invalid: does not parse, or the key is of another certificate. Expired pairs load: an API server that is
  /// lenient is better served than none.
  static Result<std::shared_ptr<const ServingPair>> load(std::string_view certificate_pem, std::string_view key_pem);
  ~ServingPair();
  ServingPair(const ServingPair&) = delete;
  ServingPair& operator=(const ServingPair&) = delete;

  /// Makes one connection, still in its handshake, present this pair. False when OpenSSL refuses.
  bool present_on(ssl_st* connection) const;
  const CertificateFacts& facts() const;

 private:
  struct Impl;
  explicit ServingPair(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace stash::certs
