#pragma once
#include <optional>

#include "controller/session_decision.h"

/// The upkeep of the repository after a session whose hosts are objects of their own: check, forget with prune, and
/// measure, once. The hosts do not see one another, so the controller gives it to one of them when all have ended: as
/// one more BackupSessionHost, which that host's pod claims as it claimed its host (docs/decisions/0044).
namespace stash::controller {

/// What the pod that has it told; nullopt while there is none.
std::optional<api::HostStats> upkeep_entry(const HostObjects& objects);

/// All hosts have ended. True: the upkeep goes on, and the session waits for it. It is given to another host when its
/// pod vanishes or has other work, and given up when the session is `late`, when its pod stalls, or when no pod takes
/// it.
bool waits_for_upkeep(SessionDecision& decision, bool late);

}  // namespace stash::controller
