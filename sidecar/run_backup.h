#pragma once
#include <string>
#include <vector>

#include "sidecar/context.h"

namespace stash::sidecar {

/// `stash run-backup`: the sidecar. Watches the sessions of all BackupConfigurations of its workload and backs this
/// pod's host up for each that waits for it, one after the other, oldest first; one that cannot be worked on keeps none
/// waiting. One thread; at rest one watch and no writes. Returns on SIGTERM only: whatever is missing (API server,
/// rights, a BackupConfiguration itself) is waited for and logged, for an exiting container would restart the pod's.
void run_backup(Context& context, const std::vector<std::string>& configurations);

}  // namespace stash::sidecar
