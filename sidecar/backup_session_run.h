#pragma once
#include <string>

#include "api/backup_configuration.h"
#include "sidecar/backup_memory.h"
#include "sidecar/host_status.h"
#include "sidecar/session_queue.h"

namespace stash::sidecar {

/// Claims `next` and backs its host up, with all that follows: Repository status, host result, events, metrics. Returns
/// when the session needs nothing more from this pod; a failed backup is no error. Errors: the claim could not be
/// written (conflict: another pod was faster). Blocks for as long as it takes; on SIGTERM restic is interrupted and the
/// host given back. False: it was given back or taken away, or has no result, as that could not be written.
Result<bool> run_backup_session(Context& context, BackupMemory& memory, const api::BackupConfiguration& configuration,
                                const Json& session, const NextSession& next, const std::string& host);

}  // namespace stash::sidecar
