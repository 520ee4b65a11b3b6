#pragma once
#include "controller/cluster.h"
#include "kube/api.h"

namespace stash::controller {

/// Starts the exec hooks that `session` asks for, and waits for none. The pods are read from the API server itself, not
/// from anybody's memory.
Result<void> start_hooks(Cluster& cluster, kube::Api& api, const Json& session,
                         const std::optional<api::BackupConfiguration>& configuration);

}  // namespace stash::controller
