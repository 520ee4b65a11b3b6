#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace stash::controller {

/// Serves GET /healthz, /readyz and /metrics over plain HTTP, on threads of its own, until it is destroyed. Answers
/// whatever other clients do.
class HealthServer {
 public:
  struct Routes {
    std::function<bool()> ready;           ///< called on the server's threads, like `metrics`
    std::function<std::string()> metrics;  ///< Prometheus text
  };
  /// `address` is "host:port" or ":port" for all interfaces; port 0 takes a free one. Error invalid: not an address;
  /// already_exists: in use.
  static Result<std::unique_ptr<HealthServer>> start(const std::string& address, Routes routes);
  ~HealthServer();
  int port() const;

 private:
  struct Impl;
  explicit HealthServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace stash::controller
