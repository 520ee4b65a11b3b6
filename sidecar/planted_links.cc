#include "sidecar/planted_links.h"

#include <filesystem>

#include "sidecar/restic_output.h"

namespace stash::sidecar {

namespace {

namespace fs = std::filesystem;

void add_below(const std::string& root, std::set<std::string>& links) {
  std::error_code problem;
  if (!fs::is_directory(fs::symlink_status(root, problem))) return;
  constexpr auto kAll = fs::directory_options::skip_permission_denied;
  for (auto entry = fs::recursive_directory_iterator(root, kAll, problem);
       !problem && entry != fs::recursive_directory_iterator(); entry.increment(problem)) {
    if (entry->is_symlink(problem)) links.insert(entry->path());
    problem.clear();
  }
}

/// The path itself and what is above it, down from the volume's own directory.
void add_above(const std::string& path, const std::string& mount, std::set<std::string>& links) {
  std::error_code problem;
  for (fs::path part = path; is_above(mount, part.string()); part = part.parent_path()) {
    if (fs::is_symlink(fs::symlink_status(part, problem))) links.insert(part);
  }
}

}  // namespace

std::set<std::string> links_in_the_way(const std::vector<std::string>& paths, const std::vector<std::string>& mounted) {
  std::set<std::string> links;
  for (const std::string& path : paths) {
    bool is_above_a_volume = false;
    for (const std::string& mount : mounted) {
      if (is_above(path, mount)) {
        is_above_a_volume = true;
        add_below(mount, links);
      } else {
        add_above(path, mount, links);
      }
    }
    if (!is_above_a_volume) add_below(path, links);
  }
  return links;
}

}  // namespace stash::sidecar
