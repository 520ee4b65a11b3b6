#include "cli/preview_blueprint.h"

#include <fmt/format.h>

#include "api/workload_kind.h"
#include "cli/manifest.h"
#include "controller/blueprint_plan.h"
#include "controller/blueprint_request.h"
#include "controller/obstacle.h"
#include "controller/reasons.h"

namespace stash::cli {

namespace {

/// null when there is none
Json object_of(const PreviewWorld& world, const api::Resource& resource, const std::string& name) {
  const Json* found = find_object(world.objects, resource, name, world.ns);
  return found == nullptr ? Json() : *found;
}

/// A workload in a file has no uid yet; what was made for the live one of that name tells it.
void adopt_uid(const Json& made, Json& workload) {
  if (!string_at(workload, {"metadata", "uid"}).empty()) return;
  for (const Json& owner : array_at(made, {"metadata", "ownerReferences"})) {
    if (string_at(owner, {"kind"}) != string_at(workload, {"kind"}) ||
        string_at(owner, {"name"}) != string_at(workload, {"metadata", "name"}))
      continue;
    workload["metadata"]["uid"] = string_at(owner, {"uid"});
  }
}

}  // namespace

BlueprintPreview preview_blueprint(const PreviewWorld& world, const Json& namespace_labels,
                                   const inject::Settings& settings) {
  BlueprintPreview preview;
  const std::string name = controller::blueprint_of(world.workload);
  const api::WorkloadKind* kind = api::workload_kind(api::workload_group(string_at(world.workload, {"apiVersion"})),
                                                     string_at(world.workload, {"kind"}));
  if (name.empty() || kind == nullptr) return preview;
  controller::BlueprintWorld asked;
  asked.ref = {kind, {world.ns, string_at(world.workload, {"metadata", "name"})}};
  asked.not_opted_in = controller::reason_not_opted_in(settings, world.ns, namespace_labels);
  asked.workload = world.workload;
  asked.workload["metadata"]["namespace"] = world.ns;
  const std::string made = controller::blueprint_object_name(asked.ref);
  asked.blueprint = object_of(world, api::kBackupBlueprints, name);
  asked.repository = object_of(world, api::kRepositories, made);
  asked.configuration = object_of(world, api::kBackupConfigurations, made);
  adopt_uid(asked.configuration, asked.workload);
  const controller::BlueprintPlan planned = controller::plan_blueprint(asked, settings);
  preview.complaint = planned.complaint;
  preview.refused = !planned.complaint.empty() && planned.reason != controller::reasons::kRepositoryKept;
  std::vector<std::string> kinds;
  for (const controller::Write& write : planned.plan.writes) {
    if (write.verb != controller::Write::Verb::apply) continue;
    preview.objects.push_back(write.body);
    kinds.emplace_back(write.resource.kind);
  }
  if (!kinds.empty()) {
    preview.why =
        fmt::format("BackupBlueprint {} makes {} {}/{} for it", name, fmt::join(kinds, " and "), world.ns, made);
  }
  return preview;
}

}  // namespace stash::cli
