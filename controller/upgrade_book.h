#pragma once
#include <map>
#include <mutex>
#include <string>

#include "base/time.h"
#include "controller/sidecar_upgrade.h"

namespace stash::controller {

/// Which workloads were asked to take an upgrade of ours, and have not come up with it yet. In memory only: after a
/// restart of the controller some more than kUpgradesAtOnce may restart at the same time. Thread-safe.
class UpgradeBook {
 public:
  explicit UpgradeBook(const Clock& clock) : clock_(clock) {}
  UpgradeFacts look(const std::string& workload) const;
  void asked(const std::string& workload);
  /// It has what there is and its pods are ready, or it is gone.
  void done(const std::string& workload);

 private:
  struct Entry {
    int asked = 0;
    std::chrono::steady_clock::time_point last;
  };
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace stash::controller
