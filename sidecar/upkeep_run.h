#pragma once
#include "api/backup_configuration.h"
#include "sidecar/backup_session_run.h"

namespace stash::sidecar {

/// Claims `next`, which is the upkeep of the repository after the session, and does it: check, forget with prune,
/// measure. As run_backup_session; the outcome fails no host.
Result<bool> run_session_upkeep(Context& context, BackupMemory& memory, const api::BackupConfiguration& configuration,
                                const Json& session, const NextSession& next, const std::string& host);

}  // namespace stash::sidecar
