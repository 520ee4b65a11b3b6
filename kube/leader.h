#pragma once
#include <functional>
#include <string>

#include "base/time.h"
#include "kube/api.h"
#include "kube/term.h"

namespace stash::kube {

/// Leader election on a coordination.k8s.io Lease: 15 s lease, renewed every 2 s, given up when not renewed for 12 s by
/// the steady clock, so that an API server that stands still for 8 s costs nobody his lease, whenever that begins.
/// Expiry of another's lease is judged by locally observed change, never by its timestamps.
/// https://kubernetes.io/docs/concepts/architecture/leases/
class LeaderElection {
 public:
  struct Options {
    ObjectRef lease;
    std::string identity;
    std::chrono::milliseconds lease_duration{15'000}, renew_deadline{12'000}, renew_every{2'000}, retry{2'000};
  };
  LeaderElection(Config config, Options options);

  /// Blocks until `stop()` is true. Calls `lead` on a thread of its own once elected. When leadership is lost its
  /// argument is over, and it must write nothing after that: it asks before each write. Releases the lease on the way
  /// out.
  /// Returns false when leadership was lost (the caller should exit, so that a fresh start is certain).
  bool run(const std::function<bool()>& stop, const std::function<void(const Term& term)>& lead);

 private:
  Config config_;
  Options options_;
};

}  // namespace stash::kube
