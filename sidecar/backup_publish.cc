#include "sidecar/backup_publish.h"

#include <tuple>
#include <utility>

#include "base/backoff.h"
#include "base/log.h"
#include "sidecar/repository_conditions.h"

namespace stash::sidecar {

namespace {

/// How long the host's result waits for the Repository's status at most.
constexpr std::chrono::minutes kRepositoryPatience{5};

MetricLabels labels_of(const api::BackupConfiguration& configuration, const std::string& host) {
  MetricLabels labels;
  if (configuration.spec.target) labels.target = configuration.spec.target->ref;
  labels.ns = configuration.metadata.ns;
  labels.repository = configuration.spec.repository;
  labels.host = host;
  return labels;
}

RepositoryMetrics measured(const api::Repository& repository, const BackupProgress& progress) {
  RepositoryMetrics metrics = repository_metrics(repository);
  if (progress.intact) metrics.integrity = progress.intact;
  if (progress.size) metrics.size_bytes = progress.size;
  if (progress.forgotten) {
    metrics.snapshots = progress.forgotten->kept;
    metrics.removed = progress.forgotten->removed;
  }
  return metrics;
}

/// What every host of a session of many has to say of a new repository; one of them is enough. That of a host that
/// failed is less than that of one that succeeded.
bool is_told_already(const Json& repository, const Json& patch) {
  const Json& status = object_at(repository, {"status"});
  if (status.contains("initialisation")) return false;
  const Json& told = object_at(patch, {"status"});
  const bool tells_a_snapshot_only = told.size() == 1 && told.contains("firstSnapshotTime");
  return status.contains("firstBackupTime") || (tells_a_snapshot_only && status.contains("firstSnapshotTime"));
}

/// Whether a try is owed: the API server was away. What it says there outlives this session: that there have been
/// backups, so that a repository that is gone is not made anew.
bool owes_repository_status(Context& context, const BackupReport& report, TimePoint now) {
  if (!report.repository) return false;
  const api::ObjectMeta& repository = report.repository->metadata;
  Json patch = repository_patch(report.progress, now);
  if (patch.is_null()) return false;
  const bool one_of_many = report.progress.part == Part::backup;

  Backoff backoff;
  const auto begun = context.clock.steady();
  // A Repository that was made anew under this name, perhaps of another place, must not take the patch. A uid in it
  // would not do: a custom resource's status subresource ignores all metadata but the resourceVersion.
  patch["metadata"]["resourceVersion"] = repository.resource_version;
  bool looks = one_of_many;  // hundreds that write without a look refuse one another for minutes
  bool surprised = false;
  while (true) {
    if (std::exchange(looks, false)) {
      const auto found = context.api.get(api::kRepositories, repository.ref());
      if (found && string_at(*found, {"metadata", "uid"}) != repository.uid) {
        log_warning("the Repository {} is another one by now and is told nothing of this backup", repository.name);
        return false;
      }
      if (found && one_of_many && is_told_already(*found, patch)) return false;
      if (found) patch["metadata"]["resourceVersion"] = string_at(*found, {"metadata", "resourceVersion"});
    }
    const auto written = context.api.merge_patch(api::kRepositories, repository.ref(), patch, "status");
    if (written) return false;
    if (written.error().code == ErrorCode::conflict) {
      looks = true;
      // It has changed since the backup began, as is usual.
      if (!std::exchange(surprised, true)) continue;
    }
    log_warning("status of the Repository: {}", written.error().message);
    if (!is_outage(written.error().code) && written.error().code != ErrorCode::conflict) return false;
    if (context.clock.steady() - begun >= kRepositoryPatience) return true;
    context.pause(backoff.next());
    if (!report.go_on()) return true;
  }
}

void tell_shortcomings(Context& context, const HostStatus& status, const BackupProgress& progress) {
  for (const auto& [reason, sentence] : progress.shortcomings) {
    log_warning("{}", sentence);
    tell_event(context, status.session(), kube::EventType::warning, reason, sentence, "Backup Sidecar");
  }
}

}  // namespace

bool publish_backup(Context& context, const api::BackupConfiguration& configuration, HostStatus& status,
                    const BackupReport& report) {
  const BackupProgress& progress = report.progress;
  const TimePoint now = context.clock.now();
  std::optional<RepositoryMetrics> repository;
  if (report.repository) repository = measured(*report.repository, progress);
  // Before the host's result: whoever sees the session Succeeded finds the Repository up to date.
  const bool owed = owes_repository_status(context, report, now);

  // Also before it, for the session tells whether that worked.
  BackupMetrics metrics = backup_metrics(progress, report.duration);
  metrics.prepared = report.prepared;
  const auto push_failure =
      push_metrics(context, configuration.metadata.name, status.host(),
                   render_backup_metrics(labels_of(configuration, status.host()), metrics, repository));

  api::HostStats result = host_result(progress, status.host(), report.duration, status.claim_now());
  result.conditions = repository_conditions(progress, push_failure, now);
  result.hook = unanswered(status.hook());
  result.progress = report.work;
  const auto written = status.write_result(result);
  if (!written) {
    log_error("the result of {} was not written: {}", status.host(), written.error().message);
    if (written.error().code == ErrorCode::cancelled) return false;
  } else if (owed) {
    std::ignore = owes_repository_status(context, report, now);
  }
  if (result.phase == "Succeeded") {
    log_info("backup of {} succeeded in {}", result.hostname, result.duration);
    // Of hundreds of hosts the session's own event tells enough.
    if (progress.part == Part::all)
      tell_event(context, status.session(), kube::EventType::normal, "SuccessfulHostBackup",
                 fmt::format("backup of host {} succeeded in {}", result.hostname, result.duration),
                 "Post Backup Status Updater");
  } else {
    log_error("backup of {} failed: {}", result.hostname, result.error);
    tell_event(context, status.session(), kube::EventType::warning, "FailedHostBackup",
               fmt::format("backup of host {} failed: {}", result.hostname, result.error), "Backup Sidecar");
  }
  tell_shortcomings(context, status, progress);
  return written.has_value();
}

bool publish_upkeep(Context& context, const api::BackupConfiguration& configuration, HostStatus& status,
                    const BackupReport& report) {
  const BackupProgress& progress = report.progress;
  const TimePoint now = context.clock.now();
  std::ignore = owes_repository_status(context, report, now);

  std::optional<std::string> push_failure;
  if (report.repository)
    push_failure = push_metrics(
        context, configuration.metadata.name, status.host(),
        render_repository_metrics(labels_of(configuration, status.host()), measured(*report.repository, progress)),
        Pushed::adds);
  api::HostStats result = host_result(progress, status.host(), report.duration, status.claim_now());
  result.conditions = repository_conditions(progress, push_failure, now);
  if (const auto written = status.write_result(result); !written) {
    log_error("the result of the upkeep was not written: {}", written.error().message);
    return false;
  }
  if (progress.error.empty()) {
    log_info("upkeep of the repository done in {}", result.duration);
  } else {
    log_error("upkeep of the repository: {}", progress.error);
  }
  tell_shortcomings(context, status, progress);
  return true;
}

}  // namespace stash::sidecar
