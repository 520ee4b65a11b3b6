#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "api/names.h"
#include "base/log.h"
#include "controller/edges.h"
#include "controller/execute.h"
#include "controller/expected_hosts.h"
#include "controller/gather.h"
#include "controller/history.h"
#include "controller/hook_edge.h"
#include "controller/hook_requests.h"
#include "controller/hosts.h"
#include "controller/session_phase.h"
#include "controller/status_draft.h"

namespace stash::controller {
namespace {

/// One that writes, or will write, into this target. One that failed counts as long as its init container is there: the
/// pods it holds back may try again.
void look_for_restore(const Cluster& cluster, const std::string& ns, const api::TargetRef& target,
                      SessionWorld& world) {
  const std::string injected = injected_restore(cluster, ns, target);
  for (const api::RestoreSession& restore : restores_of(cluster, ns, target)) {
    const std::string& phase = restore.status.phase;
    const bool waits = phase.empty() || phase == "Pending" || phase == "Running";
    const bool is_injected = restore.metadata.name == injected;
    if (!waits && !(phase == "Failed" && is_injected)) continue;
    world.restoring = restore.metadata.name;
    world.restore_injected = is_injected;
    return;
  }
}

/// Every host has succeeded, and none is to come: nothing about the target decides any more.
bool is_done(const SessionWorld& world, const Tally& hosts) {
  return hosts.total > 0 && hosts.succeeded == hosts.total && world.host_objects.empty() &&
         !api::has_host_objects(world.session) &&
         unnamed_hosts(world.session, array_at(world.session, {"status", "stats"})) == 0 &&
         open_hooks(world.session).empty();
}

bool is_over(const Json& session) {
  return api::is_final_phase(string_at(session, {"status", "phase"})) ||
         at(session, {"metadata", "deletionTimestamp"}) != nullptr;
}

Result<SessionWorld> gather_session(Cluster& cluster, kube::Api& api, const api::ObjectRef& ref, const Json& session) {
  SessionWorld world;
  world.host_objects = cluster.caches.hosts_of(session);
  world.may_have_host_objects = !cluster.caches.session_hosts.unserved();
  world.session = with_host_objects(session, world.host_objects);
  world.now = cluster.clock.now();
  if (!is_over(session)) {
    const TimePoint wall = world.now;
    world.now = session_time(cluster, api, api::kBackupSessions, ref, session);
    world.stepped = std::chrono::round<std::chrono::seconds>(wall - world.now);
  }
  world.limits = cluster.limits;
  world.exec_hooks = cluster.settings.exec_hooks;
  world.watched_for = cluster.watched_for();
  const auto decoded_session = api::decode<api::BackupSession>(session);
  if (!decoded_session) return world;
  const auto name = api::configuration_of(*decoded_session);
  if (!name || name->empty()) return world;

  if (const auto configuration = cluster.caches.configurations.get({ref.ns, *name})) {
    auto decoded_configuration = api::decode<api::BackupConfiguration>(*configuration);
    if (decoded_configuration) {
      world.configuration = *std::move(decoded_configuration);
    } else {
      world.configuration_error = decoded_configuration.error().message;
    }
  }
  if (!world.configuration) return world;
  const auto sessions = cluster.caches.sessions_of({ref.ns, *name});
  world.followed = is_followed(session, sessions);
  const bool may_be_repeated = decoded_session->status.next_retry && !decoded_session->status.retried;
  if (world.followed && !may_be_repeated) return world;
  for (const auto& other : sessions) {
    auto sibling = api::decode<api::BackupSession>(*other);
    if (sibling && sibling->metadata.name != ref.name) world.siblings.push_back(*std::move(sibling));
  }
  if (!world.configuration->spec.target) return world;
  if (api::is_final_phase(decoded_session->status.phase)) return world;

  look_for_restore(cluster, ref.ns, world.configuration->spec.target->ref, world);

  const Json& stats = array_at(world.session, {"status", "stats"});
  const Tally hosts = tally(stats);
  if (is_done(world, hosts)) return world;
  world.silent_for = cluster.heartbeats.silent_for(name_in_books(api::kBackupSessions, ref), stats);
  if (const Json* upkeep = upkeep_object(world.host_objects)) {
    const auto silent = cluster.heartbeats.silent_for(name_in_books(api::kBackupSessionHosts, ref),
                                                      array_at(*upkeep, {"status", "stats"}));
    if (!silent.empty()) world.upkeep_silent_for = silent.begin()->second;
  }
  const int unnamed = unnamed_hosts(world.session, stats);
  const bool settled = age(decoded_session->metadata.created, world.now) >= cluster.limits.grace;
  TRY(world.target, gather_target(cluster, api, ref.ns,
                                  {.session = world.session,
                                   .owner = fmt::format("BackupConfiguration {}/{}", ref.ns, *name),
                                   .invoker = *name,
                                   .container = api::names::kSidecar,
                                   .ref = world.configuration->spec.target->ref,
                                   .repository = world.configuration->spec.repository,
                                   .look_at_pods = !stats.empty() && (settled || hosts.running > 0 || unnamed > 0 ||
                                                                      !world.host_objects.empty()),
                                   .look_for_obstacles = stats.empty() || hosts.pending > 0 || unnamed > 0 ||
                                                         !world.host_objects.empty()}));
  return world;
}

bool rewrites(const Plan& plan, const api::ObjectRef& session) {
  return std::ranges::any_of(
      plan.writes, [&](const Write& write) { return write.resource == api::kBackupSessions && write.ref == session; });
}

/// The API server did not make the object of a host, or of the upkeep, and it would not the next time.
bool is_refused_host(const Plan& plan, std::size_t done, const Error& error) {
  const bool refused = error.code == ErrorCode::denied || error.code == ErrorCode::invalid;
  return refused && done < plan.writes.size() && plan.writes[done].verb == Write::Verb::create &&
         plan.writes[done].resource == api::kBackupSessionHosts;
}

void forget(Cluster& cluster, const api::ObjectRef& ref) {
  cluster.forget_session(name_in_books(api::kBackupSessions, ref));
  cluster.forget_session(name_in_books(api::kBackupSessionHosts, ref));
}

/// The newest one that has a result speaks for its BackupConfiguration.
void push_result(Cluster& cluster, const SessionWorld& world) {
  const auto session = api::decode<api::BackupSession>(world.session);
  if (!session || !world.configuration || world.followed) return;
  auto text = render_session_metrics(*session, *world.configuration);
  const auto is_newer = [&](const api::BackupSession& other) {
    return other.metadata.created > session->metadata.created &&
           render_session_metrics(other, *world.configuration).has_value();
  };
  if (!text || std::ranges::any_of(world.siblings, is_newer)) return;
  cluster.pushes.put(backup_group(session->metadata.ns, world.configuration->metadata.name), *std::move(text));
}

}  // namespace

Result<LookAgain> reconcile_session(Cluster& cluster, kube::Api& api, const api::ObjectRef& ref) {
  const auto session = cluster.caches.sessions.get(ref);
  if (!session) {
    forget(cluster, ref);
    cluster.hooks.settle(ref, "", false);
    // It may have gone with its BackupConfiguration.
    cluster.pushes.clean_up_soon();
    return LookAgain();
  }
  TRY(SessionWorld world, gather_session(cluster, api, ref, *session));
  push_result(cluster, world);
  const ExecuteOptions options{cluster.dry_run, "BackupSession Controller"};
  Plan plan = plan_session(world);
  std::size_t done = 0;
  auto executed = execute(api, plan, *session, options, cluster.clock, &done);
  if (!executed && is_refused_host(plan, done, executed.error())) {
    log_warning("BackupSession {}: {}; going on without it", to_string(ref), executed.error().message);
    world = without_more_objects(std::move(world), *session, std::move(executed.error().message));
    plan = plan_session(world);
    executed = execute(api, plan, *session, options, cluster.clock);
  }
  TRY_VOID(std::move(executed));
  const bool over = is_over(*session);
  if (over) forget(cluster, ref);
  cluster.hooks.settle(ref, string_at(*session, {"metadata", "uid"}), !over);
  // A session that was just written comes again, and may then ask for something else. Where hosts are objects of their
  // own, it is written all the time, and the requests are not in it.
  if (!cluster.dry_run && (!rewrites(plan, ref) || !world.host_objects.empty()))
    TRY_VOID(start_hooks(cluster, api, world.session, world.configuration));
  return plan.look_again_in;
}

}  // namespace stash::controller
