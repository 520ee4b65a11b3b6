#include "api/mass_deletion.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"

namespace stash::api {

bool is_held(const Json& repository) {
  return std::ranges::any_of(array_at(repository, {"status", "conditions"}), [](const Json& condition) {
    return string_at(condition, {"type"}) == names::kWipedOut &&
           string_at(condition, {"reason"}) == names::kMassDeletion;
  });
}

bool is_held(const Repository& repository) {
  const Condition* wiped_out = find_condition(repository.status.conditions, names::kWipedOut);
  return wiped_out != nullptr && wiped_out->reason == names::kMassDeletion;
}

std::string ways_out_of_hold(const Json& repository) {
  const std::string name = string_at(repository, {"metadata", "name"});
  const std::string ns = string_at(repository, {"metadata", "namespace"});
  return fmt::format(
      "to remove its data: kubectl annotate repository {0} -n {1} --overwrite {2}={3}; to delete it and keep its data: "
      "kubectl patch repository {0} -n {1} --type=merge -p '{{\"spec\":{{\"wipeOut\":false}}}}'",
      name, ns, names::kConfirmWipeOut, string_at(repository, {"metadata", "uid"}));
}

}  // namespace stash::api
