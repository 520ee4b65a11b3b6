#include "webhook/recent_configurations.h"

#include <algorithm>

namespace stash::webhook {

Result<inject::SharedConfiguration> RecentConfigurations::decoded(
    const std::shared_ptr<const StoredConfiguration>& stored) {
  if (auto known = find(stored)) return *std::move(known);
  TRY(api::BackupConfiguration decoded, stored->decoded());
  Entry entry{stored, std::move(decoded)};
  if (stored->size() > kLargest) return entry.decoded;
  return keep(std::move(entry));
}

std::optional<inject::SharedConfiguration> RecentConfigurations::find(
    const std::shared_ptr<const StoredConfiguration>& stored) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(entries_, stored, &Entry::stored);
  if (found == entries_.end()) return std::nullopt;
  std::rotate(entries_.begin(), found, found + 1);
  return entries_.front().decoded;
}

inject::SharedConfiguration RecentConfigurations::keep(Entry entry) {
  std::optional<Entry> oldest;  // freed without the lock
  const std::lock_guard lock(mutex_);
  // Another thread may have decoded it in the meantime.
  const auto found = std::ranges::find(entries_, entry.stored, &Entry::stored);
  if (found != entries_.end()) return found->decoded;
  if (entries_.size() == kMost) {
    oldest = std::move(entries_.back());
    entries_.pop_back();
  }
  return entries_.insert(entries_.begin(), std::move(entry))->decoded;
}

}  // namespace stash::webhook
