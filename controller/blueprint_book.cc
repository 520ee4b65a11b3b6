#include "controller/blueprint_book.h"

namespace stash::controller {

std::string BlueprintBook::told(const std::string& workload) const {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(workload);
  if (found == entries_.end() || clock_.steady() - found->second.told >= kTellAgain) return "";
  return found->second.complaint;
}

std::vector<std::string> BlueprintBook::looked(const std::string& workload, const BlueprintPlan& plan) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(workload);
  const Entry before = found == entries_.end() ? Entry() : found->second;
  if (plan.blueprint.empty()) {
    entries_.erase(workload);
  } else {
    const bool repeated = before.complaint == plan.complaint && clock_.steady() - before.told < kTellAgain;
    entries_[workload] = {plan.blueprint, plan.reason, plan.complaint, repeated ? before.told : clock_.steady()};
  }
  std::vector<std::string> changed;
  const bool same = found != entries_.end() && before.blueprint == plan.blueprint && before.reason == plan.reason;
  if (same) return changed;
  if (!plan.blueprint.empty()) changed.push_back(plan.blueprint);
  if (!before.blueprint.empty() && before.blueprint != plan.blueprint) changed.push_back(before.blueprint);
  return changed;
}

std::optional<std::string> BlueprintBook::reason(const std::string& workload, const std::string& blueprint) const {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(workload);
  if (found == entries_.end() || found->second.blueprint != blueprint) return std::nullopt;
  return found->second.reason;
}

}  // namespace stash::controller
