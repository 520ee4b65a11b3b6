#include "controller/shared_location.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "api/backend_place.h"
#include "api/names.h"
#include "controller/reasons.h"

namespace stash::controller {
namespace {

namespace names = api::names;

auto age_key(const api::Repository& repository) {
  return std::tuple(repository.metadata.created, repository.metadata.name);
}

}  // namespace

std::vector<const api::Repository*> others_there(const api::Repository& repository,
                                                 const std::vector<api::Repository>& all) {
  std::vector<const api::Repository*> others;
  const std::string place = api::place_of(repository.spec.backend);
  if (place.empty()) return others;
  for (const api::Repository& other : all) {
    if (other.metadata.ns != repository.metadata.ns || other.metadata.name == repository.metadata.name) continue;
    if (!other.metadata.being_deleted && api::place_of(other.spec.backend) == place) others.push_back(&other);
  }
  std::ranges::sort(others, {}, [](const api::Repository* other) { return age_key(*other); });
  return others;
}

void set_location_shared(StatusDraft& status, const api::Repository& repository,
                         const std::vector<api::Repository>& all) {
  const auto others = others_there(repository, all);
  if (others.empty()) {
    if (api::find_condition(status.conditions(), names::kLocationShared) == nullptr) return;
    status.set(names::kLocationShared, "False", reasons::kOnlyOne,
               "no other Repository of the namespace has its location");
    return;
  }
  std::vector<std::string_view> their_names;
  their_names.reserve(others.size());
  for (const api::Repository* other : others) their_names.push_back(other->metadata.name);
  const std::string what = fmt::format(
      "Repository {} of this namespace has the same location; snapshots of hosts with one name are taken for each "
      "other's, and every retention policy holds for all",
      fmt::join(their_names, ", "));
  if (age_key(repository) < age_key(*others.front())) {
    status.set(names::kLocationShared, "True", reasons::kFirst, what);
  } else {
    status.set(names::kLocationShared, "True", names::kNotFirst,
               fmt::format("{}. Only backups to Repository {}, which is older, make the restic repository there", what,
                           others.front()->metadata.name));
  }
}

}  // namespace stash::controller
