#include "controller/nudge_book.h"

#include <algorithm>
#include <utility>

namespace stash::controller {

namespace {

constexpr std::chrono::minutes kSweep{1};

}  // namespace

Nudges NudgeBook::look(const std::string& workload) const {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(workload);
  if (found == entries_.end()) return {};
  const Entry& entry = found->second;
  const auto since = std::chrono::duration_cast<std::chrono::seconds>(clock_.steady() - entry.last);
  if (entry.resting && since >= kNudgeMemory) return {};
  if (entry.in_vain > 0 && entry.last < answered_) return {};
  const auto patience = workload == last_nudged_ ? kAskForAllAgain : kAskForAll;
  const bool asks = entry.in_vain > 0 && entry.error.empty() && clock_.steady() - last_ >= patience;
  return {.in_vain = entry.in_vain,
          .count = entry.count,
          .since_last = since,
          .error = entry.error,
          .change = entry.change,
          .asks_for_all = asks,
          .blamed = entry.blamed};
}

void NudgeBook::nudged(const std::string& workload, const std::string& change, std::string error,
                       std::vector<std::string> blamed) {
  const std::scoped_lock lock(mutex_);
  const auto now = clock_.steady();
  sweep();
  Entry& entry = entries_[workload];
  if (entry.change != change) {
    entry.count = 0;
    entry.in_vain = 0;
  }
  entry.change = change;
  ++entry.count;
  ++entry.in_vain;
  entry.last = last_ = now;
  last_nudged_ = workload;
  entry.resting = false;
  entry.error = std::move(error);
  entry.blamed = std::move(blamed);
}

std::chrono::seconds NudgeBook::gone_for(const std::string& workload, const std::vector<std::string>& configurations) {
  const std::scoped_lock lock(mutex_);
  if (configurations.empty()) {
    gone_.erase(workload);
    return std::chrono::seconds::max();
  }
  const auto now = clock_.steady();
  const auto before = std::exchange(gone_[workload], {});
  auto last = std::chrono::steady_clock::time_point::min();
  for (const std::string& name : configurations) {
    const auto found = before.find(name);
    last = std::max(last, gone_[workload][name] = found == before.end() ? now : found->second);
  }
  return std::chrono::duration_cast<std::chrono::seconds>(now - last);
}

void NudgeBook::say(const std::string& workload, std::string error) {
  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_[workload];
  entry.error = std::move(error);
  entry.blamed.clear();
}

std::size_t NudgeBook::size() const {
  const std::scoped_lock lock(mutex_);
  return entries_.size();
}

void NudgeBook::at_rest(const std::string& workload) {
  const std::scoped_lock lock(mutex_);
  sweep();
  const auto found = entries_.find(workload);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  const auto now = clock_.steady();
  // Much later it may be at rest for another reason.
  if (entry.in_vain > 0 && entry.error.empty() && now - entry.last < kAskForAllAgain) answered_ = now;
  rest(entry);
}

void NudgeBook::gone(const std::string& workload) {
  const std::scoped_lock lock(mutex_);
  sweep();
  gone_.erase(workload);
  if (const auto found = entries_.find(workload); found != entries_.end()) rest(found->second);
}

void NudgeBook::rest(Entry& entry) {
  entry.resting = true;
  entry.in_vain = 0;
  entry.error.clear();
  entry.blamed.clear();
}

void NudgeBook::sweep() {
  const auto now = clock_.steady();
  // Nobody asks again about a workload that was deleted.
  if (now - swept_ < kSweep) return;
  swept_ = now;
  std::erase_if(entries_,
                [now](const auto& each) { return each.second.resting && now - each.second.last >= kNudgeMemory; });
}

}  // namespace stash::controller
