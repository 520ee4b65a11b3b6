#include "api/codec.h"
#include "controller/edges.h"
#include "controller/execute.h"
#include "controller/gather.h"
#include "controller/repository_plan.h"

namespace stash::controller {

Result<LookAgain> reconcile_repository(Cluster& cluster, kube::Api& api, const api::ObjectRef& ref) {
  const auto object = cluster.caches.repositories.get(ref);
  if (!object) {
    cluster.misses.forget(to_string(ref));
    return LookAgain();
  }
  RepositoryWorld world{.repository = *object, .now = cluster.clock.now()};
  const auto repository = api::decode<api::Repository>(*object);
  if (repository && !repository->metadata.being_deleted) {
    const auto presence = secret_presence(api, {ref.ns, repository->spec.backend.storage_secret_name});
    if (presence) {
      world.secret = *presence;
    } else if (presence.error().code == ErrorCode::denied) {
      world.secret_error = presence.error().message;
    } else {
      return std::unexpected(presence.error());
    }
    world.misses = cluster.misses.count(to_string(ref), world.secret != Presence::present);
  }
  const Plan plan = plan_repository(world);
  TRY_VOID(execute(api, plan, *object, {cluster.dry_run, "Repository Controller"}, cluster.clock));
  return plan.look_again_in;
}

}  // namespace stash::controller
