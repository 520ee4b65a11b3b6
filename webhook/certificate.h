#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "certs/serving_pair.h"
#include "kube/cache.h"

namespace stash::webhook {

/// The pair that handshakes present now. Thread-safe.
class Certificate {
 public:
  std::shared_ptr<const certs::ServingPair> current() const;  ///< null before the first good Secret
  /// Takes the pair of the Secret (null: deleted). One that cannot be used changes nothing: the last good pair goes on.
  void take(const Json* secret);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const certs::ServingPair> pair_;
};

/// Watches one Secret, by name, so that list and watch on it is all the right needed. `certificate` must outlive it.
/// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
std::unique_ptr<kube::Cache> watch_certificate(const kube::Config& config, const api::ObjectRef& secret,
                                               Certificate& certificate);

}  // namespace stash::webhook
