#include "webhook/recent_configurations.h"

#include <algorithm>

namespace stash::webhook {

Result<std::shared_ptr<const api::BackupConfiguration>> RecentConfigurations::decoded(
    const std::shared_ptr<const StoredConfiguration>& stored) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(entries_, stored, &Entry::stored);
    if (found != entries_.end()) {
      std::rotate(entries_.begin(), found, found + 1);
      return entries_.front().decoded;
    }
  }
  TRY(api::BackupConfiguration decoded, stored->decoded());
  Entry entry{stored, std::make_shared<const api::BackupConfiguration>(std::move(decoded))};
  Entry oldest;  // freed without the lock
  const std::lock_guard lock(mutex_);
  if (entries_.size() == kMost) {
    oldest = std::move(entries_.back());
    entries_.pop_back();
  }
  return entries_.insert(entries_.begin(), std::move(entry))->decoded;
}

}  // namespace stash::webhook
