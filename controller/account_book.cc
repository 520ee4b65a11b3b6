#include "controller/account_book.h"

namespace stash::controller {

std::optional<AccountBook::Entry> AccountBook::look(const std::string& configuration) const {
  const std::scoped_lock lock(mutex_);
  const auto found = read_.find(configuration);
  if (found == read_.end()) return std::nullopt;
  const auto left = kTrusted - (clock_.steady() - found->second.when);
  if (left <= std::chrono::seconds(0)) return std::nullopt;
  return Entry{found->second.account, std::chrono::ceil<std::chrono::seconds>(left)};
}

void AccountBook::put(const std::string& configuration, Json account) {
  if (account.is_object() && account.contains("metadata")) account["metadata"].erase("managedFields");
  const std::scoped_lock lock(mutex_);
  read_[configuration] = {std::move(account), clock_.steady()};
}

void AccountBook::forget(const std::string& configuration) {
  const std::scoped_lock lock(mutex_);
  read_.erase(configuration);
}

}  // namespace stash::controller
