#include "controller/injection_book.h"

#include <tuple>

namespace stash::controller {
namespace {

/// Since when something has been so is no news.
auto told(const InjectionFacts& facts) { return std::tie(facts.asked_in_vain, facts.error, facts.up_to_date); }

}  // namespace

bool InjectionBook::is_news(const std::string& workload, const InjectionFacts& facts) {
  const std::scoped_lock lock(mutex_);
  if (facts.up_to_date) return waiting_.erase(workload) > 0;
  const auto [entry, added] = waiting_.try_emplace(workload, facts);
  if (!added && told(entry->second) == told(facts)) return false;
  entry->second = facts;
  return true;
}

void InjectionBook::gone(const std::string& workload) {
  const std::scoped_lock lock(mutex_);
  waiting_.erase(workload);
}

}  // namespace stash::controller
