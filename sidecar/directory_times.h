#pragma once
#include <sys/stat.h>

#include <string>
#include <vector>

namespace stash::sidecar {

/// Remembers owner, mode and times of all directories above `paths`, to put them back after a restore: restic sets them
/// from the snapshot (since 0.11), and they are not what was asked for.
/// https://github.com/restic/restic/blob/master/CHANGELOG.md (Bugfix #1212)
class DirectoryTimes {
 public:
  explicit DirectoryTimes(const std::vector<std::string>& paths);
  /// Best effort: what was changed could be changed, so it can be changed back.
  void put_back() const;

 private:
  struct Directory {
    std::string path;
    struct stat before;
  };
  std::vector<Directory> directories_;  ///< deepest first
};

}  // namespace stash::sidecar
