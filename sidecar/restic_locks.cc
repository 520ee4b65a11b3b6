#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "sidecar/first_contact.h"
#include "sidecar/restic.h"

/// The locks of a repository: which of them go, and how people see them (docs/decisions/0030, 0045).
namespace stash::sidecar {

namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr std::size_t kShownDigits = 8;
// restic says stale after 30 minutes. Where clocks agree, a lock that lives is never older than some five.
constexpr std::chrono::minutes kDoubtful{25};
constexpr std::string_view kOwnLock = "it is this pod's own, and that process has ended";

/// Whether a process of this number runs restic here, as far as can be seen. One that has ended keeps its number and
/// its name until its parent has asked how.
bool is_restic(int pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(file, line)) return false;
  constexpr std::string_view kName = "(restic) ";
  const auto name = line.find(kName);
  const char state = name == std::string::npos || name + kName.size() == line.size() ? 'X' : line[name + kName.size()];
  return state != 'Z' && state != 'X';
}

std::string goes_too(const RepositoryLock& lock) {
  return fmt::format(
      "the lock {} of {} would go with it, which is of {} by its owner's clock, and nobody knows yet that it stands "
      "still; if its owner lives, set the clock of that node",
      lock.owner.lock.substr(0, kShownDigits), lock.owner.host, format_time(lock.time));
}

std::optional<fs::path> only_file(const fs::path& directory, const std::string& beginning) {
  std::optional<fs::path> found;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(directory, problem)) {
    if (!entry.path().filename().string().starts_with(beginning)) continue;
    if (found) return std::nullopt;
    found = entry.path();
  }
  return found;
}

}  // namespace

/// We run one restic at a time, and none now. What a person has started here, as for a download, has our user and our
/// host name, and is alive as long as its process is.
bool Restic::is_ours_and_dead(const LockOwner& owner) const {
  const std::string &user = place_.settings.user, &host = place_.own_host_name;
  const bool ours = (!user.empty() && owner.user == user) || (!host.empty() && owner.host == host);
  return ours && !is_restic(owner.pid);
}

// No restic command removes one lock and no other, so this can be done only where a lock is a file of ours. Its name is
// the hash of its content: a living owner never has a file of this name, whatever it does meanwhile.
bool Restic::remove_dead_lock(const Run& run) {
  const auto owner = parse_lock_owner(run.standard_error);
  if (!owner || !local_) return false;
  const bool ours = is_ours_and_dead(*owner);
  if (!ours && !(place_.dead_owners && is_dead(*owner, place_.dead_owners()))) return false;
  return remove_lock(*owner, ours ? kOwnLock : "that pod is gone");
}

bool Restic::remove_lock(const LockOwner& owner, std::string_view why) {
  const auto path = only_file(fs::path(call_.location) / "locks", owner.lock);
  if (!path) return false;
  std::error_code problem;
  fs::remove(*path, problem);
  if (problem) {
    log_warning("the lock {} of {}, which is gone, could not be removed: {}", owner.lock, owner.host,
                problem.message());
    return false;
  }
  log_warning("removed the lock {} of process {} in pod {}: {}", owner.lock, owner.pid, owner.host, why);
  return true;
}

void Restic::remove_own_locks() {
  if (!local_ && place_.own_host_name.empty()) return;
  std::error_code unreadable;
  if (local_ && fs::directory_iterator(fs::path(call_.location) / "locks", unreadable) == fs::directory_iterator())
    return;
  const auto found = locks();
  if (!found) return log_warning("listing locks: {}", found.error().sentence);
  bool any = false;
  for (const RepositoryLock& lock : *found) {
    if (!is_ours_and_dead(lock.owner)) continue;
    any = true;
    if (local_) remove_lock(lock.owner, kOwnLock);
  }
  if (local_ || !any) return;
  const auto in_doubt = [this](const RepositoryLock& lock) {
    return looks_stale(lock) && !is_unchanged(lock.owner.lock);
  };
  if (const auto other = std::ranges::find_if(*found, in_doubt); other != found->end()) {
    log_warning("what an earlier container left stays: {}", goes_too(*other));
    return;
  }
  if (const auto unlocked = unlock(); !unlocked) log_warning("restic unlock: {}", unlocked.error().sentence);
}

