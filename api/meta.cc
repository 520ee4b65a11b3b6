#include "api/meta.h"

#include <algorithm>

namespace stash::api {
namespace {

std::map<std::string, std::string> texts_at(const Json& object, std::string_view key) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : object_at(object, {key}).items()) {
    if (value.is_string()) texts.emplace(name, value.get_ref<const std::string&>());
  }
  return texts;
}

OwnerReference owner_of(const Json& json) {
  return {string_at(json, {"apiVersion"}), string_at(json, {"kind"}), string_at(json, {"name"}),
          string_at(json, {"uid"}), bool_at(json, {"controller"})};
}

}  // namespace

ObjectMeta meta_of(const Json& object) {
  const Json& json = object_at(object, {"metadata"});
  ObjectMeta meta;
  meta.name = string_at(json, {"name"});
  meta.ns = string_at(json, {"namespace"});
  meta.uid = string_at(json, {"uid"});
  meta.resource_version = string_at(json, {"resourceVersion"});
  meta.generation = int_at(json, {"generation"});
  if (const auto created = parse_time(string_at(json, {"creationTimestamp"}))) meta.created = *created;
  meta.being_deleted = !string_at(json, {"deletionTimestamp"}).empty();
  meta.labels = texts_at(json, "labels");
  meta.annotations = texts_at(json, "annotations");
  for (const Json& finalizer : array_at(json, {"finalizers"})) {
    if (finalizer.is_string()) meta.finalizers.push_back(finalizer.get_ref<const std::string&>());
  }
  for (const Json& owner : array_at(json, {"ownerReferences"})) meta.owners.push_back(owner_of(owner));
  return meta;
}

const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type) {
  const auto found = std::ranges::find(conditions, type, &Condition::type);
  return found == conditions.end() ? nullptr : &*found;
}

bool set_condition(std::vector<Condition>& conditions, Condition condition) {
  const auto found = std::ranges::find(conditions, condition.type, &Condition::type);
  if (found == conditions.end()) {
    conditions.push_back(std::move(condition));
    return true;
  }
  if (found->status == condition.status) condition.last_transition = found->last_transition;
  const bool changed =
      found->status != condition.status || found->reason != condition.reason || found->message != condition.message;
  *found = std::move(condition);
  return changed;
}

}  // namespace stash::api
