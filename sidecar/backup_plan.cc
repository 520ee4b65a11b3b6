#include "sidecar/backup_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/backup_configuration.h"
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

/// Why this pod may not see the repository that another one sees.
std::string_view perhaps_elsewhere(api::Sharing sharing) {
  switch (sharing) {
    case api::Sharing::node:
      return " (or this node has another directory at that hostPath, which is one for all only as a network mount)";
    case api::Sharing::pod:
      return " (an emptyDir is lost with its pod, and each pod has its own)";
    case api::Sharing::all:
      break;
  }
  return "";
}

std::string gone_repository(const BackupProgress& progress) {
  return fmt::format(
      "the repository at {} held backups since {} and is gone{}; it is not initialised again. Bring it back, or, if "
      "its loss is known, delete and create the Repository object to start afresh",
      progress.location, format_time(progress.first_snapshot.value_or(progress.first_backup.value_or(TimePoint{}))),
      perhaps_elsewhere(progress.sharing));
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
  if (incomplete_snapshots(progress) != progress.told_incomplete) return BackupStep{Kind::tell_incomplete};
  if (hook_after_is_due(progress)) return BackupStep{Kind::hook_after};
  const auto unmarked =
      std::ranges::find(progress.paths, false, [](const PathProgress& path) { return path.unmarked.empty(); });
  if (unmarked == progress.paths.end()) return std::nullopt;
  return BackupStep{Kind::mark_incomplete, static_cast<std::size_t>(unmarked - progress.paths.begin())};
}

/// A host that failed does it too when it is the last: its own snapshots are left alone, but one host that fails at
/// every session must not keep the policy from all others for ever. It may have failed before it came to the
/// repository.
BackupStep step_of_upkeep(const BackupProgress& progress) {
  const Upkeep& upkeep = progress.upkeep;
  const bool backed_up = progress.error.empty();
  if (progress.part == Part::backup) return {Kind::finish};
  if (progress.unusable || progress.leave_upkeep || progress.repository == RepositoryState::absent)
    return {Kind::finish};
  if (upkeep.alone || upkeep.looks > 0) {
    if (!any_backed_up(upkeep, backed_up)) return {Kind::finish};
  }
  if (!upkeep.alone) {
    if (upkeep.turn == Upkeep::Turn::others) return {Kind::finish};
    if (upkeep.turn == Upkeep::Turn::unknown) return {upkeep.looks > upkeep.waits ? Kind::wait : Kind::tell};
  }
  if (progress.repository == RepositoryState::unknown) return {Kind::find_repository};
  // Checked before anything is forgotten: a damaged repository keeps all it has.
  if (progress.check_due && !progress.checked) return {Kind::check};
  if (!progress.forget_done) {
    const bool may_forget = !is_known_damaged(progress) && keeps_something(progress.retention);
    return {may_forget ? Kind::forget : Kind::count_snapshots};
  }
  if (!progress.stats_done) return {Kind::stats};
  return {Kind::finish};
}

BackupStep step_of_upkeep_alone(BackupProgress& progress) {
  if (!progress.error.empty()) return {Kind::finish};
  if (progress.repository == RepositoryState::unknown) return {Kind::find_repository};
  if (progress.repository == RepositoryState::absent) {
    progress.error = gone_repository(progress);
    progress.unusable = true;
  }
  return step_of_upkeep(progress);
}

bool is_named(const std::vector<std::string>& ids, const Snapshot& snapshot) {
  return std::ranges::any_of(ids, [&snapshot](const std::string& id) {
    return !id.empty() && (id == snapshot.short_id || snapshot.id.starts_with(id));
  });
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
    case Kind::tell_incomplete:
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
  if (progress.part == Part::upkeep) return step_of_upkeep_alone(progress);
  if (progress.error.empty()) {
    if (progress.paths.empty()) {
      progress.error = "the BackupConfiguration names no paths: set spec.target.paths";
    } else if (progress.hook_before != HookState::due) {
      progress.error = missing_paths(progress);
    }
  }
  if (progress.error.empty() && progress.repository == RepositoryState::absent &&
      (progress.first_backup || progress.first_snapshot)) {
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
    if (has_snapshot) entry.unmarked.push_back(summary->snapshot);
  } else if (failure) {
    progress.error = fmt::format("backing up {}: {}", entry.path, failure->sentence);
    progress.unusable = true;
    // Stopped between its last line and its end.
    if (has_snapshot && unreadable.count > 0) entry.unmarked.push_back(summary->snapshot);
  } else if (!has_snapshot) {
    progress.error = fmt::format("backing up {}: restic ended without an error but named no snapshot", entry.path);
  } else if (summary->files_total == 0 && !progress.allow_empty) {
    progress.error = fmt::format(
        "{}: there are no files in it (snapshot {}). Is the volume mounted? If it may be empty, set the annotation "
        "stash.appscode.com/allow-empty: \"true\" on the BackupConfiguration",
        entry.path, summary->snapshot);
    entry.unmarked.push_back(summary->snapshot);
  }
}

