#pragma once
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/time.h"

namespace stash::controller {

/// The ServiceAccount of each CronJob as it was read last. They are not watched, for that takes the right to see all of
/// the cluster; a BackupConfiguration is looked at whenever something about its workload changes, and it is read again
/// only when it has not been for a while. In memory only, thread-safe.
class AccountBook {
 public:
  /// One that was removed by somebody is missed for no longer.
  static constexpr std::chrono::minutes kTrusted{10};

  explicit AccountBook(const Clock& clock) : clock_(clock) {}
  struct Entry {
    Json account;                 ///< null when there was none
    std::chrono::seconds left{};  ///< for so long it is trusted
  };
  std::optional<Entry> look(const std::string& configuration) const;
  void put(const std::string& configuration, Json account);
  void forget(const std::string& configuration);

 private:
  struct Read {
    Json account;
    std::chrono::steady_clock::time_point when;
  };
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Read> read_;
};

}  // namespace stash::controller
