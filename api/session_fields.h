#pragma once
#include "api/backup_session.h"
#include "api/crd.h"
#include "api/shared_fields.h"

/// Tables of what BackupSession and RestoreSession share in their statuses.
namespace stash::api {

constexpr auto fields(Of<WorkingPod>) {
  return std::tuple{Field{"podName", &WorkingPod::pod, "Name of the pod."},
                    Field{"podUID", &WorkingPod::pod_uid, "UID of that pod."},
                    Field{"heartbeatTime", &WorkingPod::heartbeat, "Last sign of life of the work."}};
}

constexpr auto fields(Of<Claim>) {
  return std::tuple{Field{"podName", &Claim::pod, "Pod that works on this host."},
                    Field{"podUID", &Claim::pod_uid, "UID of that pod."},
                    Field{"heartbeatTime", &Claim::heartbeat, "Last sign of life of the work."},
                    Field{"stop", &Claim::stop, "Why the pod is to end the work early, and to give the host back."},
                    Field{"restarts", &Claim::restarts,
                          "How often the container of that pod was started again in the middle of this backup."}};
}

constexpr auto fields(Of<FileStats>) {
  return std::tuple{
      Field{"totalFiles", &FileStats::total, "Files in the snapshot.", {.always = true}},
      Field{"newFiles", &FileStats::fresh, "Files that the parent snapshot does not have.", {.always = true}},
      Field{"modifiedFiles", &FileStats::modified, "Files that changed since the parent snapshot.", {.always = true}},
      Field{"unmodifiedFiles", &FileStats::unmodified, "Files that did not change.", {.always = true}}};
}

constexpr auto fields(Of<SnapshotStats>) {
  return std::tuple{Field{"name", &SnapshotStats::name, "restic's id of the snapshot."},
                    Field{"path", &SnapshotStats::path, "What was backed up, or is restored.", {.older = "directory"}},
                    Field{"totalSize",
                          &SnapshotStats::total_size,
                          "Size of the data that was read.",
                          {.older = "size", .write_older = true}},
                    Field{"uploaded", &SnapshotStats::uploaded, "Size of the data that was new to the repository."},
                    Field{"processingTime", &SnapshotStats::processing_time, "How long it took, m:ss or h:mm:ss."},
                    Field{"fileStats", &SnapshotStats::file_stats, "Numbers of files."}};
}

constexpr auto fields(Of<HookStatus>) {
  return std::tuple{
      Field{"action", &HookStatus::action, "preBackup or postBackup."},
      Field{"phase", &HookStatus::phase, "Requested, Queued, Running, Succeeded or Failed."},
      Field{"error", &HookStatus::error, "Why it failed."},
      Field{"requestTime", &HookStatus::requested, "When the pod asked for it."},
      Field{"queuedTime", &HookStatus::queued, "When the operator last said that it waits for its turn."},
      Field{"takenBy", &HookStatus::taken_by, "Which process of the operator took it, to run it: a random name."}};
}

constexpr auto fields(Of<Progress>) {
  return std::tuple{
      Field{"step", &Progress::step, "What is done now."},
      Field{"percentDone", &Progress::percent, "How much of it, when that can be known."},
      Field{"filesDone", &Progress::files_done, "Files that are done."},
      Field{"totalFiles", &Progress::files_total, "Files that are known so far."},
      Field{"bytesDone", &Progress::bytes_done, "Bytes that are done."},
      Field{"totalBytes", &Progress::bytes_total, "Bytes that are known so far."},
      Field{"secondsRemaining", &Progress::seconds_remaining, "How long it still takes, as restic thinks."}};
}

constexpr auto fields(Of<SessionProgress>) {
  return std::tuple{Field{"hosts", &SessionProgress::hosts, "Hosts that have ended, of how many."},
                    Field{"percent", &SessionProgress::percent, "How much is done, over all hosts."},
                    Field{"bytes", &SessionProgress::bytes, "Bytes that are done, of those that are known."},
                    Field{"remaining", &SessionProgress::remaining, "How long the slowest host still takes."},
                    Field{"step", &SessionProgress::step, "What is done now, when one host is at work."}};
}

constexpr auto fields(Of<HostStats>) {
  return std::tuple{Field{"hostname", &HostStats::hostname, "Name of the host in restic.", {.required = true}},
                    Field{"phase", &HostStats::phase, "Pending, Running, Succeeded or Failed."},
                    Field{"claim", &HostStats::claim, "Which pod does the work."},
                    Field{"snapshots", &HostStats::snapshots, "What was backed up, or is restored, path by path."},
                    Field{"duration", &HostStats::duration, "How long this host took."},
                    Field{"error", &HostStats::error, "Why this host failed."},
                    Field{"attempts", &HostStats::attempts, "How often the restore of this host was begun."},
                    Field{"hook", &HostStats::hook, "The exec hook that the controller runs for this host."},
                    Field{"backedUp", &HostStats::backed_up,
                          "Of several hosts: whether its snapshots came out well; told before the host is done."},
                    Field{"conditions",
                          &HostStats::conditions,
                          "What the pod knows of the repository; the session's conditions follow from it.",
                          {.list_key = "type"}},
                    Field{"progress", &HostStats::progress, "How far the work has come."},
                    Field{"incomplete", &HostStats::incomplete,
                          "Snapshots that lack files, while it is not known that each has its tag."}};
}

/// How far a session has come and why not further, between what tells sessions apart and `wide`.
inline std::vector<PrinterColumn> session_columns(const PrinterColumn& first,
                                                  const std::vector<PrinterColumn>& wide = {}) {
  std::vector<PrinterColumn> columns{first,
                                     {"Phase", "string", ".status.phase"},
                                     {"Progress", "string", ".status.progress.percent"},
                                     {"Bytes", "string", ".status.progress.bytes"},
                                     {"Remaining", "string", ".status.progress.remaining"},
                                     {"Hosts", "string", ".status.progress.hosts"},
                                     {"Duration", "string", ".status.sessionDuration"},
                                     {"Reason", "string", ".status.reason"},
                                     {"Step", "string", ".status.progress.step", 1}};
  columns.insert(columns.end(), wide.begin(), wide.end());
  return columns;
}

inline constexpr std::string_view kReasonDoc = "Why it has not succeeded, in one word; the conditions say more.";
inline constexpr std::string_view kSessionPhaseDoc =
    "Pending, Running, Succeeded, Failed, Skipped, Invalid or Unknown.";

}  // namespace stash::api