std::vector<std::string> incomplete_snapshots(const BackupProgress& progress) {
  std::vector<std::string> ids = progress.told_incomplete;
  for (const PathProgress& path : progress.paths) {
    for (const std::string& id : path.unmarked) {
      if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
    }
  }
  return ids;
}

void note_earlier(BackupProgress& progress, std::size_t path, const Snapshot* snapshot) {
  PathProgress& entry = progress.paths[path];
  entry.earlier_snapshot = snapshot == nullptr ? "" : snapshot->short_id;
  if (snapshot == nullptr) return;
  entry.earlier_is_incomplete = is_incomplete(*snapshot);
  if (!entry.earlier_is_incomplete && is_named(progress.told_incomplete, *snapshot)) {
    entry.earlier_is_incomplete = true;
    entry.unmarked.push_back(snapshot->short_id);
  }
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
  const std::vector<std::string> unmarked = entry.unmarked;
  note_backup(progress, path, summary, failure, unreadable);
  if (entry.earlier_is_incomplete) entry.unmarked = unmarked;
  if (auto& snapshot = entry.snapshot; snapshot && !entry.earlier_summary) {
    snapshot->uploaded.clear();
    snapshot->processing_time.clear();
  }
}

void note_mark(BackupProgress& progress, std::size_t path, const std::expected<std::string, ResticFailure>& id) {
  PathProgress& entry = progress.paths[path];
  const std::string untagged = entry.unmarked.front();
  entry.unmarked.erase(entry.unmarked.begin());
  const bool is_latest = !entry.snapshot || entry.snapshot->name == untagged;
  if (!id) {
    // A newer snapshot of this session takes its place.
    if (!is_latest) return;
    progress.error += fmt::format(
        "{}it could not be made sure that the snapshot {} has the tag {}, and a restore of the latest snapshot may "
        "take it: {}",
        progress.error.empty() ? "" : "; ", untagged, kIncompleteTag, id.error().sentence);
    progress.unusable = true;
    return;
  }
  // The error names it as it was.
  if (const auto told = progress.error.find(untagged); told != std::string::npos)
    progress.error.replace(told, untagged.size(), *id);
  if (entry.snapshot && is_latest) entry.snapshot->name = *id;
}

void note_hook_before(BackupProgress& progress, const std::string& problem) {
  progress.hook_before = HookState::done;
  if (!problem.empty()) progress.error = problem + "; nothing was backed up";
}

void note_hook_after(BackupProgress& progress, const std::string& problem) {
  progress.hook_after = HookState::done;
  if (!problem.empty()) progress.error += (progress.error.empty() ? "" : "; ") + problem;
}

bool end_without_upkeep(BackupProgress& progress) {
  const bool has_all = !progress.paths.empty() && std::ranges::all_of(progress.paths, [](const PathProgress& path) {
    return path.snapshot.has_value();
  });
  if (!has_all || !progress.error.empty() || hook_after_is_due(progress)) return false;
  progress.stopped = true;
  if (!is_upkeep_ours(progress)) return true;
  if (progress.check_due && !progress.checked) {
    progress.shortcomings.push_back(
        {std::string(kFailedToVerify),
         "the repository was not checked, as the work was ended early; the next session does it"});
  }
  if (keeps_something(progress.retention) && !is_known_damaged(progress) && !progress.forget_done) {
    progress.shortcomings.push_back(
        {std::string(kFailedToApply),
         "the retention policy was not applied, as the work was ended early; the next session does it"});
  }
  return true;
}

bool is_upkeep_ours(const BackupProgress& progress) {
  return progress.part != Part::backup && (progress.upkeep.alone || progress.upkeep.turn == Upkeep::Turn::ours);
}

std::string shortcoming(const BackupProgress& progress, std::string_view reason) {
  const auto found = std::ranges::find(progress.shortcomings, reason, &BackupProgress::Shortcoming::reason);
  return found == progress.shortcomings.end() ? "" : found->sentence;
}

bool is_known_damaged(const BackupProgress& progress) { return !progress.intact.value_or(!progress.known_damaged); }

void note_left_upkeep(BackupProgress& progress, const std::string& why) {
  progress.leave_upkeep = true;
  progress.shortcomings.push_back(
      {std::string(kFailedToApply), "the upkeep of the repository is left to the next session: " + why});
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

}  // namespace stash::sidecar
