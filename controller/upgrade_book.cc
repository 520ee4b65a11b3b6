#include "controller/upgrade_book.h"

namespace stash::controller {

UpgradeFacts UpgradeBook::look(const std::string& workload) const {
  const std::scoped_lock lock(mutex_);
  const auto since = [&](const Entry& entry) {
    return std::chrono::duration_cast<std::chrono::seconds>(clock_.steady() - entry.last);
  };
  UpgradeFacts facts;
  for (const auto& [name, entry] : entries_) {
    if (name == workload) {
      facts.asked = entry.asked;
      facts.since_asked = since(entry);
    } else if (since(entry) < kUpgradePatience) {
      ++facts.others;
    }
  }
  return facts;
}

void UpgradeBook::asked(const std::string& workload) {
  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_[workload];
  ++entry.asked;
  entry.last = clock_.steady();
}

void UpgradeBook::done(const std::string& workload) {
  const std::scoped_lock lock(mutex_);
  entries_.erase(workload);
}

}  // namespace stash::controller
