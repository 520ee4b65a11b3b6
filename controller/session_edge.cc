#include "api/codec.h"
#include "api/names.h"
#include "controller/edges.h"
#include "controller/execute.h"
#include "controller/gather.h"
#include "controller/hosts.h"
#include "controller/session_phase.h"
#include "controller/status_draft.h"

namespace stash::controller {
namespace {

Result<SessionWorld> gather_session(Cluster& cluster, kube::Api& api, const api::ObjectRef& ref, const Json& session) {
  SessionWorld world;
  world.session = session;
  world.now = cluster.clock.now();
  world.limits = cluster.limits;
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
  for (const auto& other : cluster.caches.sessions.list(ref.ns)) {
    auto sibling = api::decode<api::BackupSession>(*other);
    if (!sibling || sibling->metadata.name == ref.name) continue;
    if (api::configuration_of(*sibling).value_or("") == *name) world.siblings.push_back(*std::move(sibling));
  }
  if (!world.configuration || !world.configuration->spec.target) return world;
  if (api::is_final_phase(decoded_session->status.phase)) return world;

  const Json& stats = array_at(session, {"status", "stats"});
  world.silent_for = cluster.heartbeats.silent_for(to_string(ref), stats);
  const bool settled = age(decoded_session->metadata.created, world.now) >= cluster.limits.grace;
  TRY(world.target, gather_target(cluster, api, ref.ns,
                                  {.session = session,
                                   .owner = fmt::format("BackupConfiguration {}/{}", ref.ns, *name),
                                   .container = api::names::kSidecar,
                                   .ref = world.configuration->spec.target->ref,
                                   .repository = world.configuration->spec.repository,
                                   .look_at_pods = !stats.empty() && (settled || tally(stats).running > 0)}));
  return world;
}

}  // namespace

Result<LookAgain> reconcile_session(Cluster& cluster, kube::Api& api, const api::ObjectRef& ref) {
  const auto session = cluster.caches.sessions.get(ref);
  if (!session) {
    cluster.heartbeats.forget(to_string(ref));
    return LookAgain();
  }
  TRY(const SessionWorld world, gather_session(cluster, api, ref, *session));
  const Plan plan = plan_session(world);
  TRY_VOID(execute(api, plan, *session, {cluster.dry_run, "BackupSession Controller"}, cluster.clock));
  return plan.look_again_in;
}

}  // namespace stash::controller
