#include "sidecar/backup_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/backup_configuration.h"
#include "api/format.h"
#include "sidecar/hook_plan.h"

namespace stash::sidecar {

namespace {

using Kind = BackupStep::Kind;

std::string missing_paths(const BackupProgress& progress) {
  std::vector<std::string> missing;
  for (const PathProgress& path : progress.paths) {
    if (!path.exists) missing.push_back(path.path);
  }
  if (missing.empty()) return "";
  return fmt::format(
      "{} not exist in the sidecar: {}; nothing was backed up. Each path must lie below a "
      "spec.target.volumeMounts[].mountPath "
      "of the BackupConfiguration, and exist in that volume",
      missing.size() == 1 ? "a path does" : "paths do", fmt::join(missing, ", "));
}

std::string empty_path(const PathProgress& path) {
  return fmt::format(
      "{}: there are no files in it; no snapshot was taken, so that the latest one stays one with files. Is the volume "
      "mounted? If it may be empty, set the annotation stash.appscode.com/allow-empty: \"true\" on the "
      "BackupConfiguration",
      path.path);
}

std::string gone_repository(const BackupProgress& progress) {
  return fmt::format(
      "the repository at {} held backups since {} and is gone; it is not initialised again. Bring it back, or, if its "
      "loss is known, delete and create the Repository object to start afresh",
      progress.location, format_time(*progress.first_backup));
}

bool hook_after_is_due(const BackupProgress& progress) {
  return progress.hook_after == HookState::due &&
         is_wanted(progress.hook_after_policy, progress.error.empty(), progress.retries_left);
}

/// Until all snapshots are taken or the host has failed; then none.
std::optional<BackupStep> step_to_snapshots(BackupProgress& progress) {
  if (progress.repository == RepositoryState::unknown) return BackupStep{Kind::find_repository};
  if (progress.repository == RepositoryState::absent) return BackupStep{Kind::init};
  if (progress.hook_before == HookState::due) return BackupStep{Kind::hook_before};
  for (std::size_t i = 0; i < progress.paths.size(); ++i) {
    const PathProgress& path = progress.paths[i];
    if (path.snapshot) continue;
    if (!path.earlier_snapshot) return BackupStep{Kind::find_snapshot, i};
    if (!path.earlier_snapshot->empty()) return BackupStep{Kind::adopt, i};
    if (path.has_entries || progress.allow_empty) return BackupStep{Kind::back_up, i};
    progress.error = empty_path(path);
    break;
  }
  return std::nullopt;
}

/// Of one host, as soon as nothing more is read from its volumes.
std::optional<BackupStep> step_after_snapshots(const BackupProgress& progress) {
  if (hook_after_is_due(progress)) return BackupStep{Kind::hook_after};
  const auto unmarked = std::ranges::find(progress.paths, true, &PathProgress::is_unmarked);
  if (unmarked == progress.paths.end()) return std::nullopt;
  return BackupStep{Kind::mark_incomplete, static_cast<std::size_t>(unmarked - progress.paths.begin())};
}

/// A host that failed does it too when it is the last: its own snapshots are left alone, but one host that fails at
/// every session must not keep the policy from all others for ever.
BackupStep step_of_upkeep(const BackupProgress& progress) {
  const Upkeep& upkeep = progress.upkeep;
  const bool backed_up = progress.error.empty();
  if (progress.unusable || progress.repository != RepositoryState::present) return {Kind::finish};
  if (upkeep.alone || upkeep.looks > 0) {
    if (!any_backed_up(upkeep, backed_up)) return {Kind::finish};
  }
  if (!upkeep.alone) {
    if (upkeep.turn == Upkeep::Turn::others) return {Kind::finish};
    if (upkeep.turn == Upkeep::Turn::unknown) return {upkeep.looks > upkeep.waits ? Kind::wait : Kind::tell};
  }
  // Checked before anything is forgotten: a damaged repository keeps all it has.
  if (progress.check_due && !progress.checked) return {Kind::check};
  if (!progress.forget_done) {
    const bool may_forget = progress.intact.value_or(true) && keeps_something(progress.retention);
    return {may_forget ? Kind::forget : Kind::count_snapshots};
  }
  if (!progress.stats_done) return {Kind::stats};
  return {Kind::finish};
}

}  // namespace

std::string_view to_string(BackupStep::Kind kind) {
  using Kind = BackupStep::Kind;
  switch (kind) {
    case Kind::find_repository:
      return "open repository";
    case Kind::init:
      return "init";
    case Kind::hook_before:
      return "preBackup hook";
    case Kind::find_snapshot:
    case Kind::count_snapshots:
      return "snapshots";
    case Kind::adopt:
    case Kind::back_up:
      return "backup";
    case Kind::mark_incomplete:
      return "tag";
    case Kind::hook_after:
      return "postBackup hook";
    case Kind::tell:
    case Kind::wait:
      return "wait for other hosts";
    case Kind::check:
      return "check";
    case Kind::forget:
      return "forget and prune";
    case Kind::stats:
      return "stats";
    case Kind::finish:
      return "finish";
  }
  return "";
}

BackupStep next_step(BackupProgress& progress) {
  if (progress.error.empty()) {
    if (progress.paths.empty()) {
      progress.error = "the BackupConfiguration names no paths: set spec.target.paths";
    } else if (progress.hook_before != HookState::due) {
      progress.error = missing_paths(progress);
    }
  }
  if (progress.error.empty() && progress.repository == RepositoryState::absent && progress.first_backup) {
    progress.error = gone_repository(progress);
    progress.unusable = true;
  }
  if (progress.error.empty() && progress.repository == RepositoryState::absent && !progress.leave_init.empty()) {
    progress.error = fmt::format("there is no restic repository at {} yet, and it is not made for this Repository: {}",
                                 progress.location, progress.leave_init);
    progress.unusable = true;
  }
  if (progress.error.empty()) {
    if (const auto step = step_to_snapshots(progress)) return *step;
  }
  if (const auto step = step_after_snapshots(progress)) return *step;
  return step_of_upkeep(progress);
}

void note_backup(BackupProgress& progress, std::size_t path, const std::optional<BackupSummary>& summary,
                 const std::optional<ResticFailure>& failure, const UnreadableFiles& unreadable) {
  PathProgress& entry = progress.paths[path];
  const bool has_snapshot = summary && !summary->snapshot.empty();
  // Also of an incomplete backup: the snapshot exists, and whoever needs its files must find it.
  if (has_snapshot) {
    entry.snapshot = snapshot_stats(entry.path, *summary);
    entry.summary = *summary;
  }

  if (failure && failure->cause == ResticCause::incomplete) {
    progress.error = fmt::format(
        "{}: {}. The snapshot {} has everything else. Let the container read them "
        "(runtimeSettings.container.securityContext), or leave them out (spec.target.exclude)",
        entry.path, describe(unreadable), has_snapshot ? summary->snapshot : "(not named by restic)");
    entry.is_unmarked = has_snapshot;
  } else if (failure) {
    progress.error = fmt::format("backing up {}: {}", entry.path, failure->sentence);
    progress.unusable = true;
  } else if (!has_snapshot) {
    progress.error = fmt::format("backing up {}: restic ended without an error but named no snapshot", entry.path);
  } else if (summary->files_total == 0 && !progress.allow_empty) {
    progress.error = fmt::format(
        "{}: there are no files in it (snapshot {}). Is the volume mounted? If it may be empty, set the annotation "
        "stash.appscode.com/allow-empty: \"true\" on the BackupConfiguration",
        entry.path, summary->snapshot);
    entry.is_unmarked = true;
  }
}

void note_earlier(BackupProgress& progress, std::size_t path, const Snapshot* snapshot) {
  PathProgress& entry = progress.paths[path];
  entry.earlier_snapshot = snapshot == nullptr ? "" : snapshot->short_id;
  if (snapshot == nullptr) return;
  entry.earlier_is_incomplete = is_incomplete(*snapshot);
  entry.earlier_is_first = snapshot->parent.empty();
  entry.earlier_summary = snapshot->summary;
}

void note_adoption(BackupProgress& progress, std::size_t path, std::optional<BackupSummary> summary,
                   const std::optional<ResticFailure>& failure, const UnreadableFiles& unreadable) {
  PathProgress& entry = progress.paths[path];
  // What could not be read then can be read now: only a new snapshot has it.
  if (entry.earlier_is_incomplete && summary && !failure) {
    entry.earlier_snapshot = "";
    entry.earlier_is_incomplete = false;
    return;
  }
  if (summary && entry.earlier_summary) {
    summary = entry.earlier_summary;
  } else if (summary) {
    summary->snapshot = entry.earlier_snapshot.value_or("");
    summary->bytes_added = 0;
    // The dry run compared with that snapshot itself.
    summary->files_new = entry.earlier_is_first ? summary->files_total : 0;
    summary->files_changed = summary->files_unmodified = 0;
  }
  note_backup(progress, path, summary, failure, unreadable);
  if (entry.earlier_is_incomplete) entry.is_unmarked = false;
  if (auto& snapshot = entry.snapshot; snapshot && !entry.earlier_summary) {
    snapshot->uploaded.clear();
    snapshot->processing_time.clear();
  }
}

void note_mark(BackupProgress& progress, std::size_t path, const std::expected<std::string, ResticFailure>& id) {
  PathProgress& entry = progress.paths[path];
  entry.is_unmarked = false;
  std::string& name = entry.snapshot->name;
  if (!id) {
    progress.error += fmt::format(
        "; it could not be made sure that the snapshot {} has the tag {}, and a restore of the latest snapshot may "
        "take it: {}",
        name, kIncompleteTag, id.error().sentence);
    progress.unusable = true;
    return;
  }
  // The error names it as it was.
  if (const auto told = progress.error.find(name); told != std::string::npos)
    progress.error.replace(told, name.size(), *id);
  name = *id;
}

void note_hook_before(BackupProgress& progress, const std::string& problem) {
  progress.hook_before = HookState::done;
  if (!problem.empty()) progress.error = problem + "; nothing was backed up";
}

void note_hook_after(BackupProgress& progress, const std::string& problem) {
  progress.hook_after = HookState::done;
  if (!problem.empty()) progress.error += (progress.error.empty() ? "" : "; ") + problem;
}

std::string shortcoming(const BackupProgress& progress, std::string_view reason) {
  const auto found = std::ranges::find(progress.shortcomings, reason, &BackupProgress::Shortcoming::reason);
  return found == progress.shortcomings.end() ? "" : found->sentence;
}

void note_check(BackupProgress& progress, const std::expected<bool, ResticFailure>& intact) {
  progress.checked = true;
  if (!intact) {
    progress.shortcomings.push_back(
        {std::string(kFailedToVerify), "the repository could not be checked: " + intact.error().sentence});
    return;
  }
  progress.intact = *intact;
  if (*intact) return;
  progress.shortcomings.push_back(
      {std::string(kFailedToVerify),
       fmt::format(
           "`restic check` found errors in the repository at {} (they are in this container's log); snapshots are not "
           "forgotten until it is repaired",
           progress.location)});
}

void note_forget(BackupProgress& progress, const std::expected<ForgetOutcome, ResticFailure>& outcome) {
  progress.forget_done = true;
  if (outcome) {
    progress.forgotten = *outcome;
  } else {
    progress.shortcomings.push_back(
        {std::string(kFailedToApply), "the retention policy was not applied: " + outcome.error().sentence});
  }
}

void note_stats(BackupProgress& progress, const std::expected<std::uint64_t, ResticFailure>& size) {
  progress.stats_done = true;
  if (size) {
    progress.size = *size;
  } else {
    progress.shortcomings.push_back(
        {"FailedToReadRepositorySize", "the repository's size could not be read: " + size.error().sentence});
  }
}

std::vector<std::string> hosts_to_forget(const BackupProgress& progress) {
  return hosts_to_forget(progress.upkeep, progress.host, progress.error.empty()).value_or(std::vector<std::string>());
}

api::HostStats host_result(const BackupProgress& progress, const std::string& host, Nanoseconds duration,
                           const api::Claim& claim) {
  api::HostStats result;
  result.hostname = host;
  result.phase = progress.error.empty() ? "Succeeded" : "Failed";
  result.claim = claim;
  for (const PathProgress& path : progress.paths) {
    if (path.snapshot) result.snapshots.push_back(*path.snapshot);
  }
  result.duration = format_duration(duration);
  result.error = progress.error;
  if (progress.upkeep.looks > 0 && !progress.upkeep.alone) result.backed_up = progress.error.empty();
  if (progress.error.empty()) {
    for (const auto& shortcoming : progress.shortcomings) {
      result.error += (result.error.empty() ? "" : "; ") + shortcoming.sentence;
    }
  }
  return result;
}

BackupMetrics backup_metrics(const BackupProgress& progress, Nanoseconds duration) {
  BackupMetrics metrics;
  metrics.success = progress.error.empty();
  metrics.duration = duration;
  for (const PathProgress& path : progress.paths) {
    if (!path.snapshot) continue;
    metrics.size_bytes += path.summary.bytes_total;
    metrics.uploaded_bytes += path.summary.bytes_added;
    metrics.processing_seconds += path.summary.seconds;
    const api::FileStats& files = path.snapshot->file_stats;
    metrics.files.total += files.total;
    metrics.files.fresh += files.fresh;
    metrics.files.modified += files.modified;
    metrics.files.unmodified += files.unmodified;
  }
  return metrics;
}

Json repository_patch(const BackupProgress& progress, TimePoint now) {
  Json status = Json::object();
  if (progress.error.empty()) {
    status["lastBackupTime"] = format_time(now);
    if (!progress.first_backup) status["firstBackupTime"] = format_time(now);
    // It is made: whoever has not taken his claim back was killed.
    if (progress.init_claimed) status["initialisation"] = nullptr;
  }
  if (progress.intact) {
    status["integrity"] = *progress.intact;
    status["lastCheckTime"] = format_time(now);
  }
  if (progress.size) {
    status["size"] = api::format_size(*progress.size);
    status["totalSize"] = status["size"];
  }
  if (progress.forgotten) {
    status["snapshotCount"] = progress.forgotten->kept;
    status["snapshotsRemovedOnLastCleanup"] = progress.forgotten->removed;
  }
  if (status.empty()) return nullptr;
  return {{"status", std::move(status)}};
}

bool check_is_due(const api::RepositoryStatus& repository, TimePoint now) {
  constexpr std::chrono::hours kInterval{24};
  // One that failed is repeated until it succeeds: somebody may have repaired the repository.
  if (!repository.integrity.value_or(false) || !repository.last_check_time) return true;
  // Nor is a time that a wrong clock has put far ahead believed.
  return std::chrono::abs(now - *repository.last_check_time) >= kInterval;
}

}  // namespace stash::sidecar
