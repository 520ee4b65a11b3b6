#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "webhook/stored_configuration.h"

namespace stash::webhook {

/// The BackupConfigurations that were asked for last, decoded: one by one the workloads of a cluster change seldom, but
/// a rollout of one asks for the same again and again. A few, so that their number in the cluster costs no memory.
/// Thread-safe.
class RecentConfigurations {
 public:
  static constexpr std::size_t kMost = 64;

  /// As StoredConfiguration::decoded says.
  Result<std::shared_ptr<const api::BackupConfiguration>> decoded(
      const std::shared_ptr<const StoredConfiguration>& stored);

 private:
  struct Entry {
    std::shared_ptr<const StoredConfiguration> stored;  ///< held, so that no other one has its address
    std::shared_ptr<const api::BackupConfiguration> decoded;
  };

  std::mutex mutex_;
  std::vector<Entry> entries_;  ///< the last one that was asked for first
};

}  // namespace stash::webhook
