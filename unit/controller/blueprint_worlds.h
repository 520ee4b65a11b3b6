#pragma once
#include <string>

#include "controller/blueprint_plan.h"
#include "unit/controller/worlds.h"
#include "unit/support/workloads.h"

/// Deployment demo/stash-demo asks for BackupBlueprint nightly, and nothing was made for it yet.
namespace stash::test {

inline Json a_blueprint(const Json& changes = Json::object()) {
  Json blueprint{
      {"apiVersion", "stash.appscode.com/v1beta1"},
      {"kind", "BackupBlueprint"},
      {"metadata", {{"name", "nightly"}, {"uid", "uid-nightly"}, {"resourceVersion", "5"}, {"generation", 1}}},
      {"spec",
       {{"schedule", "0 3 * * *"},
        {"backend",
         {{"storageSecretName", "backups"},
          {"s3",
           {{"endpoint", "s3.example.com"},
            {"bucket", "b"},
            {"prefix", "${TARGET_NAMESPACE}/${TARGET_KIND}/${TARGET_NAME}"}}}}},
        {"retentionPolicy", {{"name", "keep-last-5"}, {"keepLast", 5}, {"prune", true}}}}}};
  blueprint["spec"].merge_patch(changes);
  return blueprint;
}

inline WorkloadBuilder an_annotated_workload() {
  return a_workload()
      .with([](Json& json) { json["metadata"]["uid"] = "uid-workload"; })
      .annotation("stash.appscode.com/backup-blueprint", "nightly")
      .annotation("stash.appscode.com/target-paths", "/source/data")
      .annotation("stash.appscode.com/volume-mounts", "source-data:/source/data");
}

inline controller::BlueprintWorld a_blueprint_world(const Json& workload = an_annotated_workload()) {
  controller::BlueprintWorld world;
  world.ref = {api::workload_kind("apps", "Deployment"), {"demo", "stash-demo"}};
  world.workload = workload;
  world.blueprint = a_blueprint();
  return world;
}

/// What the API server holds after the plan; server-side apply with one manager is replacing what it applied before.
inline void apply_to(controller::BlueprintWorld& world, const controller::Plan& plan) {
  for (const controller::Write& write : plan.writes) {
    Json& object = write.resource == api::kRepositories ? world.repository : world.configuration;
    if (write.verb == controller::Write::Verb::remove) {
      object = nullptr;
      continue;
    }
    const Json before = object;
    object = write.body;
    object["metadata"]["uid"] = "uid-" + std::string(write.resource.kind);
    object["metadata"]["resourceVersion"] = std::to_string(int_at(before, {"metadata", "made"}) + 1);
    if (before.contains("status")) object["status"] = before["status"];
  }
}

/// The world in which all was made that this one asks for.
inline controller::BlueprintWorld made(controller::BlueprintWorld world) {
  apply_to(world, controller::plan_blueprint(world, some_settings()).plan);
  return world;
}

}  // namespace stash::test
