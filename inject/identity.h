#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "api/shared_types.h"
#include "inject/pod_policy.h"

/// As whom our containers run (docs/decisions): whoever may read the data, with no more rights than that takes.
namespace stash::inject {

struct Identity {
  enum class Powers {
    none,
    read_all,     ///< DAC_OVERRIDE
    restore_all,  ///< what it takes to restore owners, modes and devices
  };
  std::int64_t user = 0;  ///< 0: root
  std::optional<std::int64_t> group;
  Powers powers = Powers::none;
  friend bool operator==(const Identity&, const Identity&) = default;
};

/// The user and group of the first container that mounts the first of `mounts`; else 65535 in a pod that must not run
/// as root; else root with DAC_OVERRIDE. `wishes` (runtimeSettings) count where they say no more than not to be root.
Identity sidecar_identity(const PodTemplate& pod, const std::vector<api::VolumeMount>& mounts, PodSecurity level,
                          const Json& wishes);

/// Root with what a restore takes; where Pod Security is "restricted", or it is not to be root, as the sidecar.
Identity init_container_identity(const PodTemplate& pod, const std::vector<api::VolumeMount>& mounts, PodSecurity level,
                                 const Json& wishes);

/// With the `wishes` laid over it. Without any it always passes Pod Security "baseline", and "restricted" where the
/// identity was asked for in such a pod.
Json security_context(const Identity& identity, const Json& wishes);

}  // namespace stash::inject
