#include "controller/owned_object.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "base/hash.h"
#include "inject/covers.h"

namespace stash::controller {
namespace {

bool has_owner(const Json& live, const Json& wanted) {
  const Json& owners = array_at(live, {"metadata", "ownerReferences"});
  return std::any_of(owners.begin(), owners.end(), [&](const Json& owner) {
    return string_at(owner, {"kind"}) == string_at(wanted, {"kind"}) &&
           string_at(owner, {"name"}) == string_at(wanted, {"name"}) &&
           string_at(owner, {"uid"}) == string_at(wanted, {"uid"});
  });
}

/// Every part of `wanted` is in `live`; owners are compared as a set, for others may have added theirs.
bool holds(const Json& live, const Json& wanted) {
  for (const Json& owner : array_at(wanted, {"metadata", "ownerReferences"})) {
    if (!has_owner(live, owner)) return false;
  }
  Json rest = wanted;
  rest["metadata"].erase("ownerReferences");
  return inject::covers(live, rest);
}

}  // namespace

bool is_ours(const Json& live, const Json& owners) {
  const Json& labels = object_at(live, {"metadata", "labels"});
  const auto label = labels.find(api::names::kManagedByLabel);
  if (label != labels.end() && *label == api::names::kManagedBy) return true;
  return std::any_of(owners.begin(), owners.end(), [&](const Json& owner) { return has_owner(live, owner); });
}

std::string other_owner_of(const Json& live, const Json& owners) {
  std::string other;
  for (const Json& holder : array_at(live, {"metadata", "ownerReferences"})) {
    const std::string kind = string_at(holder, {"kind"}), name = string_at(holder, {"name"});
    for (const Json& owner : owners) {
      if (kind != string_at(owner, {"kind"})) continue;
      if (name == string_at(owner, {"name"})) return "";
      other = kind + " " + name;
    }
  }
  return other;
}

Owned plan_owned(Plan& plan, const api::Resource& resource, Json wanted, const Json* live) {
  wanted["metadata"]["annotations"][std::string(api::names::kSpecHash)] =
      fmt::format("{:016x}", fnv1a(dump_json(wanted)));
  const api::ObjectRef ref{string_at(wanted, {"metadata", "namespace"}), string_at(wanted, {"metadata", "name"})};
  if (live) {
    const Json& owners = array_at(wanted, {"metadata", "ownerReferences"});
    if (!is_ours(*live, owners) || !other_owner_of(*live, owners).empty()) return Owned::taken;
    if (holds(*live, wanted)) return Owned::as_wanted;
    const Json* role = at(*live, {"roleRef"});
    if (role && *role != object_at(wanted, {"roleRef"})) {
      remove_object(plan, resource, api::meta_of(*live));
    } else {
      wanted["metadata"]["resourceVersion"] = string_at(*live, {"metadata", "resourceVersion"});
    }
  }
  plan.writes.push_back({Write::Verb::apply, resource, ref, "", std::move(wanted), ""});
  return Owned::planned;
}

void drop_owned(Plan& plan, const api::Resource& resource, const Json* live, const Json& owners) {
  if (!live || !string_at(*live, {"metadata", "deletionTimestamp"}).empty()) return;
  if (!is_ours(*live, owners) || !other_owner_of(*live, owners).empty()) return;
  remove_object(plan, resource, api::meta_of(*live));
}

Json owned_metadata(const std::string& ns, const std::string& name, const std::map<std::string, std::string>& labels,
                    const Json& owner) {
  return {{"namespace", ns}, {"name", name}, {"labels", labels}, {"ownerReferences", Json::array({owner})}};
}

}  // namespace stash::controller
