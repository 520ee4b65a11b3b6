#include "sidecar/mounted_paths.h"

#include <algorithm>

#include "sidecar/restic_command.h"
#include "sidecar/restic_output.h"

namespace stash::sidecar {

std::vector<std::string> mounted_paths(const std::vector<api::VolumeMount>& mounts) {
  std::vector<std::string> mounted;
  mounted.reserve(mounts.size());
  for (const api::VolumeMount& mount : mounts) {
    // No path, as an empty one, is a mount of nothing: taken as it is, it would be a prefix of all.
    if (auto path = clean_path(mount.mount_path)) mounted.push_back(*std::move(path));
  }
  return mounted;
}

bool is_mounted(std::string_view path, const std::vector<std::string>& mounted) {
  return std::ranges::any_of(mounted,
                             [path](const std::string& mount) { return path == mount || is_above(mount, path); });
}

}  // namespace stash::sidecar
