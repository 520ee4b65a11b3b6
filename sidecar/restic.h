#pragma once
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "sidecar/lock_owner.h"
#include "sidecar/restic_command.h"
#include "sidecar/restic_error.h"
#include "sidecar/restic_output.h"

/// restic as a child process, one call at a time on the calling thread.
namespace stash::sidecar {

template <class T>
using ResticResult = std::expected<T, ResticFailure>;

/// Asked every second while restic runs or a lock is waited for; false interrupts it (SIGINT, so that it removes its
/// lock, then SIGKILL), and the call returns `interrupted`.
using GoOn = std::function<bool()>;

struct ResticPatience {
  std::chrono::milliseconds lock{std::chrono::minutes(10)};  ///< how long others' locks are waited for
  std::chrono::milliseconds lock_retry{5'000};               ///< the first wait; doubles up to a minute
  /// A lock that we have met for that long is not refreshed: a living restic replaces its own every five minutes.
  std::chrono::milliseconds lock_unchanged{std::chrono::minutes(6)};
  std::chrono::milliseconds interrupt{12'000};  ///< between SIGINT and SIGKILL
  std::chrono::milliseconds tick{1'000};
  /// How long the first contact with a backend may fail: restic itself tries again for a quarter of an hour. What no
  /// retry heals (credentials, certificate) ends it at the second time.
  std::chrono::milliseconds contact{60'000};
  std::chrono::milliseconds silence{120'000};  ///< the same when restic has not said a word
  /// What an init left half made belongs to a process that is gone when it has not changed for that long.
  std::chrono::milliseconds half_made{30'000};
  std::chrono::milliseconds cache_look{5'000};  ///< how often its cache is measured while it runs
};

struct ResticPlace {
  ResticSettings settings;
  Environment inherited;  ///< our own environment
  /// This process' host name when no other pod can have it, else "". Only then is a lock with our host name ours, and
  /// restic's rule "same host, no such process: stale" safe to use.
  std::string own_host_name;
  /// Asked when a lock is in the way that is not this pod's own.
  std::function<DeadOwners()> dead_owners;
  /// By how much our clock is ahead of one that the cluster goes by; nullopt, or no function: nobody knows. Locks are
  /// old by our clock, so without this none is (docs/decisions/0045).
  std::function<std::optional<Nanoseconds>()> clock_skew{};
  ResticPatience patience;
};

/// `restic version`. Failure: no such program, one older than 0.14, or junk.
ResticResult<ResticVersion> probe_restic(const ResticPlace& place);

/// All keys of the mounted storage Secret. Empty when the directory is missing or empty (the Secret does not exist
/// yet).
StorageSecret read_secret(const std::string& directory);

/// Told about once a second.
using OnStatus = std::function<void(const ResticStatus&)>;

struct RestoreWatch {
  OnStatus on_status{};  ///< with a restic before 0.17 every ten seconds
  bool whole = false;    ///< nothing of the snapshot is left out: so its size is what there is to do
  bool chooses = false;  ///< somebody wrote include patterns, and asks whether they take anything
};

class Restic {
 public:
  enum class Access { read, write };
  /// Prepares directories and environment; runs nothing. For Access::write, a local repository that this user cannot
  /// write to is a failure at once: restic itself would retry for a quarter of an hour. For Access::read it is used
  /// without a lock.
  static ResticResult<Restic> open(const api::Backend& backend, Access access, const ResticVersion& version,
                                   ResticPlace place, GoOn go_on);

  const std::string& location() const { return call_.location; }

  /// False only when the backend says that there is none, or no such bucket (`init` makes it). A local directory with
  /// snapshots but no config is `damaged`: initialising it would make what is left unreadable. This is the
  /// first contact: it ends within ResticPatience's contact or silence.
  ResticResult<bool> has_repository();
  /// What no retry heals ends it soon; otherwise restic tries as long as it likes. What an earlier one left half made
  /// in a local directory is removed first. In a bucket it cannot be seen.
  ResticResult<void> init();
  ResticResult<std::vector<Snapshot>> snapshots(const std::string& host, const std::string& path,
                                                const std::string& tag);
  ResticResult<std::vector<Snapshot>> snapshot(const std::string& id);

  struct BackupOutcome {
    std::optional<BackupSummary> summary;
    std::optional<ResticFailure> failure;  ///< incomplete: there is a summary as well
    UnreadableFiles unreadable;
  };
  BackupOutcome back_up(const BackupRequest& request, const OnStatus& on_status = {});
  BackupOutcome dry_run(const BackupRequest& request);

  /// Needs the repository for itself, as `remove` does. No failure does not mean success: restic only warns about a
  /// snapshot that it does not find or cannot write. The snapshot has another id afterwards.
  ResticResult<void> add_tag(const std::string& snapshot, std::string_view tag);

  /// False: restic found damage; why is in the log.
  ResticResult<bool> check();
  /// Of the snapshots of `hosts` only, unless it is empty.
  ResticResult<ForgetOutcome> forget(const api::RetentionPolicy& policy, const std::vector<std::string>& hosts = {});
  /// Needs the repository for itself: waits for others' locks as all calls do, then fails.
  ResticResult<void> remove(const std::vector<std::string>& snapshots);
  ResticResult<void> prune();
  /// What the snapshot has at each of those paths: "dir", "file", "symlink", ...; nothing where it has nothing.
  ResticResult<std::map<std::string, std::string>> types_at(const std::string& snapshot,
                                                            const std::set<std::string>& paths);
  ResticResult<std::uint64_t> stats();
  /// Those that can be read: one that goes meanwhile is none.
  ResticResult<std::vector<RepositoryLock>> locks();
  /// What an earlier container of this pod, whose restic was killed, has left there: nobody else has a proof that it is
  /// dead. In a pod whose name another one can have, only where the repository is a volume. Elsewhere none, when that
  /// would take another's with it. Best effort.
  void remove_own_locks();
  /// By restic's own rule for stale locks: only from a pod whose name no other can have. Fails, and removes none, where
  /// our clock cannot be trusted with the age of locks.
  ResticResult<void> unlock();
  /// "dir", "file" or what else restic calls it; "" when the snapshot has nothing at that path.
  ResticResult<std::string> type_at(const std::string& snapshot, const std::string& path);
  /// A directory as a tar archive to `output_fd`. Waits for no lock.
  ResticResult<void> dump(const std::string& snapshot, const std::string& path, int output_fd);
  /// What is there already gives way to what is restored, with every version. `paths` are those that may change;
  /// directories above them keep their owner, mode and times. Unless `volumes` is empty, restic can write below these
  /// alone, where the kernel knows how: neither a symbolic link, which restic before 0.17 follows, nor a forged
  /// snapshot leads it elsewhere. Patterns that a restic before 0.17 is given, and that we cannot judge
  /// (restore_patterns.h), count as taking something.
  /// False: it is asked (RestoreWatch::chooses), and the patterns take nothing of the snapshot.
  ResticResult<bool> restore(const std::string& snapshot, const std::vector<std::string>& include,
                             const std::vector<std::string>& exclude, const std::vector<std::string>& paths,
                             const std::vector<std::string>& volumes, const RestoreWatch& watch = {});

 private:
  struct Run {
    int exit_code = 0;
    bool stopped = false;                ///< by go_on
    bool gave_up = false;                ///< by FirstContact
    std::string output, standard_error;  ///< of the latter the end
    UnreadableFiles unreadable;
  };
  struct Ears {
    std::function<void(std::string_view)> on_line;  ///< of the output, which is not kept then
    std::function<void()> on_tick;
    std::function<void(std::string_view)> on_output;  ///< of the output, in pieces, and none of it to on_line
  };
  class FirstContact;
  Restic(ResticCall call, bool local, ResticVersion version, ResticPlace place, std::vector<std::string> secrets,
         GoOn go_on);

  ResticResult<Run> run_once(const Arguments& arguments, const Ears& ears, FirstContact* contact = nullptr,
                             int output_fd = -1);
  /// Waits while the repository is locked, and removes locks that this pod or a vanished one left behind.
  ResticResult<Run> run(const Arguments& arguments, const Ears& ears = {});
  ResticResult<Run> run_well(const Arguments& arguments);
  template <class T>
  ResticResult<T> run_and_read(const Arguments& arguments, Result<T> (*read)(std::string_view));
  ResticFailure failure_of(const Run& run) const;
  /// Removes the lock that restic has just named if its owner is proven dead. False: wait.
  bool remove_dead_lock(const Run& run);
  bool remove_lock(const LockOwner& owner, std::string_view why);
  bool is_ours_and_dead(const LockOwner& owner) const;
  /// By restic's own rule, if nothing speaks against it (docs/decisions/0045).
  /// True: it has removed what it may, for the first time since it met the lock that restic has just named.
  bool remove_stale_locks(const Run& run);
  ResticResult<bool> unlock_if_stale(const LockOwner& owner);
  /// Whether this very lock was met long enough ago. Now is the first time for one that we do not know.
  bool is_unchanged(const std::string& lock);
  /// Whether restic takes it for stale by its time, or soon will.
  bool looks_stale(const RepositoryLock& lock) const;
  ResticResult<std::vector<std::string>> lock_ids();
  ResticResult<std::optional<RepositoryLock>> read_lock(const std::string& id);  ///< nullopt: it has gone
  bool wait(std::chrono::milliseconds time);
  /// Whether that made room.
  bool shrink_cache(std::uint64_t cap);
  std::vector<std::string> writable_in_restore(const std::vector<std::string>& volumes) const;
  /// Removes what restic before 0.17 stumbles over, and opens what its user has no right to, where it is going to
  /// restore something. As of restore, from a restic that does not tell it itself.
  ResticResult<bool> make_room(const std::string& snapshot, const std::vector<std::string>& include,
                               const std::vector<std::string>& exclude, const std::vector<std::string>& volumes,
                               bool chooses);
  /// `taken` gets the number of files and directories, from a restic that tells it.
  Ears ears_for(const std::string& snapshot, const std::vector<std::string>& paths, const RestoreWatch& watch,
                std::optional<std::uint64_t>& taken);
  BackupOutcome run_backup_command(const Arguments& arguments, const OnStatus& on_status);

  ResticCall call_;
  std::optional<std::vector<std::string>> writable_;  ///< what restic may write to, when not all
  bool local_ = false;
  ResticVersion version_;
  ResticPlace place_;
  std::vector<std::string> secrets_;
  GoOn go_on_;
  std::map<std::string, std::chrono::steady_clock::time_point> met_;  ///< locks, by when they were first in the way
  std::set<std::string> unlocked_for_;  ///< locks that restic named, and `restic unlock` was run then
  std::string why_locks_stay_;          ///< as told last
};

}  // namespace stash::sidecar
