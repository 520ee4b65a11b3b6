#pragma once
#include <string>

#include "sidecar/claim.h"
#include "sidecar/restic_command.h"

namespace stash::sidecar {

/// This process' environment as pairs.
Environment own_environment();
/// "" when it is not set.
std::string variable(const Environment& environment, std::string_view name);

/// POD_NAME, POD_UID, NODE_NAME, and the namespace: POD_NAMESPACE, else KUBE_NAMESPACE (Stash), else `fallback`.
/// Error invalid: names what is missing; without name and UID nothing can be claimed.
Result<PodIdentity> identity_from(const Environment& environment, const std::string& fallback_namespace);

/// Whether gethostname() is the pod's name, so that it is nobody else's (hostNetwork and spec.hostname change it).
bool host_name_is(const std::string& pod_name);

}  // namespace stash::sidecar
