#pragma once
#include <string>

#include "sidecar/context.h"

namespace stash::sidecar {

/// `stash run-backup`: the sidecar. Watches the sessions of one BackupConfiguration and backs this pod's host up for
/// each that waits for it. One thread; at rest one watch and no writes. Returns on SIGTERM only: whatever is missing
/// (API server, rights, the BackupConfiguration itself) is waited for and logged, for an exiting container would
/// restart the pod's.
void run_backup(Context& context, const std::string& configuration);

}  // namespace stash::sidecar
