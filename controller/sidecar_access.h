#pragma once
#include <string>

#include "api/workload_kind.h"
#include "base/json.h"
#include "inject/decision.h"

namespace stash::controller {

/// A Role and its RoleBinding in the workload's namespace, owned by the workload, for the ServiceAccount of its pods.
struct Access {
  Json role, role_binding;
};

/// What the sidecar may: follow the sessions of its namespace and write results into them, read its own
/// BackupConfiguration and Repository, write the figures of that Repository, write events. No Secrets, no pods.
Access sidecar_access(const Json& workload, const api::WorkloadKind& kind, const inject::Desired& desired);
/// The same for the init container and its RestoreSession.
Access restore_access(const Json& workload, const api::WorkloadKind& kind, const inject::Desired& desired);

std::string sidecar_role_name(const api::WorkloadKind& kind, std::string_view workload);
std::string restore_role_name(const api::WorkloadKind& kind, std::string_view workload);

}  // namespace stash::controller
