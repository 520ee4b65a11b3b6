#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/backup_session.h"
#include "api/meta.h"

namespace stash::api {

/// `volume_source` is the inline Kubernetes volume source beside mountPath: {"hostPath": {...}}.
struct LocalBackend {
  Json volume_source = Json::object();
  std::string mount_path, sub_path;
  friend bool operator==(const LocalBackend&, const LocalBackend&) = default;
};
struct S3Backend {
  std::string endpoint, bucket, prefix, region;
  friend bool operator==(const S3Backend&, const S3Backend&) = default;
};
/// gcs (bucket), azure (container), swift (container), b2 (bucket).
struct BucketBackend {
  std::string bucket, prefix;
  int max_connections = 0;
  friend bool operator==(const BucketBackend&, const BucketBackend&) = default;
};
struct RestBackend {
  std::string url;
  friend bool operator==(const RestBackend&, const RestBackend&) = default;
};

/// Exactly one block in practice; with more, the first in this order wins.
struct Backend {
  std::string storage_secret_name;
  std::optional<LocalBackend> local;
  std::optional<S3Backend> s3;
  std::optional<BucketBackend> gcs, azure, swift, b2;
  std::optional<RestBackend> rest;
  friend bool operator==(const Backend&, const Backend&) = default;
};
/// "local", "s3", "gcs", "azure", "swift", "b2", "rest", or "" when no block is present.
std::string_view backend_kind(const Backend& backend);
/// The PersistentVolumeClaim that the repository is on; "" for all others.
std::string claim_name(const Backend& backend);

struct RepositorySpec {
  Backend backend;
  bool wipe_out = false;
  friend bool operator==(const RepositorySpec&, const RepositorySpec&) = default;
};

struct RepositoryStatus {
  std::int64_t observed_generation = 0;
  std::optional<TimePoint> first_backup_time, last_backup_time;
  std::optional<TimePoint> first_snapshot_time;  ///< when its backup failed, and none had succeeded before
  std::optional<bool> integrity;
  std::optional<TimePoint> last_check_time;  ///< when `integrity` was found
  std::optional<WorkingPod> initialisation;  ///< the pod that makes the restic repository now
  std::string total_size;                    ///< formatted; read from totalSize or size, written to both
  int snapshot_count = 0, snapshots_removed_on_last_cleanup = 0;
  std::vector<Condition> conditions;
  friend bool operator==(const RepositoryStatus&, const RepositoryStatus&) = default;
};

struct Repository {
  ObjectMeta metadata;
  RepositorySpec spec;
  RepositoryStatus status;
  friend bool operator==(const Repository&, const Repository&) = default;
};

}  // namespace stash::api
