#pragma once
#include <chrono>
#include <string>

#include "base/result.h"
#include "kube/config.h"

namespace stash::kube {

/// The bearer token of a Config, kept fresh: a projected token is replaced in its file long before it expires, and the
/// API server asks clients to read it again. Not thread-safe.
/// https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#serviceaccount-token-volume-projection
class Token {
 public:
  static constexpr std::chrono::seconds kMaxAge{60};

  explicit Token(const Config& config);
  /// "" when there is none to send. While the file cannot be read the last token stays in use; without one the error
  /// is unreachable, for the kubelet may still be writing it.
  Result<std::string> get(std::chrono::steady_clock::time_point now);
  /// After a 401: the next get() reads the file again.
  void distrust();

 private:
  std::string file_, token_;
  std::chrono::steady_clock::time_point read_at_{};
  bool fresh_ = false;
};

}  // namespace stash::kube
