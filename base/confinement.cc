#include "base/confinement.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace stash {
namespace {

// Linux 5.13 has the first version, which forbids every hard link into another directory.
constexpr long kLeastVersion = 2;
constexpr long kTruncateVersion = 3;
constexpr std::uint64_t kTruncate = 1ULL << 14;  // newer than this system's headers
constexpr std::uint64_t kOfFiles = LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr std::uint64_t kOfDirectories = LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                         LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                         LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                                         LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                                         LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;

/// False: what is there would be forbidden although it should not.
bool allow(int ruleset, const std::string& path, std::uint64_t of_files) {
  landlock_path_beneath_attr rule{};
  rule.parent_fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (rule.parent_fd < 0) return errno == ENOENT || errno == ENOTDIR;
  struct stat found{};
  bool allowed = ::fstat(rule.parent_fd, &found) == 0;
  rule.allowed_access = S_ISDIR(found.st_mode) ? of_files | kOfDirectories : of_files;
  allowed = allowed && ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
  ::close(rule.parent_fd);
  return allowed;
}

}  // namespace

Confinement::Confinement(const std::vector<std::string>& writable) {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < kLeastVersion) return;
  const std::uint64_t of_files = version < kTruncateVersion ? kOfFiles : kOfFiles | kTruncate;
  landlock_ruleset_attr handled{};
  handled.handled_access_fs = of_files | kOfDirectories;
  const int made = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0));
  if (made < 0) return;
  // A child replaces its standard streams before it enters.
  ruleset_ = ::fcntl(made, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  ::close(made);
  bool complete = ruleset_ >= 0 && allow(ruleset_, "/dev/null", of_files);
  for (const std::string& path : writable) complete = complete && allow(ruleset_, path, of_files);
  if (!complete) close();
}

Confinement::~Confinement() { close(); }

void Confinement::close() {
  if (ruleset_ >= 0) ::close(ruleset_);
  ruleset_ = -1;
}

bool Confinement::enter() const {
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::syscall(SYS_landlock_restrict_self, ruleset_, 0) == 0;
}

}  // namespace stash
