#pragma once
#include <optional>
#include <set>
#include <string>

#include "sidecar/restic_version.h"

namespace stash::sidecar {

/// What a container remembers from one session to the next.
struct BackupMemory {
  std::optional<ResticVersion> restic;
  std::set<std::string> begun;         ///< UIDs of sessions
  std::set<std::string> upkeep_begun;  ///< UIDs of large sessions whose upkeep this container has begun
  /// UIDs of sessions whose host the controller wanted back: it would want it back again.
  std::set<std::string> wanted_back;
};

}  // namespace stash::sidecar
