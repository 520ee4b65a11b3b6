#pragma once
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "api/backend_place.h"
#include "api/backup_session.h"
#include "api/shared_types.h"
#include "base/time.h"
#include "sidecar/restic_error.h"
#include "sidecar/restic_output.h"
#include "sidecar/upkeep.h"

/// The order of one host's backup, as a pure function: the edge asks for the next step, runs it, notes its outcome here
/// and asks again. What a step costs or how it is run is none of its business.
namespace stash::sidecar {

/// One path of the target.
struct PathProgress {
  std::string path;
  bool exists = true;
  /// The newest snapshot that carries this session's tag; unset until asked for, "" when there is none.
  std::optional<std::string> earlier_snapshot;
  bool earlier_is_incomplete = false;            ///< it is tagged so, or the host's entry names it
  bool earlier_is_first = false;                 ///< it has no parent: all of its files are new
  std::optional<BackupSummary> earlier_summary;  ///< as restic keeps it with the snapshot, if it does
  std::optional<api::SnapshotStats> snapshot;    ///< done
  BackupSummary summary;                         ///< of that snapshot
  bool has_entries = true;                       ///< anything but directories lies below it
  /// Ids of snapshots that lack files, and nothing in the repository says so yet: the one above, or one that an
  /// earlier pod of this session took.
  std::vector<std::string> unmarked;
  friend bool operator==(const PathProgress&, const PathProgress&) = default;
};

enum class RepositoryState { unknown, present, absent };
enum class HookState { none, due, done };

/// What one run does of a session's work on its host.
enum class Part {
  all,
  backup,  ///< the upkeep is given to one of the hosts when all have ended
  upkeep,  ///< and nothing else
};

struct BackupProgress {
  std::string host;
  std::string session_tag;  ///< on every snapshot of the session, whichever host's
  Part part = Part::all;
  std::vector<PathProgress> paths;
  RepositoryState repository = RepositoryState::unknown;
  /// The Repository's status: when it held a first successful backup and, should none have succeeded before, a first
  /// snapshot; if ever. A repository that held one is never initialised again.
  std::optional<TimePoint> first_backup, first_snapshot;
  std::string location;
  api::Sharing sharing = api::Sharing::all;
  bool init_claimed = false;  ///< the Repository's status says that a pod is making it
  std::string leave_init;     ///< why others shall make the repository and not we; "" for none
  api::RetentionPolicy retention;
  bool allow_empty = false;  ///< annotation allow-empty of the BackupConfiguration
  bool check_due = false;
  std::optional<TimePoint> last_check;  ///< the Repository's status: when the last check was
  bool known_damaged = false;           ///< the Repository's status: what it found
  /// The hook before may make the paths, so they are judged after it; the hook after is run whatever came before it.
  HookState hook_before = HookState::none, hook_after = HookState::none;
  std::string hook_after_policy;
  int retries_left = 0;

  Upkeep upkeep;
  std::optional<bool> intact;              ///< outcome of the check
  std::optional<ForgetOutcome> forgotten;  ///< also set by counting, when there is no keep rule
  std::optional<std::uint64_t> size;
  /// Of the steps after the snapshots. They fail no host: its snapshots exist.
  struct Shortcoming {
    std::string reason;  ///< of the event
    std::string sentence;
    friend bool operator==(const Shortcoming&, const Shortcoming&) = default;
  };
  std::vector<Shortcoming> shortcomings;
  bool checked = false, forget_done = false, stats_done = false;

  /// Ids of snapshots that lack files, as the host's entry in the session names them: tagging one needs the repository
  /// for itself and may come too late, so the next pod must know of it without the tag.
  std::vector<std::string> told_incomplete;
  bool stopped = false;       ///< the pod, when nothing but upkeep was left
  bool leave_upkeep = false;  ///< to the next session

