#include "sidecar/directory_times.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/log.h"

namespace stash::sidecar {

DirectoryTimes::DirectoryTimes(const std::vector<std::string>& paths) {
  std::set<std::string> above;
  for (std::string path : paths) {
    while (!path.empty()) {
      path.resize(std::max<std::size_t>(path.rfind('/'), 0));
      if (!path.empty()) above.insert(path);
    }
  }
  // A path that is itself restored changes on purpose, also when it lies above another one.
  for (const std::string& path : paths) above.erase(path);
  for (auto path = above.rbegin(); path != above.rend(); ++path) {
    Directory directory{*path, {}};
    if (::lstat(path->c_str(), &directory.before) == 0 && S_ISDIR(directory.before.st_mode)) {
      directories_.push_back(std::move(directory));
    }
  }
}

void DirectoryTimes::put_back() const {
  for (const auto& [path, before] : directories_) {
    struct stat now{};
    if (::lstat(path.c_str(), &now) != 0) continue;
    bool failed = false;
    if (now.st_uid != before.st_uid || now.st_gid != before.st_gid) {
      failed |= ::lchown(path.c_str(), before.st_uid, before.st_gid) != 0;
    }
    if (now.st_mode != before.st_mode) failed |= ::chmod(path.c_str(), before.st_mode & 07777) != 0;
    if (now.st_mtim.tv_sec != before.st_mtim.tv_sec || now.st_mtim.tv_nsec != before.st_mtim.tv_nsec) {
      const std::array<timespec, 2> times{before.st_atim, before.st_mtim};
      failed |= ::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0;
    }
    if (failed) log_warning("the owner, mode or times of {} could not be put back after the restore", path);
  }
}

}  // namespace stash::sidecar
