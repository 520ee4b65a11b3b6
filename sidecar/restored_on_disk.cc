#include "sidecar/restored_on_disk.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

namespace stash::sidecar {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto kLongestLook = 1s;

}  // namespace

RestoredOnDisk::RestoredOnDisk(std::vector<std::string> paths, ResticStatus total, std::chrono::milliseconds pause)
    : paths_(std::move(paths)), total_(total), begun_(std::time(nullptr)), pause_(pause), next_(Clock::now() + pause) {}

std::optional<ResticStatus> RestoredOnDisk::look() {
  const auto start = Clock::now();
  if (too_many_ || start < next_) return std::nullopt;
  ResticStatus status = total_;
  for (const std::string& path : paths_) {
    std::error_code problem;
    // Files vanish and are renamed while it looks; what cannot be seen is not counted.
    for (fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied, problem), end;
         !problem && entry != end; entry.increment(problem)) {
      struct stat found{};
      if (::lstat(entry->path().c_str(), &found) != 0 || S_ISDIR(found.st_mode) || found.st_ctim.tv_sec < begun_)
        continue;
      ++status.files_done;
      if (S_ISREG(found.st_mode)) status.bytes_done += static_cast<std::uint64_t>(found.st_size);
      if (status.files_done % 1024 == 0 && Clock::now() - start > kLongestLook) {
        too_many_ = true;
        return std::nullopt;
      }
    }
  }
  next_ = Clock::now() + std::max<Clock::duration>(pause_, 20 * (Clock::now() - start));
  return status;
}

}  // namespace stash::sidecar