  std::string error;      ///< once set, the host has failed and no more snapshots are taken
  bool unusable = false;  ///< that is because of the repository: whatever else is tried there would fail too
};

struct BackupStep {
  enum class Kind {
    find_repository,
    init,
    hook_before,    ///< then look at the paths again
    find_snapshot,  ///< of `path`, by this session's tag
    adopt,          ///< the snapshot found: see that it is complete
    back_up,
    tell_incomplete,  ///< to the pod that takes the host after us, should we not come to tag that snapshot
    mark_incomplete,  ///< so that no restore takes that snapshot for the latest good one
    hook_after,       ///< right after the last snapshot: what else restic does needs no application that stands still
    tell,             ///< how the snapshots came out; who else has told decides about the upkeep
    wait,             ///< for pods to take the other hosts; then tell once more
    check,
    forget,
    count_snapshots,  ///< in place of forget
    stats,
    finish,
  };
  Kind kind = Kind::finish;
  std::size_t path = 0;  ///< index, where the kind is about one
  friend bool operator==(const BackupStep&, const BackupStep&) = default;
};

/// The restic command of the step, or what else it is, as users know it.
std::string_view to_string(BackupStep::Kind kind);

/// Total: every progress has a next step. Sets `error` of missing paths and of a repository that must not be made
/// again.
BackupStep next_step(BackupProgress& progress);

/// Notes what `back_up` or `adopt` came to: a summary of restic, or a failure, or both (exit 3).
void note_backup(BackupProgress& progress, std::size_t path, const std::optional<BackupSummary>& summary,
                 const std::optional<ResticFailure>& failure, const UnreadableFiles& unreadable);

/// All snapshots of this host and session that are known to lack files and may have no tag.
std::vector<std::string> incomplete_snapshots(const BackupProgress& progress);

/// Notes the newest snapshot that carries this session's tag; nullptr: there is none.
void note_earlier(BackupProgress& progress, std::size_t path, const Snapshot* snapshot);

/// The same as note_backup for such a snapshot, whose status was never written: `summary` is of a dry run, which says
/// what the source holds now and whether all of it can be read, but not what was uploaded then, nor how many files were
/// new. Where restic kept no summary with the snapshot, what is not known stays empty or 0.
void note_adoption(BackupProgress& progress, std::size_t path, std::optional<BackupSummary> summary,
                   const std::optional<ResticFailure>& failure, const UnreadableFiles& unreadable);

/// The id of the first unmarked snapshot of the path now that it is tagged, or why it is not.
void note_mark(BackupProgress& progress, std::size_t path, const std::expected<std::string, ResticFailure>& id);

/// "" when it succeeded, else a sentence. The host has failed then, but keeps the snapshots it has.
void note_hook_before(BackupProgress& progress, const std::string& problem);
void note_hook_after(BackupProgress& progress, const std::string& problem);

/// The pod is being stopped. True: nothing of the backup itself is left to do, so its result is told with the upkeep
/// that is left to the next session, instead of the host being given back. A backup that failed is better repeated.
bool end_without_upkeep(BackupProgress& progress);

// Reasons of shortcomings, and of the conditions that they become (Stash, except the size).
inline constexpr std::string_view kFailedToVerify = "FailedToVerifyRepositoryIntegrity";
inline constexpr std::string_view kFailedToApply = "FailedToApplyRetentionPolicy";
/// The sentence of that reason; "" when there is none.
std::string shortcoming(const BackupProgress& progress, std::string_view reason);

/// The upkeep that falls to a host which failed cannot even begin.
void note_left_upkeep(BackupProgress& progress, const std::string& why);

/// What `check`, `forget` (or counting) and `stats` came to; a failure becomes a shortcoming.
/// By this check or, where it could not be made, by the last one.
bool is_known_damaged(const BackupProgress& progress);
void note_check(BackupProgress& progress, const std::expected<bool, ResticFailure>& intact);
void note_forget(BackupProgress& progress, const std::expected<ForgetOutcome, ResticFailure>& outcome);
void note_stats(BackupProgress& progress, const std::expected<std::uint64_t, ResticFailure>& size);

/// It has fallen to this host: of several, once it is known to be the last.
bool is_upkeep_ours(const BackupProgress& progress);

/// The hosts that `forget` is about, empty for the whole repository.
std::vector<std::string> hosts_to_forget(const BackupProgress& progress);

}  // namespace stash::sidecar
