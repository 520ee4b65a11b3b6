#include <algorithm>

#include "api/names.h"
#include "base/log.h"
#include "base/text.h"
#include "controller/edges.h"
#include "controller/execute.h"
#include "controller/gather.h"
#include "controller/pod_trouble.h"
#include "controller/refused_nudge.h"
#include "controller/rollout.h"
#include "controller/rollout_edge.h"

namespace stash::controller {
namespace {

constexpr std::chrono::seconds kLookForStuckPods{60};

/// A role of somebody else is in no cache of ours: before one is made, the API server is asked.
Result<bool> look_for_foreign_objects(kube::Api& api, WorkloadWorld& world, const Plan& plan) {
  bool found = false;
  for (const Write& write : plan.writes) {
    if (write.verb != Write::Verb::apply || at(write.body, {"metadata", "resourceVersion"})) continue;
    TRY(const Json live, live_object(api, write.resource, write.ref));
    if (!live.is_object()) continue;
    found = true;
    const bool role = write.resource == api::kRoles;
    const bool sidecar = write.ref.name.starts_with(api::names::kSidecarRolePrefix);
    (sidecar ? (role ? world.sidecar_role : world.sidecar_binding)
             : (role ? world.restore_role : world.restore_binding)) = live;
  }
  return found;
}

/// Pods that a StatefulSet waits for in vain keep it from following its template.
bool may_be_stuck(const WorkloadWorld& world) {
  return world.kind->hosts == api::HostScheme::ordinals &&
         std::ranges::any_of(world.inject.configurations, [&](const api::BackupConfiguration& configuration) {
           const auto& target = configuration.spec.target;
           return configuration.status.withdrawal && target &&
                  inject::names_workload(target->ref, world.inject.group, world.inject.kind,
                                         string_at(*world.inject.workload, {"metadata", "name"}));
         });
}

/// Its sidecar may be another one by now because the author mended what kept it from starting, before any verdict.
bool may_wait_for_old_sidecar(const WorkloadWorld& world) {
  const Json& workload = *world.inject.workload;
  return world.kind->hosts == api::HostScheme::ordinals && inject::has_sidecar(workload) &&
         !is_settled(*world.kind, workload);
}

/// Whether the API server takes the workload as it is: then it was the nudge's change that it refused.
bool is_taken_as_it_is(kube::Api& api, const WorkloadWorld& world, const ExecuteOptions& options, const Clock& clock) {
  Plan plan;
  write_patch(plan, world.kind->resource, *world.inject.workload, Json::object());
  plan.writes.back().field_manager = api::names::kAsItIsManager;
  return execute(api, plan, *world.inject.workload, options, clock).has_value();
}

/// Their statuses say what follows for them.
void wake(Queues& queues, const WorkloadWorld& world, const std::vector<std::string>& blamed) {
  const auto is_blamed = [&](const api::Resource& kind, const api::ObjectMeta& meta) {
    return std::ranges::find(blamed, name_in_books(kind, meta.ref())) != blamed.end();
  };
  for (const api::BackupConfiguration& each : world.inject.configurations) {
    if (is_blamed(api::kBackupConfigurations, each.metadata)) queues.configurations.add(to_string(each.metadata.ref()));
  }
  for (const api::RestoreSession& each : world.inject.restores) {
    if (is_blamed(api::kRestoreSessions, each.metadata)) queues.restores.add(to_string(each.metadata.ref()));
  }
}

/// Whether pods are to be asked if they still need the rights of a restore.
bool restore_rights_linger(const WorkloadWorld& world) {
  return world.restore_role.is_object() && !inject::has_init_container(*world.inject.workload);
}

}  // namespace

Result<LookAgain> reconcile_workload(Cluster& cluster, kube::Api& api, const api::WorkloadRef& ref) {
  const auto workload = cluster.caches.workload(ref);
  const std::string key = to_string(ref);
  if (!workload) {
    cluster.nudges.gone(key);
    cluster.injections.gone(key);
    cluster.upgrades.done(key);
    return LookAgain();
  }
  if (cluster.is_going(ref.ref.ns)) return LookAgain();
  WorkloadWorld world = gather_workload(cluster, ref, *workload);
  const bool all_pods = !ref.kind->rolls_out || may_be_stuck(world) || restore_rights_linger(world);
  bool some_wait = false;
  if (all_pods || may_wait_for_old_sidecar(world)) {
    TRY(world.pods, pods_of(api, *workload, true));
    some_wait = !all_pods && std::ranges::any_of(world.pods, [](const Json& pod) {
      return string_at(pod, {"status", "phase"}) == "Pending";
    });
    if (!all_pods) std::erase_if(world.pods, [](const Json& pod) { return !sidecar_holds_back(pod); });
  }
  WorkloadPlan decision = plan_workload(world, cluster.settings);
  TRY(const bool more, look_for_foreign_objects(api, world, decision.plan));
  if (more) decision = plan_workload(world, cluster.settings);
  if (some_wait) look_again(decision.plan, kLookForStuckPods);

  const ExecuteOptions options{cluster.dry_run, "Workload Controller"};
  std::size_t written = 0;
  const auto done = execute(api, decision.plan, *workload, options, cluster.clock, &written);
  std::vector<std::string> blamed;
  // The nudge comes last: an earlier write may have been refused, as one of a role.
  const bool refused = !done && decision.nudges && written + 1 == decision.plan.writes.size();
  if (refused && may_be_for_what_it_brings(done.error()) && is_taken_as_it_is(api, world, options, cluster.clock)) {
    blamed = to_be_blamed(world.inject, cluster.settings);
  }
  if (!cluster.dry_run) {
    if (decision.injection.up_to_date) cluster.nudges.at_rest(key);
    if (decision.nudges && (done || done.error().code != ErrorCode::conflict)) {
      cluster.nudges.nudged(key, decision.change, done ? "" : done.error().message, blamed);
    }
    if (!decision.nudges && !decision.injection.error.empty()) cluster.nudges.say(key, decision.injection.error);
    if (decision.asks_for_upgrade) cluster.upgrades.asked(key);
    if (!decision.upgrade_waits && is_settled(*ref.kind, *workload)) cluster.upgrades.done(key);
  }
  // The conditions of its BackupConfigurations tell how the injection stands, and what was said to the nudge just now.
  if (cluster.injections.is_news(key, decision.injection) || (decision.nudges && !done)) {
    for (const api::BackupConfiguration& configuration : world.inject.configurations) {
      const auto& target = configuration.spec.target;
      if (target && inject::names_workload(target->ref, world.inject.group, world.inject.kind, ref.ref.name)) {
        cluster.queues().configurations.add(to_string(configuration.metadata.ref()));
      }
    }
  }
  if (!blamed.empty()) {
    wake(cluster.queues(), world, blamed);
    log_warning("{}: {}; held back: {}", key, done.error().message, first_of(blamed, ", "));
    return LookAgain(kFirstNudgeDelay);
  }
  TRY_VOID(done);
  if (decision.nudges && !cluster.dry_run) log_info("{}: nudged, so that the webhook injects", key);
  if (decision.asks_for_upgrade && !cluster.dry_run) log_info("{}: asked to take the image of this version", key);
  return decision.plan.look_again_in;
}

}  // namespace stash::controller
