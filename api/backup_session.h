#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"

namespace stash::api {

/// Who works on a host: written by the pod with a compare-and-swap (docs/decisions), judged by the controller.
/// A pod that has, or had, something to do that no other does meanwhile.
struct WorkingPod {
  std::string pod, pod_uid;
  std::optional<TimePoint> heartbeat;  ///< last sign of life
  friend bool operator==(const WorkingPod&, const WorkingPod&) = default;
};

struct Claim {
  std::string pod, pod_uid;
  std::optional<TimePoint> heartbeat;  ///< last sign of progress, written at most every 30 s
  std::string stop;                    ///< why the work is to end early; "": it is not
  int restarts = 0;                    ///< of a backup: how often the pod's container ended in the middle of it
  friend bool operator==(const Claim&, const Claim&) = default;
};

struct FileStats {
  std::int64_t total = 0, fresh = 0, modified = 0,
               unmodified = 0;  ///< totalFiles, newFiles, modifiedFiles, unmodifiedFiles
  friend bool operator==(const FileStats&, const FileStats&) = default;
};

struct SnapshotStats {
  std::string name;          ///< restic's short snapshot id
  std::string path;          ///< read from path or directory; of a restore perhaps several
  std::string total_size{};  ///< formatted; read from totalSize or size, written to both
  std::string uploaded{}, processing_time{};
  std::optional<FileStats> file_stats{};  ///< of a backup
  friend bool operator==(const SnapshotStats&, const SnapshotStats&) = default;
};

/// A hook of a host that the controller runs, because it may run programs in containers and a pod's own account may
/// not: the pod that holds the host writes the request, the controller the outcome.
struct HookStatus {
  std::string action;                  ///< preBackup, postBackup
  std::string phase;                   ///< Requested, Queued, Running, Succeeded, Failed
  std::string error;                   ///< why it failed
  std::optional<TimePoint> requested;  ///< tells two requests for the same hook apart
  std::optional<TimePoint> queued;     ///< when the controller last said that it waits for its turn
  std::string taken_by;                ///< the controller process that took it, to run it; "" for none
  friend bool operator==(const HookStatus&, const HookStatus&) = default;
};

/// How far the work on a host has come, by restic's own numbers or, for a restore by an older restic, by what is on the
/// disk. Written at most every 10 s.
struct Progress {
  std::string step;  ///< "backup /data", "check", "restore /data"
  std::optional<int> percent;
  std::int64_t files_done = 0, files_total = 0;
  std::int64_t bytes_done = 0, bytes_total = 0;  ///< the totals grow while restic looks at what there is
  std::optional<std::int64_t> seconds_remaining;
  friend bool operator==(const Progress&, const Progress&) = default;
};

/// The same over all hosts of a session, as `kubectl get` shows it.
struct SessionProgress {
  std::string hosts;      ///< "1/3": how many have ended
  std::string percent;    ///< "42%"; "" while nothing is known
  std::string bytes;      ///< "1.500 GiB / 3.000 GiB"
  std::string remaining;  ///< "1m10s"
  std::string step;       ///< of the one host that runs, if there is one
  friend bool operator==(const SessionProgress&, const SessionProgress&) = default;
};

/// Host phases: Pending (stamped by the controller), Running (claimed), Succeeded, Failed.
struct HostStats {
  std::string hostname;  ///< key of the list
  std::string phase;
  std::optional<Claim> claim;
  /// What a backup made. Of a restore: name and path of what it takes, written before anything of it is.
  std::vector<SnapshotStats> snapshots;
  std::string duration;  ///< Go duration text
  std::string error;
  int attempts = 0;  ///< of a restore: how often it was begun
  std::optional<HookStatus> hook{};
  /// Of one of several hosts: how its snapshots came out, told before the pod is done, so that the last one sees that
  /// it is the last.
  std::optional<bool> backed_up{};
  std::vector<Condition> conditions{};  ///< what the pod knows of the repository, for those of the session
  std::optional<Progress> progress{};
  /// Ids of snapshots that lack files, from before they have their tag in the repository until the host's result.
  std::vector<std::string> incomplete{};
  friend bool operator==(const HostStats&, const HostStats&) = default;
};

struct BackupSessionSpec {
  std::string backup_configuration;  ///< backupConfiguration.name
  std::string invoker_kind, invoker_name;
  std::optional<int> retry_left{};  ///< of a repetition: how many may follow; else the BackupConfiguration says
  friend bool operator==(const BackupSessionSpec&, const BackupSessionSpec&) = default;
};

struct BackupSessionStatus {
  std::string phase;  ///< "", Pending, Running, Succeeded, Failed, Skipped
  std::optional<int> total_hosts;
  std::string session_duration;
  /// Read from stats[]; from targets[] when stats[] is empty, as sessions of later releases of Stash have it. In our
  /// own sessions targets[] is a copy that lags behind.
  std::vector<HostStats> stats;
  std::vector<Condition> conditions;
  /// Pods that vanished while they had a host, newest last. `pod` only where no other pod ever has that name.
  std::vector<WorkingPod> lost_pods{};
  bool retried = false;                   ///< it failed, and a session that repeats it has been made
  std::optional<TimePoint> next_retry{};  ///< when that one will be made
  std::optional<SessionProgress> progress{};
  std::string reason{};  ///< why it has not succeeded, in one word
  /// Its hosts are BackupSessionHosts, and `stats` is empty until it ends (backup_session_host.h).
  bool host_objects = false;
  std::string upkeep_host{};  ///< of such a session: who does the upkeep of the repository
  friend bool operator==(const BackupSessionStatus&, const BackupSessionStatus&) = default;
};

struct BackupSession {
  ObjectMeta metadata;
  BackupSessionSpec spec;
  BackupSessionStatus status;
  friend bool operator==(const BackupSession&, const BackupSession&) = default;
};

/// The BackupConfiguration a session belongs to, by spec and labels as the contract (8.2) says; "" when it has none or
/// belongs to another kind of invoker. Error invalid when its names contradict one another.
Result<std::string> configuration_of(const BackupSession& session);

/// The value of kBackupConfigurationLabel and kInvokerNameLabel for a BackupConfiguration of this name: label values
/// hold at most 63 characters, names 253.
std::string configuration_label(std::string_view name);

/// Makes `session` belong to a BackupConfiguration in spec and labels, the way both older and newer Stash look for it
/// (contract 8.3).
void set_configuration(BackupSession& session, std::string_view name);

bool is_final_phase(std::string_view phase);  ///< Succeeded, Failed, Skipped, Unknown

}  // namespace stash::api
