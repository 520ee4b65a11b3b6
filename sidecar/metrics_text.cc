#include "sidecar/metrics_text.h"

#include <algorithm>
#include <tuple>

#include "api/format.h"
#include "base/gauge_text.h"

namespace stash::sidecar {

namespace {

using Labels = std::vector<MetricLabel>;

Labels host_labels(const MetricLabels& labels, const std::string& group) {
  return {{"driver", labels.driver},    {"kind", labels.target.kind}, {"group", group},
          {"name", labels.target.name}, {"namespace", labels.ns},     {"repository", labels.repository},
          {"hostname", labels.host}};
}

std::string group_of(const api::TargetRef& target) {
  const auto slash = target.api_version.find('/');
  return slash == std::string::npos ? "" : target.api_version.substr(0, slash);
}

double seconds(Nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

std::string render_repository(const MetricLabels& labels, const RepositoryMetrics& repository) {
  GaugeText text({{"name", labels.repository},
                  {"namespace", labels.ns},
                  {"backend", repository.backend},
                  {"bucket", repository.bucket},
                  {"prefix", repository.prefix}});
  const auto integrity = repository.integrity ? std::optional(*repository.integrity ? 1 : 0) : std::nullopt;
  text.gauge("stash_repository_integrity", "Whether the last check found the repository intact", integrity);
  text.gauge("stash_repository_size_bytes", "Size of all snapshots when restored", repository.size_bytes);
  text.gauge("stash_repository_snapshot_count", "Snapshots in the repository", repository.snapshots);
  text.gauge("stash_repository_snapshot_cleaned", "Snapshots removed by the last cleanup", repository.removed);
  return text.take();
}

std::string_view without_slashes(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

/// "https://user:password@host:8000/path/" -> {"host:8000", "path"}
std::pair<std::string, std::string> host_and_path(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  const auto slash = std::min(url.find('/'), url.size());
  std::string_view host = url.substr(0, slash);
  // A password may hold "/" and "@": then what looks like the host is not shown.
  if (url.rfind('@') != std::string_view::npos) {
    if (url.rfind('@') > slash) return {"", ""};
    host.remove_prefix(url.rfind('@') + 1);
  }
  return {std::string(host), std::string(without_slashes(url.substr(slash)))};
}

/// The labels bucket and prefix.
std::pair<std::string, std::string> bucket_and_prefix(const api::Backend& backend) {
  if (backend.local) {
    const api::LocalBackend& local = *backend.local;
    return {"", local.sub_path.empty() ? local.mount_path
                                       : fmt::format("{}/{}", local.mount_path, without_slashes(local.sub_path))};
  }
  if (backend.s3) return {backend.s3->bucket, backend.s3->prefix};
  for (const auto* block : {&backend.gcs, &backend.azure, &backend.swift, &backend.b2}) {
    if (*block) return {(*block)->bucket, (*block)->prefix};
  }
  return backend.rest ? host_and_path(backend.rest->url) : std::pair<std::string, std::string>();
}

}  // namespace

RepositoryMetrics repository_metrics(const api::Repository& repository) {
  RepositoryMetrics metrics;
  metrics.backend = api::backend_kind(repository.spec.backend);
  std::tie(metrics.bucket, metrics.prefix) = bucket_and_prefix(repository.spec.backend);
  const api::RepositoryStatus& status = repository.status;
  metrics.integrity = status.integrity;
  metrics.size_bytes = api::parse_size(status.total_size);
  if (status.last_backup_time) {
    metrics.snapshots = status.snapshot_count;
    metrics.removed = status.snapshots_removed_on_last_cleanup;
  }
  return metrics;
}

std::string render_backup_metrics(const MetricLabels& labels, const BackupMetrics& backup,
                                  const std::optional<RepositoryMetrics>& repository) {
  const std::string group = group_of(labels.target);
  GaugeText text(host_labels(labels, group));
  text.gauge("stash_backup_setup_success", "Whether the sidecar found the Repository, its Secret and restic",
             backup.prepared ? 1 : 0);
  text.gauge("stash_backup_host_backup_success", "Whether the last backup of this host succeeded",
             backup.success ? 1 : 0);
  text.gauge("stash_backup_host_backup_duration_seconds", "Time the last backup of this host took",
             seconds(backup.duration));
  if (backup.success) {
    text.gauge("stash_backup_host_data_size_bytes", "Data of this host that was backed up", backup.size_bytes);
    text.gauge("stash_backup_host_data_uploaded_bytes", "Data of this host that was new", backup.uploaded_bytes);
    text.gauge("stash_backup_host_data_processing_time_seconds", "Time restic took for it", backup.processing_seconds);
    text.gauge("stash_backup_host_files_total", "Files of this host", backup.files.total);
    text.gauge("stash_backup_host_files_new", "Files that the snapshot before did not have", backup.files.fresh);
    text.gauge("stash_backup_host_files_modified", "Files that changed since the snapshot before",
               backup.files.modified);
    text.gauge("stash_backup_host_files_unmodified", "Files as in the snapshot before", backup.files.unmodified);
  }
  return text.take() + (repository ? render_repository(labels, *repository) : "");
}

std::string render_repository_metrics(const MetricLabels& labels, const RepositoryMetrics& repository) {
  return render_repository(labels, repository);
}

std::string render_restore_metrics(const MetricLabels& labels, bool success, Nanoseconds duration) {
  const std::string group = group_of(labels.target);
  GaugeText text(host_labels(labels, group));
  text.gauge("stash_restore_host_restore_success", "Whether the last restore of this host succeeded", success ? 1 : 0);
  text.gauge("stash_restore_host_restore_duration_seconds", "Time the last restore of this host took",
             seconds(duration));
  return text.take();
}

std::string push_url(std::string_view base, std::string_view job, std::string_view ns, std::string_view host) {
  return push_group_url(base, {{"job", job}, {"namespace", ns}, {"hostname", host}});
}

}  // namespace stash::sidecar
