#pragma once
#include <string>

#include "sidecar/claim.h"

namespace stash::sidecar {

/// How often the container may end in the middle of one piece of work. Nodes are rebooted, and sidecars killed for
/// others' sake. But a kernel that ends all of a container for want of memory leaves nobody who could say so, and the
/// next container would begin the same, and freeze the application for it, until the session's time is up.
inline constexpr int kRestarts = 3;

/// Why work that has reached the limit is given up; `work` completes "in the middle of".
std::string too_many_restarts(const PodIdentity& pod, int restarts, const std::string& work);

}  // namespace stash::sidecar
