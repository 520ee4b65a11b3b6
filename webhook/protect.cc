#include "webhook/protect.h"

#include <fmt/format.h>

#include "api/resource.h"

namespace stash::webhook {
namespace {

/// The garbage collector and the end of a namespace must not be held up.
constexpr std::string_view kClusterAccounts = "system:serviceaccount:kube-system:";

constexpr std::size_t kMostNames = 5;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kMostNames; ++i) text += (text.empty() ? "" : ", ") + names[i];
  if (names.size() > kMostNames) text += fmt::format(" and {} more", names.size() - kMostNames);
  return text;
}

}  // namespace

Answer protect(const Review& review, const Users& users) {
  const bool ours = review.group == api::kRepositories.group && review.kind == api::kRepositories.kind;
  if (!ours || !review.subresource.empty()) return {.outcome = "skipped", .reason = "other_kind"};
  if (review.user.starts_with(kClusterAccounts)) return {.outcome = "unchanged", .reason = "cluster_account"};
  // Deleting a collection is asked about object by object, with the name in the old object only.
  const std::string name = review.name.empty() ? string_at(review.old_object, {"metadata", "name"}) : review.name;
  const auto found = users(review.ns, name);
  if (found.empty()) return {.outcome = "unchanged", .reason = "not_in_use"};
  return {
      .refusal = fmt::format("Repository {}/{} is in use by {}; delete that first, or name another Repository there",
                             review.ns, name, joined(found)),
      .outcome = "refused",
      .reason = "in_use"};
}

}  // namespace stash::webhook
