#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/backup_session.h"
#include "api/repository.h"
#include "api/shared_types.h"
#include "base/time.h"

/// What is pushed to the Pushgateway: names and labels of Stash 0.9.0-rc.1 and later (contract 11.7).
/// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
namespace stash::sidecar {

struct MetricLabels {
  std::string driver = "Restic";
  api::TargetRef target;
  std::string ns, repository, host;
  friend bool operator==(const MetricLabels&, const MetricLabels&) = default;
};

struct RepositoryMetrics {
  std::string backend, bucket, prefix;
  std::optional<bool> integrity;
  std::optional<std::uint64_t> size_bytes;
  std::optional<int> snapshots, removed;
};
/// What the Repository's status knows: also when this backup failed its numbers must not vanish, for a push replaces
/// all of the last one. Never holds the user info of a REST server's URL.
RepositoryMetrics repository_metrics(const api::Repository& repository);

/// Sums over the paths of one host.
struct BackupMetrics {
  bool prepared = false;  ///< the Repository, its Secret and restic were found
  bool success = false;
  Nanoseconds duration{};
  std::uint64_t size_bytes = 0, uploaded_bytes = 0;
  double processing_seconds = 0;
  api::FileStats files;
};

std::string render_backup_metrics(const MetricLabels& labels, const BackupMetrics& backup,
                                  const std::optional<RepositoryMetrics>& repository);
std::string render_repository_metrics(const MetricLabels& labels, const RepositoryMetrics& repository);
std::string render_restore_metrics(const MetricLabels& labels, bool success, Nanoseconds duration);

/// "<base>/metrics/job/<job>/namespace/<ns>/hostname/<host>": one group per object and host, so that none overwrites
/// another. Values that a path cannot hold are base64, as the Pushgateway defines it.
/// https://github.com/prometheus/pushgateway#url
std::string push_url(std::string_view base, std::string_view job, std::string_view ns, std::string_view host);

}  // namespace stash::sidecar
