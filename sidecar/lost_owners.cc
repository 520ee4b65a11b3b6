#include "sidecar/lost_owners.h"

#include "base/log.h"

namespace stash::sidecar {

DeadOwners lost_owners(Context& context) {
  DeadOwners dead;
  const auto sessions = context.api.list(api::kBackupSessions, context.pod.ns, {});
  if (!sessions) {
    log_warning("{}", sessions.error().message);
    return dead;
  }
  for (const Json& session : array_at(*sessions, {"items"})) add_lost_pods(dead, session);
  return dead;
}

}  // namespace stash::sidecar
