#include "sidecar/half_made.h"

#include <set>
#include <thread>

#include "base/log.h"

namespace stash::sidecar {
namespace {

namespace fs = std::filesystem;

/// Whether a file lies at or below it. When in doubt it does.
bool holds_files(const fs::path& directory) {
  std::error_code problem;
  if (fs::symlink_status(directory, problem).type() == fs::file_type::not_found) return false;
  for (fs::recursive_directory_iterator entry(directory, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    if (!entry->is_directory(problem)) return true;
  }
  return static_cast<bool>(problem);
}

std::set<fs::path> keys_of(const fs::path& location) {
  std::set<fs::path> keys;
  std::error_code problem;
  for (fs::directory_iterator entry(location / "keys", problem), end; !problem && entry != end;
       entry.increment(problem)) {
    keys.insert(entry->path());
  }
  return keys;
}

}  // namespace

bool is_half_made(const fs::path& location) {
  std::error_code problem;
  if (fs::symlink_status(location / "config", problem).type() != fs::file_type::not_found) return false;
  for (const char* part : {"data", "index", "snapshots"}) {
    if (holds_files(location / part)) return false;
  }
  return !keys_of(location).empty();
}

void clear_half_made(const fs::path& location, std::chrono::milliseconds settle, std::chrono::milliseconds tick,
                     const GoOn& go_on) {
  if (!is_half_made(location)) return;
  const std::set<fs::path> keys = keys_of(location);
  const auto end = std::chrono::steady_clock::now() + settle;
  while (std::chrono::steady_clock::now() < end) {
    if (!go_on()) return;
    std::this_thread::sleep_for(tick);
    if (!is_half_made(location) || keys_of(location) != keys) return;
  }
  for (const fs::path& key : keys) {
    std::error_code problem;
    fs::remove(key, problem);
    if (problem) log_warning("{} stays: {}", key.string(), problem.message());
  }
  log_info("{} held the key of a repository whose making was interrupted, and nothing else: it is made anew",
           location.string());
}

}  // namespace stash::sidecar
