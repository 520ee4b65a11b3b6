#include "controller/nudge_book.h"

namespace stash::controller {

Nudges NudgeBook::look(const std::string& workload) const {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(workload);
  if (found == entries_.end()) return {};
  const Entry& entry = found->second;
  const auto since = std::chrono::duration_cast<std::chrono::seconds>(clock_.steady() - entry.last);
  if (entry.resting && since >= kNudgeMemory) return {};
  return {entry.in_vain, entry.count, since, entry.error, entry.change};
}

void NudgeBook::nudged(const std::string& workload, const std::string& change, std::string error) {
  const std::scoped_lock lock(mutex_);
  const auto now = clock_.steady();
  // Nobody asks again about a workload that was deleted soon after.
  std::erase_if(entries_,
                [now](const auto& each) { return each.second.resting && now - each.second.last >= kNudgeMemory; });
  Entry& entry = entries_[workload];
  if (entry.change != change) {
    entry.count = 0;
    entry.in_vain = 0;
  }
  entry.change = change;
  ++entry.count;
  ++entry.in_vain;
  entry.last = now;
  entry.resting = false;
  entry.error = std::move(error);
}

void NudgeBook::say(const std::string& workload, std::string error) {
  const std::scoped_lock lock(mutex_);
  entries_[workload].error = std::move(error);
}

std::size_t NudgeBook::size() const {
  const std::scoped_lock lock(mutex_);
  return entries_.size();
}

void NudgeBook::at_rest(const std::string& workload) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(workload);
  if (found == entries_.end()) return;
  found->second.resting = true;
  found->second.in_vain = 0;
  found->second.error.clear();
  if (clock_.steady() - found->second.last >= kNudgeMemory) entries_.erase(found);
}

}  // namespace stash::controller
