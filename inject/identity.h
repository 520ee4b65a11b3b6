#pragma once
#include <string_view>
#include <vector>

#include "api/shared_types.h"
#include "inject/pod_policy.h"

/// As whom our containers run (docs/decisions): whoever may read the data, with no more rights than that takes.
namespace stash::inject {

/// The user and group of the first container that mounts the first of `mounts`; else 65535 in a pod that must not run
/// as root; else root with DAC_OVERRIDE. Over that are laid the `wishes` of runtimeSettings; who wishes no more than
/// not to be root is no root. Without wishes it always passes Pod Security "baseline", and "restricted" in such a pod.
Json sidecar_security_context(const Json& workload, const std::vector<api::VolumeMount>& mounts, PodSecurity level,
                              const Json& wishes);

/// Root with what it takes to restore owners, modes and devices; where Pod Security is "restricted", or it is not to be
/// root, as the sidecar.
Json init_container_security_context(const Json& workload, const std::vector<api::VolumeMount>& mounts,
                                     PodSecurity level, const Json& wishes);

}  // namespace stash::inject
