#include "controller/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"

namespace stash::controller {
namespace {

std::string_view name_of(Write::Verb verb) {
  switch (verb) {
    case Write::Verb::apply:
      return "apply";
    case Write::Verb::create:
      return "create";
    case Write::Verb::merge_patch:
      return "patch";
    case Write::Verb::remove:
      return "delete";
    case Write::Verb::evict:
      return "evict";
  }
  return "?";
}

api::ObjectRef ref_of(const Json& object) {
  return {string_at(object, {"metadata", "namespace"}), string_at(object, {"metadata", "name"})};
}

/// RFC 7396: an object in a patch is merged into the one that is there, so what it shall no longer have is named.
Json merge_patch_between(const Json& before, const Json& after) {
  Json delta = Json::object();
  for (const auto& [key, value] : after.items()) {
    const auto old = before.find(key);
    if (old == before.end()) {
      delta[key] = value;
    } else if (*old != value) {
      delta[key] = old->is_object() && value.is_object() ? merge_patch_between(*old, value) : value;
    }
  }
  for (const auto& [key, value] : before.items()) {
    if (!after.contains(key)) delta[key] = nullptr;
  }
  return delta;
}

}  // namespace

std::string render_plan(const Plan& plan) {
  std::string text;
  for (const Write& write : plan.writes) {
    text += fmt::format("{} {} {}{}{}", name_of(write.verb), write.resource.kind, api::to_string(write.ref),
                        write.subresource.empty() ? "" : "/", write.subresource);
    if (!write.body.is_null()) text += " " + dump_json(write.body);
    if (!write.field_manager.empty()) text += " as " + write.field_manager;
    text += "\n";
  }
  for (const Note& note : plan.notes) {
    text += fmt::format("event {} {}: {}\n", note.warning ? "Warning" : "Normal", note.reason, note.message);
  }
  if (plan.look_again_in) text += fmt::format("look again in {} s\n", plan.look_again_in->count());
  return text;
}

void look_again(Plan& plan, std::chrono::seconds in) {
  plan.look_again_in = std::min(plan.look_again_in.value_or(in), in);
}

void note(Plan& plan, std::string_view reason, std::string message) {
  plan.notes.push_back({false, std::string(reason), std::move(message)});
}

void warn(Plan& plan, std::string_view reason, std::string message) {
  plan.notes.push_back({true, std::string(reason), std::move(message)});
}

void write_status(Plan& plan, const api::Resource& resource, const Json& object, const Json& status) {
  const Json delta = merge_patch_between(object_at(object, {"status"}), status);
  if (delta.empty()) return;
  write_patch(plan, resource, object, {{"status", delta}});
  plan.writes.back().subresource = "status";
}

void write_patch(Plan& plan, const api::Resource& resource, const Json& object, Json patch) {
  patch["metadata"]["resourceVersion"] = string_at(object, {"metadata", "resourceVersion"});
  plan.writes.push_back({Write::Verb::merge_patch, resource, ref_of(object), "", std::move(patch), ""});
}

void evict_pod(Plan& plan, const api::ObjectRef& pod, const std::string& uid) {
  plan.writes.push_back({.verb = Write::Verb::evict, .resource = api::kPods, .ref = pod, .body = nullptr, .uid = uid});
}

void create_object(Plan& plan, const api::Resource& resource, Json object) {
  const api::ObjectRef ref = ref_of(object);
  plan.writes.push_back({Write::Verb::create, resource, ref, "", std::move(object), ""});
}

void remove_object(Plan& plan, const api::Resource& resource, const api::ObjectMeta& meta) {
  plan.writes.push_back({Write::Verb::remove, resource, meta.ref(), "", nullptr, meta.uid});
}

bool release_legacy_finalizers(Plan& plan, const api::Resource& resource, const Json& object) {
  if (string_at(object, {"metadata", "deletionTimestamp"}).empty()) return false;
  Json kept = Json::array();
  const Json& all = array_at(object, {"metadata", "finalizers"});
  for (const Json& finalizer : all) {
    if (finalizer != api::names::kLegacyFinalizer && finalizer != api::names::kLegacyRepositoryFinalizer) {
      kept.push_back(finalizer);
    }
  }
  if (kept.size() == all.size()) return false;
  write_patch(plan, resource, object, {{"metadata", {{"finalizers", kept}}}});
  return true;
}

}  // namespace stash::controller
