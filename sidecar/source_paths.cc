#include "sidecar/source_paths.h"

#include <fmt/format.h>

#include <filesystem>

#include "sidecar/mounted_paths.h"
#include "sidecar/restic_command.h"

namespace stash::sidecar {

namespace {

namespace fs = std::filesystem;

/// Directories at most, all the way down. What cannot be looked into counts as not empty: restic will name it.
bool is_empty_tree(const fs::path& root) {
  std::error_code problem;
  if (!fs::is_directory(fs::symlink_status(root, problem))) return false;
  fs::recursive_directory_iterator entry(root, problem);
  while (!problem && entry != fs::recursive_directory_iterator()) {
    if (!fs::is_directory(entry->symlink_status(problem))) return false;
    entry.increment(problem);
  }
  return !problem;
}

/// Symbolic links followed as far as they exist.
std::string resolved(const std::string& path) {
  std::error_code problem;
  const fs::path real = fs::weakly_canonical(path, problem);
  return problem ? path : real.string();
}

}  // namespace

Result<std::vector<PathProgress>> look_at_paths(const std::vector<std::string>& paths) {
  std::vector<PathProgress> progress;
  for (const std::string& path : paths) {
    TRY(std::string cleaned, clean_path(path));
    std::error_code problem;
    const bool exists = fs::exists(fs::symlink_status(cleaned, problem));
    const bool has_entries = exists && !is_empty_tree(cleaned);
    progress.push_back({.path = std::move(cleaned), .exists = exists, .has_entries = has_entries});
  }
  return progress;
}

Result<void> check_inside_mounts(const std::vector<PathProgress>& paths, const std::vector<api::VolumeMount>& mounts) {
  const std::vector<std::string> mounted = mounted_paths(mounts);
  std::vector<std::string> real_mounts, outside;
  for (const std::string& mount : mounted) real_mounts.push_back(resolved(mount));
  for (const PathProgress& path : paths) {
    const std::string real = resolved(path.path);
    if (is_mounted(real, real_mounts)) continue;
    outside.push_back(real == path.path ? real : fmt::format("{} (which leads to {})", path.path, real));
  }
  if (outside.empty()) return {};
  return fail(ErrorCode::invalid,
              fmt::format("not in the application's volumes: {}; nothing was backed up. Each of spec.target.paths must "
                          "lie at or below a spec.target.volumeMounts[].mountPath of the BackupConfiguration ({}): "
                          "correct the path, or add the mount",
                          fmt::join(outside, ", "),
                          mounted.empty() ? "it has none" : fmt::format("{}", fmt::join(mounted, ", "))));
}

}  // namespace stash::sidecar
