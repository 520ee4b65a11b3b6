#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "api/names.h"
#include "controller/edges.h"
#include "controller/execute.h"
#include "controller/expected_hosts.h"
#include "controller/gather.h"
#include "controller/hosts.h"
#include "controller/restore_phase.h"
#include "controller/session_hosts.h"
#include "controller/status_draft.h"
#include "inject/withdrawal.h"
#include "inject/workload_view.h"

namespace stash::controller {
namespace {

api::WorkloadRef target_of(const api::RestoreSession& restore) {
  const api::TargetRef& ref = restore.spec.target->ref;
  return {api::workload_kind(ref), {restore.metadata.ns, ref.name}};
}

void gather_rivals(const Cluster& cluster, const api::RestoreSession& restore, RestoreWorld& world) {
  const std::string& ns = restore.metadata.ns;
  const api::TargetRef& target = restore.spec.target->ref;
  world.injected = injected_restore(cluster, ns, target);
  for (const api::RestoreSession& other : restores_of(cluster, ns, target)) {
    if (other.metadata.name == restore.metadata.name) break;
    if (other.metadata.name == world.injected) world.superseded_by = other.metadata.name;
  }
}

/// Without the upkeep of the repository, which looks at no volume of the target.
Json hosts_of(const Cluster& cluster, const Json& session) {
  return array_at(with_host_objects(session, cluster.caches.hosts_of(session)), {"status", "stats"});
}

/// An older one that pods may take up again until it is told that this one has its place.
std::string restore_to_be_superseded(const Cluster& cluster, const api::RestoreSession& restore,
                                     const std::string& injected) {
  const std::string& name = restore.metadata.name;
  auto all = restores_of(cluster, restore.metadata.ns, restore.spec.target->ref);
  // The newest come first.
  const auto self = std::ranges::find(all, name, [](const api::RestoreSession& other) { return other.metadata.name; });
  const auto found = std::find_if(self, all.end(), [&](const api::RestoreSession& other) {
    const bool may_have_pods = injected == other.metadata.name || injected == name;
    return may_have_pods && may_be_tried_again(other);
  });
  return found == all.end() ? "" : name_in_books(api::kRestoreSessions, found->metadata.ref());
}

/// One whose hosts pods have taken, or may take at any moment.
std::string user_of_volumes(const Cluster& cluster, const api::RestoreSession& restore, const std::string& injected) {
  const api::WorkloadRef target = target_of(restore);
  if (std::string older = restore_to_be_superseded(cluster, restore, injected); !older.empty()) return older;
  for (const kube::Cache::Object& other : cluster.caches.restores_of(target)) {
    const api::ObjectMeta meta = api::meta_of(*other);
    // One that is deleted has been let go by its author.
    if (meta.uid == restore.metadata.uid || meta.being_deleted) continue;
    if (uses_volumes(array_at(*other, {"status", "stats"}))) return name_in_books(api::kRestoreSessions, meta.ref());
  }
  for (const kube::Cache::Object& object : cluster.caches.configurations_of(target)) {
    for (const kube::Cache::Object& session : cluster.caches.sessions_of(api::meta_of(*object).ref())) {
      const api::ObjectMeta meta = api::meta_of(*session);
      if (meta.being_deleted || api::is_final_phase(string_at(*session, {"status", "phase"}))) continue;
      if (may_use_volumes(hosts_of(cluster, *session))) return name_in_books(api::kBackupSessions, meta.ref());
    }
  }
  return "";
}

/// Who hears that his RestoreSession is gone ends, unless there is another of its name, which he waits for then.
bool has_not_heard(const Cluster& cluster, const std::string& ns, const Json& pod) {
  const Json* container = inject::named(array_at(pod, {"spec", "initContainers"}), api::names::kInitContainer);
  return container != nullptr && !cluster.caches.restores.get({ns, inject::invoker_of(*container)});
}

bool restores_for_nobody(const Cluster& cluster, const std::string& ns, const Json& pod) {
  const std::string uid = string_at(pod, {"metadata", "annotations", api::names::kAppliedRestoreUid});
  const PodFacts facts = pod_facts(pod, api::names::kInitContainer);
  if (uid.empty() || !is_alive(facts) || !facts.runs_container) return false;
  bool found = false;
  cluster.caches.restores.for_each(
      ns, [&](const api::ObjectRef&, const Json& restore) { found |= string_at(restore, {"metadata", "uid"}) == uid; });
  return !found;
}

/// The pod of a RestoreSession that was deleted, or replaced by one of its name. It is told by its next sign of life,
/// and one that is cut off from the API server ends by itself.
Result<std::string> pod_of_no_restore(Cluster& cluster, kube::Api& api, const api::RestoreSession& restore,
                                      std::chrono::seconds age) {
  const std::string& ns = restore.metadata.ns;
  const api::WorkloadRef target = target_of(restore);
  const auto workload = target.kind != nullptr ? cluster.caches.workload(target) : nullptr;
  if (!workload) return "";
  std::string name;
  const auto looked = for_each_pod(api, ns, *workload, [&](const Json& pod) {
    const bool may_write = age < cluster.limits.notice || has_not_heard(cluster, ns, pod);
    if (may_write && restores_for_nobody(cluster, ns, pod)) name = string_at(pod, {"metadata", "name"});
  });
  if (!looked && looked.error().code != ErrorCode::denied) return std::unexpected(looked.error());
  return name.empty() ? "" : fmt::format("pod {}, of a RestoreSession that is gone,", name);
}

}  // namespace

Result<LookAgain> reconcile_restore(Cluster& cluster, kube::Api& api, const api::ObjectRef& ref) {
  const auto session = cluster.caches.restores.get(ref);
  const std::string name = name_in_books(api::kRestoreSessions, ref);
  if (!session) {
    cluster.forget_session(name);
    cluster.pushes.clean_up_soon();
    return LookAgain();
  }
  RestoreWorld world;
  world.session = *session;
  world.now = session_time(cluster, api, api::kRestoreSessions, ref, *session);
  world.limits = cluster.limits;
  world.settings = inject::fingerprint(cluster.settings);
  world.watched_for = cluster.watched_for();
  const auto restore = api::decode<api::RestoreSession>(*session);
  const std::string phase = string_at(*session, {"status", "phase"});
  if (phase == "Succeeded") cluster.forget_session(name);
  if (auto text = restore ? render_session_metrics(*restore) : std::nullopt) {
    cluster.pushes.put(restore_group(ref.ns, ref.name), *std::move(text));
  }
  if (restore && restore->spec.target && phase != "Succeeded" && phase != "Invalid") {
    gather_rivals(cluster, *restore, world);
    const Json& stats = array_at(*session, {"status", "stats"});
    if (stats.empty()) world.used_by = user_of_volumes(cluster, *restore, world.injected);
    const auto passed = age(restore->metadata.created, world.now);
    // Who keeps to kStall has ended by then.
    if (stats.empty() && world.used_by.empty() && passed < cluster.limits.stall) {
      TRY(world.used_by, pod_of_no_restore(cluster, api, *restore, passed));
    }
    const Tally hosts = tally(stats);
    world.silent_for = cluster.heartbeats.silent_for(name, stats);
    const bool settled = passed >= cluster.limits.grace;
    TRY(world.target, gather_target(cluster, api, ref.ns,
                                    {.session = *session,
                                     .owner = name,
                                     .invoker = ref.name,
                                     .container = api::names::kInitContainer,
                                     .ref = restore->spec.target->ref,
                                     .repository = restore->spec.repository,
                                     .look_at_pods = hosts.running > 0 || unnamed_hosts(*session, stats) > 0 ||
                                                     (settled && hosts.pending > 0)}));
  }
  const Plan plan = plan_restore(world);
  TRY_VOID(execute(api, plan, *session, {cluster.dry_run, "RestoreSession Controller"}, cluster.clock));
  return plan.look_again_in;
}

}  // namespace stash::controller
