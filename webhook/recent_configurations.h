#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "inject/shared_configuration.h"
#include "webhook/stored_configuration.h"

namespace stash::webhook {

/// The BackupConfigurations that were asked for last, decoded: one by one the workloads of a cluster change seldom, but
/// a rollout of one asks for the same again and again. A few, and none that is large, so that neither their number in
/// the cluster nor what somebody writes into one costs memory that stays. Thread-safe.
class RecentConfigurations {
 public:
  static constexpr std::size_t kMost = 64;
  static constexpr std::size_t kLargest = 16u << 10;  ///< bytes of text, of which usual ones have one or two thousand

  /// As StoredConfiguration::decoded says.
  Result<inject::SharedConfiguration> decoded(const std::shared_ptr<const StoredConfiguration>& stored);

 private:
  struct Entry {
    std::shared_ptr<const StoredConfiguration> stored;  ///< held, so that no other one has its address
    inject::SharedConfiguration decoded;
  };
  std::optional<inject::SharedConfiguration> find(const std::shared_ptr<const StoredConfiguration>& stored);
  inject::SharedConfiguration keep(Entry entry);

  std::mutex mutex_;
  std::vector<Entry> entries_;  ///< the last one that was asked for first
};

}  // namespace stash::webhook
