#include "controller/workload_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "base/hash.h"
#include "controller/owned_object.h"
#include "controller/sidecar_access.h"
#include "controller/stale_pods.h"
#include "controller/workload_facts.h"
#include "inject/restore_place.h"
#include "inject/workload_view.h"

namespace stash::controller {
namespace {

constexpr std::chrono::seconds kLookForOldPods{60};
constexpr std::chrono::minutes kLookForTaken{10};  ///< an object of somebody else is in no cache, so no event tells

const Json* existing(const Json& live) { return live.is_object() ? &live : nullptr; }

/// Plans one Role with its binding; a sentence when the name belongs to somebody else.
std::string plan_access(Plan& plan, const Access& wanted, const Json& role, const Json& binding) {
  Plan writes;
  for (const auto& [resource, object, live] : {std::tuple(&api::kRoles, &wanted.role, &role),
                                               std::tuple(&api::kRoleBindings, &wanted.role_binding, &binding)}) {
    if (plan_owned(writes, *resource, *object, existing(*live)) != Owned::taken) continue;
    return fmt::format("{} {}/{} exists already and is not Stash's; rename it, so that the pods can be given access",
                       resource->kind, string_at(*object, {"metadata", "namespace"}),
                       string_at(*object, {"metadata", "name"}));
  }
  std::move(writes.writes.begin(), writes.writes.end(), std::back_inserter(plan.writes));
  return "";
}

void drop_access(Plan& plan, const Access& access, const Json& role, const Json& binding) {
  const Json& owners = array_at(access.role, {"metadata", "ownerReferences"});
  drop_owned(plan, api::kRoleBindings, existing(binding), owners);
  drop_owned(plan, api::kRoles, existing(role), owners);
}

/// A pod runs its init containers again whenever its sandbox is made anew, and one whose restore failed tries for ever:
/// without rights it could not learn that its RestoreSession is gone, and would hold the application.
bool some_pod_restores(const std::vector<Json>& pods) {
  return std::ranges::any_of(pods, [](const Json& pod) {
    return !is_going(pod) && std::ranges::any_of(array_at(pod, {"spec", "initContainers"}), inject::is_init_container);
  });
}

/// Access for what will be in the pods, none for what is no longer there; a sentence when a name is taken.
std::string plan_all_access(Plan& plan, const WorkloadWorld& world, const inject::Desired& desired,
                            const inject::Injection& injection) {
  const Json& workload = *world.inject.workload;
  const api::WorkloadKind& kind = *world.kind;
  std::string taken;
  const Access sidecar = sidecar_access(workload, kind, desired);
  if (!desired.backups.empty() && injection.has_sidecar) {
    taken = plan_access(plan, sidecar, world.sidecar_role, world.sidecar_binding);
  } else if (!inject::has_sidecar(workload)) {
    drop_access(plan, sidecar, world.sidecar_role, world.sidecar_binding);
  }
  const Access restore = restore_access(workload, kind, desired);
  if (desired.restore && injection.has_init_container) {
    const std::string also = plan_access(plan, restore, world.restore_role, world.restore_binding);
    if (taken.empty()) taken = also;
  } else if (some_pod_restores(world.pods)) {
    look_again(plan, kLookForOldPods);
  } else if (!inject::has_init_container(workload)) {
    drop_access(plan, restore, world.restore_role, world.restore_binding);
  }
  return taken;
}

/// A new init container stops the application until the restore is done, so only a RestoreSession that the controller
/// has accepted may bring one: not one it has yet to look at, and not one that failed before it began. What another one
/// left in the template is no leave.
bool restore_must_wait(const inject::Desired& desired, const inject::Injection& injection, const Json& workload) {
  if (!injection.has_init_container || !desired.restore) return false;
  if (inject::is_injected(workload, *desired.restore)) return false;
  const std::string& phase = desired.restore->status.phase;
  return phase != "Pending" && phase != "Running";
}

void plan_upgrade(WorkloadPlan& result, const WorkloadWorld& world) {
  const auto wait = wait_before_upgrade(*world.kind, *world.inject.workload, world.upgrade);
  look_again(result.plan, wait.count() > 0 ? wait : kFirstNudgeDelay);
  if (wait.count() > 0) return;
  write_patch(result.plan, world.kind->resource, *world.inject.workload, Json::object());
  result.plan.writes.back().field_manager = api::names::kUpgradeManager;
  result.asks_for_upgrade = true;
}

}  // namespace

WorkloadPlan plan_workload(const WorkloadWorld& world, const inject::Settings& settings) {
  WorkloadPlan result;
  const Json& workload = *world.inject.workload;
  if (!string_at(workload, {"metadata", "deletionTimestamp"}).empty()) return result;

  const inject::Desired desired = inject::decide(world.inject, settings);
  const inject::Injection injection = inject::inject(world.inject, settings, &workload);
  result.findings = injection.findings;
  result.remarks = injection.remarks;
  result.injection.up_to_date = injection.patch.empty();
  result.injection.error = plan_all_access(result.plan, world, desired, injection);
  const bool access_taken = !result.injection.error.empty();
  if (!world.opted_in) return result;
  if (injection.patch.empty() && !world.kind->rolls_out) replace_stale_pods(result.plan, workload, world.pods);
  if (injection.patch.empty() && world.kind->rolls_out) release_stuck_pods(result.plan, workload, world.pods);
  if (access_taken) {
    look_again(result.plan, kLookForTaken);
    return result;
  }
  result.upgrade_waits = injection.upgrade_waits;
  if (injection.patch.empty()) {
    if (settings.upgrade_at_once && injection.upgrade_waits) plan_upgrade(result, world);
    return result;
  }
  if (restore_must_wait(desired, injection, workload)) return result;
  if (world.gone_for < kMayComeBack) {
    look_again(result.plan, kMayComeBack - world.gone_for);
    return result;
  }

  result.change = fmt::format("{:016x}", fnv1a(text_of(injection.patch)));
  const bool same = world.nudges.change == result.change;
  const Nudges nudges = same ? world.nudges : Nudges{.error = world.nudges.error};
  if (world.nudges.blamed.empty()) {
    result.injection.error = nudges.error;
  } else if (same) {
    result.injection.blamed = nudges.blamed;
    result.injection.refusal = nudges.error;
    result.injection.refused_for = nudges.since_last;
  } else if (world.nudges.since_last < kFirstNudgeDelay) {
    // The webhook may not know yet who is held back, and what it puts in as well would be refused for that.
    look_again(result.plan, kFirstNudgeDelay - world.nudges.since_last);
    return result;
  }
  if (nudges.count > 0) {
    const auto delay = delay_after(nudges.count);
    // A single young nudge may not have come back by the watch yet.
    const bool in_vain = nudges.in_vain > 1 || (nudges.in_vain == 1 && nudges.since_last >= kFirstNudgeDelay);
    result.injection.asked_in_vain = in_vain && nudges.blamed.empty();
    if (nudges.since_last < delay && !nudges.asks_for_all) {
      look_again(result.plan, std::min(delay - nudges.since_last, kFirstNudgeDelay));
      return result;
    }
  }
  write_patch(result.plan, world.kind->resource, workload, Json::object());
  result.plan.writes.back().field_manager = api::names::kNudgeManager;
  result.nudges = true;
  look_again(result.plan, kFirstNudgeDelay);
  return result;
}

}  // namespace stash::controller
