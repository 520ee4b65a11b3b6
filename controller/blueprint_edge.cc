#include "api/codec.h"
#include "controller/blueprint_request.h"
#include "controller/blueprint_status.h"
#include "controller/edges.h"
#include "controller/execute.h"
#include "controller/gather.h"
#include "inject/workload_view.h"

namespace stash::controller {
namespace {

constexpr std::string_view kComponent = "BackupBlueprint Controller";
constexpr std::chrono::seconds kGather{2};  ///< so that many workloads at once are few writes of one status
constexpr std::chrono::minutes kTryRefused{5};

void wake(Cluster& cluster, const std::vector<std::string>& blueprints) {
  for (const std::string& name : blueprints) cluster.queues().blueprints.add_after(name, kGather);
}

BlueprintWorld gather(Cluster& cluster, const api::WorkloadRef& ref, const Json& workload) {
  const Caches& caches = cluster.caches;
  const api::ObjectRef made{ref.ref.ns, blueprint_object_name(ref)};
  BlueprintWorld world;
  world.ref = ref;
  world.workload = workload;
  world.not_opted_in = cluster.not_opted_in(ref.ref.ns);
  world.blueprint = cached(caches.blueprints, {"", blueprint_of(workload)});
  world.repository = cached(caches.repositories, made);
  world.configuration = cached(caches.configurations, made);
  world.backup_running = is_in_session(caches, made);
  world.told = cluster.blueprints.told(to_string(ref));
  return world;
}

/// Before an object is made, the API server is asked: a cache may not have heard of one that somebody just made.
Result<bool> look_for_newer_objects(kube::Api& api, BlueprintWorld& world, const Plan& plan) {
  bool found = false;
  for (const Write& write : plan.writes) {
    if (write.verb != Write::Verb::apply || at(write.body, {"metadata", "resourceVersion"})) continue;
    TRY(Json live, live_object(api, write.resource, write.ref));
    if (!live.is_object()) continue;
    found = true;
    (write.resource == api::kRepositories ? world.repository : world.configuration) = std::move(live);
  }
  return found;
}

}  // namespace

Result<LookAgain> reconcile_blueprint_use(Cluster& cluster, kube::Api& api, const api::WorkloadRef& ref) {
  const std::string key = to_string(ref);
  const auto workload = cluster.caches.workload(ref);
  if (!workload) {
    wake(cluster, cluster.blueprints.forget(key));
    return LookAgain();
  }
  if (cluster.is_going(ref.ref.ns) || !inject::template_owner(*workload, ref.kind->resource.kind).empty()) {
    return LookAgain();
  }
  BlueprintWorld world = gather(cluster, ref, *workload);
  BlueprintPlan decision = plan_blueprint(world, cluster.settings);
  TRY(const bool newer, look_for_newer_objects(api, world, decision.plan));
  if (newer) decision = plan_blueprint(world, cluster.settings);

  const ExecuteOptions options{cluster.dry_run, kComponent};
  const auto done = execute(api, decision.plan, *workload, options, cluster.clock);
  if (!done) {
    if (done.error().code != ErrorCode::invalid && done.error().code != ErrorCode::denied) {
      return std::unexpected(done.error());
    }
    // Not for us to cure: say so where the user looks.
    world.refused = done.error().message;
    decision = plan_blueprint(world, cluster.settings);
    look_again(decision.plan, kTryRefused);
    TRY_VOID(execute(api, decision.plan, *workload, options, cluster.clock));
  }
  wake(cluster, cluster.blueprints.looked(key, decision));
  if (!decision.complaint.empty()) look_again(decision.plan, kTellAgain);
  return decision.plan.look_again_in;
}

Result<LookAgain> reconcile_blueprint(Cluster& cluster, kube::Api& api, const std::string& name) {
  const auto blueprint = cluster.caches.blueprints.get({"", name});
  if (!blueprint) return LookAgain();
  BlueprintStatusWorld world;
  world.blueprint = *blueprint;
  world.now = cluster.clock.now();
  world.workloads.emplace();
  for (const api::WorkloadRef& workload : cluster.caches.asking_for(name)) {
    const auto object = cluster.caches.workload(workload);
    if (!object || api::meta_of(*object).being_deleted || cluster.is_going(workload.ref.ns)) continue;
    const auto reason = cluster.blueprints.reason(to_string(workload), name);
    if (reason) {
      ++(*world.workloads)[*reason];
      continue;
    }
    // Its look comes, and brings this one along.
    world.workloads.reset();
    break;
  }
  const Plan plan = plan_blueprint_status(world, cluster.settings);
  TRY_VOID(execute(api, plan, *blueprint, {cluster.dry_run, kComponent}, cluster.clock));
  return plan.look_again_in;
}

}  // namespace stash::controller
