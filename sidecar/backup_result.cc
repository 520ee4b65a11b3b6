#include "sidecar/backup_result.h"

#include <algorithm>

#include "api/format.h"

namespace stash::sidecar {

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
  if (progress.part == Part::all && (progress.upkeep.looks > 0 || progress.stopped) && !progress.upkeep.alone)
    result.backed_up = progress.error.empty();
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
    const api::FileStats files = path.snapshot->file_stats.value_or(api::FileStats{});
    metrics.files.total += files.total;
    metrics.files.fresh += files.fresh;
    metrics.files.modified += files.modified;
    metrics.files.unmodified += files.unmodified;
  }
  return metrics;
}

Json repository_patch(const BackupProgress& progress, TimePoint now) {
  Json status = Json::object();
  // Hundreds of hosts need not all write the same: that of the upkeep does. The first time is needed at once.
  const bool tells = progress.part != Part::backup || !progress.first_backup || progress.init_claimed;
  if (progress.error.empty() && tells) {
    status["lastBackupTime"] = format_time(now);
    if (!progress.first_backup) status["firstBackupTime"] = format_time(now);
    // It is made: whoever has not taken his claim back was killed.
    if (progress.init_claimed) status["initialisation"] = nullptr;
  }
  const bool took_one =
      std::ranges::any_of(progress.paths, [](const PathProgress& path) { return path.snapshot.has_value(); });
  // Of a failed backup: the repository is one that must not be made anew, all the same.
  if (took_one && !progress.error.empty() && !progress.first_backup && !progress.first_snapshot)
    status["firstSnapshotTime"] = format_time(now);
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
