#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "sidecar/backup_plan.h"

namespace stash::sidecar {

/// What there is at the paths to back up, each cleaned. Looks through directories until it meets a file. Error invalid:
/// a path that is not absolute.
Result<std::vector<PathProgress>> look_at_paths(const std::vector<std::string>& paths);

/// Error invalid when a path leads out of all volumes, by a slip of the pen or by a symbolic link: what is there is
/// part of our own image, and a backup of it is none of the application.
Result<void> check_inside_mounts(const std::vector<PathProgress>& paths, const std::vector<api::VolumeMount>& mounts);

}  // namespace stash::sidecar
