#include "cli/preview_blueprint.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/workload_kind.h"
#include "controller/blueprint_plan.h"
#include "controller/blueprint_request.h"

namespace stash::cli {

namespace {

Json object_of(const PreviewWorld& world, const api::Resource& resource, const std::string& name) {
  const auto found = std::ranges::find_if(world.objects, [&](const Json& object) {
    return string_at(object, {"apiVersion"}).starts_with(std::string(resource.group) + "/") &&
           string_at(object, {"kind"}) == resource.kind && string_at(object, {"metadata", "name"}) == name &&
           (!resource.namespaced || string_at(object, {"metadata", "namespace"}, world.ns) == world.ns);
  });
  return found == world.objects.end() ? Json() : *found;
}

}  // namespace

BlueprintPreview preview_blueprint(const PreviewWorld& world, const inject::Settings& settings) {
  BlueprintPreview preview;
  const std::string name = controller::blueprint_of(world.workload);
  const api::WorkloadKind* kind = api::workload_kind(api::workload_group(string_at(world.workload, {"apiVersion"})),
                                                     string_at(world.workload, {"kind"}));
  if (name.empty() || kind == nullptr) return preview;
  controller::BlueprintWorld asked;
  asked.ref = {kind, {world.ns, string_at(world.workload, {"metadata", "name"})}};
  asked.workload = world.workload;
  asked.workload["metadata"]["namespace"] = world.ns;
  const std::string made = controller::blueprint_object_name(asked.ref);
  asked.blueprint = object_of(world, api::kBackupBlueprints, name);
  asked.repository = object_of(world, api::kRepositories, made);
  asked.configuration = object_of(world, api::kBackupConfigurations, made);
  const controller::BlueprintPlan planned = controller::plan_blueprint(asked, settings);
  preview.complaint = planned.complaint;
  for (const controller::Write& write : planned.plan.writes) {
    if (write.verb == controller::Write::Verb::apply) preview.objects.push_back(write.body);
  }
  if (!preview.objects.empty()) {
    preview.why =
        fmt::format("BackupBlueprint {} makes Repository and BackupConfiguration {}/{} for it", name, world.ns, made);
  }
  return preview;
}

}  // namespace stash::cli
