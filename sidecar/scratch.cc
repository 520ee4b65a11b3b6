#include "sidecar/scratch.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <vector>

namespace stash::sidecar {
namespace {

namespace fs = std::filesystem;

struct CachedFile {
  timespec modified;
  std::uint64_t size;
  fs::path path;
};

/// A directory that restic is just writing to may change under the walk; what is missed is seen at the next look.
std::vector<CachedFile> files_below(const std::string& directory) {
  std::vector<CachedFile> files;
  std::error_code problem;
  fs::recursive_directory_iterator entry(directory, fs::directory_options::skip_permission_denied, problem);
  for (; !problem && entry != fs::recursive_directory_iterator(); entry.increment(problem)) {
    struct stat found{};
    if (::lstat(entry->path().c_str(), &found) != 0 || !S_ISREG(found.st_mode)) continue;
    files.push_back({found.st_mtim, static_cast<std::uint64_t>(found.st_blocks) * 512, entry->path()});
  }
  return files;
}

bool is_older(const CachedFile& one, const CachedFile& other) {
  return one.modified.tv_sec != other.modified.tv_sec ? one.modified.tv_sec < other.modified.tv_sec
                                                      : one.modified.tv_nsec < other.modified.tv_nsec;
}

/// Restic tells by this file that a directory is a cache and of which version.
bool is_kept(const fs::path& path) { return path.filename() == "version" || path.filename() == "CACHEDIR.TAG"; }

}  // namespace

void sweep_temporary_files(const std::string& temp_directory, const std::string& cache_directory) {
  std::vector<fs::path> left;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(temp_directory, problem)) left.push_back(entry.path());
  // `restic check` makes itself a cache of its own, beside the lasting one.
  for (const auto& entry : fs::directory_iterator(cache_directory, problem)) {
    if (entry.path().filename().string().starts_with("restic-check-cache-")) left.push_back(entry.path());
  }
  for (const fs::path& path : left) fs::remove_all(path, problem);
}

std::uint64_t shrink_cache(const std::string& cache_directory, std::uint64_t cap) {
  std::vector<CachedFile> files = files_below(cache_directory);
  std::uint64_t size = 0;
  for (const CachedFile& file : files) size += file.size;
  if (size <= cap) return 0;
  std::ranges::sort(files, is_older);
  std::uint64_t gone = 0;
  for (const CachedFile& file : files) {
    if (size - gone <= cap / 2) break;
    std::error_code problem;
    if (!is_kept(file.path) && fs::remove(file.path, problem)) gone += file.size;
  }
  return gone;
}

}  // namespace stash::sidecar
