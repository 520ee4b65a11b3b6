#include "base/text.h"
#include "sidecar/restic.h"

/// The locks of a repository, as people see and remove them.
namespace stash::sidecar {

ResticResult<std::vector<RepositoryLock>> Restic::locks() {
  const auto listed = run_once(list_locks_arguments(), {});
  if (!listed) return std::unexpected(listed.error());
  if (listed->exit_code != 0) return std::unexpected(failure_of(*listed));
  std::vector<RepositoryLock> locks;
  for (const std::string_view line : split(listed->output, '\n')) {
    const std::string id(trimmed(line));
    if (id.size() != 64 || id.find_first_not_of("0123456789abcdef") != std::string::npos) continue;
    const auto read = run_once(lock_arguments(id), {});
    if (!read) return std::unexpected(read.error());
    if (read->stopped) return std::unexpected(failure_of(*read));
    if (read->exit_code != 0) continue;
    const auto lock = parse_lock(id, read->output);
    if (!lock) return std::unexpected(ResticFailure{ResticCause::unknown, lock.error().message});
    locks.push_back(*lock);
  }
  return locks;
}

ResticResult<void> Restic::unlock() {
  const auto run = run_once(unlock_arguments(), {});
  if (!run) return std::unexpected(run.error());
  if (run->exit_code != 0 || run->stopped) return std::unexpected(failure_of(*run));
  return {};
}

}  // namespace stash::sidecar