bool Restic::is_unchanged(const std::string& lock) {
  const auto now = steady_clock::now();
  // restic's messages have the beginning only.
  return now - met_.try_emplace(lock.substr(0, kShownDigits), now).first->second >= place_.patience.lock_unchanged;
}

bool Restic::looks_stale(const RepositoryLock& lock) const {
  return system_clock().now() - lock.time > kDoubtful && !is_ours_and_dead(lock.owner);
}

// `restic unlock` goes by the owner's clock and by ours, and takes all that are stale. Ours is compared with the API
// server's. The owner's is not known, but an owner that lives would have replaced its lock meanwhile.
bool Restic::remove_stale_locks(const Run& run) {
  if (place_.own_host_name.empty()) return false;
  const auto owner = parse_lock_owner(run.standard_error);
  if (!owner) return false;
  const auto unlocked = unlock_if_stale(*owner);
  // A lock that restic does not take for stale is still there.
  if (unlocked) return *unlocked && unlocked_for_.insert(owner->lock).second;
  const std::string& why = unlocked.error().sentence;
  if (unlocked.error().cause != ResticCause::interrupted && why != why_locks_stay_) {
    log_warning("the lock {} of {} stays: {}", owner->lock, owner->host, why);
    why_locks_stay_ = why;
  }
  return false;
}

ResticResult<bool> Restic::unlock_if_stale(const LockOwner& owner) {
  TRY(const auto ids, lock_ids());
  std::vector<std::string> fresh;
  for (const std::string& id : ids) {
    if (!is_unchanged(id)) fresh.push_back(id);
  }
  if (!is_unchanged(owner.lock) && !is_ours_and_dead(owner)) return false;
  for (const std::string& id : fresh) {
    TRY(const auto lock, read_lock(id));
    if (lock && looks_stale(*lock)) return std::unexpected(ResticFailure{ResticCause::unknown, goes_too(*lock)});
  }
  TRY_VOID(unlock());
  return true;
}

ResticResult<std::vector<std::string>> Restic::lock_ids() {
  const auto listed = run_once(list_locks_arguments(), {});
  if (!listed) return std::unexpected(listed.error());
  if (listed->exit_code != 0) return std::unexpected(failure_of(*listed));
  std::vector<std::string> ids;
  for (const std::string_view line : split(listed->output, '\n')) {
    const std::string_view id = trimmed(line);
    if (id.size() == 64 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos) ids.emplace_back(id);
  }
  return ids;
}

ResticResult<std::optional<RepositoryLock>> Restic::read_lock(const std::string& id) {
  FirstContact contact(place_.patience, false, FirstContact::With::what_others_remove);
  const auto read = run_once(lock_arguments(id), {}, &contact);
  if (!read) return std::unexpected(read.error());
  if (read->stopped) return std::unexpected(failure_of(*read));
  if (read->exit_code != 0) return std::nullopt;
  auto lock = parse_lock(id, read->output);
  if (!lock) return std::unexpected(ResticFailure{ResticCause::unknown, lock.error().message});
  return *std::move(lock);
}

ResticResult<std::vector<RepositoryLock>> Restic::locks() {
  const auto ids = lock_ids();
  if (!ids) return std::unexpected(ids.error());
  std::vector<RepositoryLock> locks;
  for (const std::string& id : *ids) {
    auto lock = read_lock(id);
    if (!lock) return std::unexpected(lock.error());
    if (*lock) locks.push_back(**std::move(lock));
  }
  return locks;
}

ResticResult<void> Restic::unlock() {
  const auto skew = place_.clock_skew ? place_.clock_skew() : std::nullopt;
  if (auto doubt = clock_doubt(skew)) return std::unexpected(ResticFailure{ResticCause::unknown, *std::move(doubt)});
  const auto run = run_once(unlock_arguments(), {});
  if (!run) return std::unexpected(run.error());
  if (run->exit_code != 0 || run->stopped) return std::unexpected(failure_of(*run));
  return {};
}

}  // namespace stash::sidecar
