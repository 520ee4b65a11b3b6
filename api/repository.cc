#include "api/repository.h"

#include "api/kind_codec.h"
#include "api/session_fields.h"
#include "api/shared_fields.h"

namespace stash::api {
namespace {

/// Kubernetes' volume sources. Others are not taken over: a volume without a known source would make the API server
/// refuse the user's workload. https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume/
constexpr std::string_view kVolumeSources[] = {"awsElasticBlockStore",
                                               "azureDisk",
                                               "azureFile",
                                               "cephfs",
                                               "cinder",
                                               "configMap",
                                               "csi",
                                               "downwardAPI",
                                               "emptyDir",
                                               "ephemeral",
                                               "fc",
                                               "flexVolume",
                                               "flocker",
                                               "gcePersistentDisk",
                                               "gitRepo",
                                               "glusterfs",
                                               "hostPath",
                                               "image",
                                               "iscsi",
                                               "nfs",
                                               "persistentVolumeClaim",
                                               "photonPersistentDisk",
                                               "portworxVolume",
                                               "projected",
                                               "quobyte",
                                               "rbd",
                                               "scaleIO",
                                               "secret",
                                               "storageos",
                                               "vsphereVolume"};

constexpr schema::CelRule kBackendRules[] = {
    {"!has(self.local) || !has(self.local.mountPath) || !self.local.mountPath.matches('^/*stash(/.*)?$')",
     "local.mountPath must not be /stash or below it: this path is reserved for Stash itself; use another one, such as "
     "/safe/data"}};

constexpr schema::CelRule kSpecRules[] = {
    {"!(has(self.wipeOut) && self.wipeOut && has(self.backend) && has(self.backend.local))",
     "wipeOut cannot be true with a local backend: Stash does not delete data from a volume; remove wipeOut and delete "
     "the "
     "data by hand when it is no longer needed"},
    {"!(has(self.wipeOut) && self.wipeOut && has(self.backend) && has(self.backend.b2))",
     "wipeOut cannot be true with a b2 backend: Stash does not delete data from Backblaze B2; remove wipeOut and "
     "delete the "
     "data by hand when it is no longer needed"}};

/// One struct for gcs, b2, azure and swift, whose fields differ a little on the wire.
struct GcsOrB2 {};
struct Azure {};
struct Swift {};

}  // namespace

constexpr auto fields(Of<LocalBackend>) {
  return std::tuple{Field{"mountPath",
                          &LocalBackend::mount_path,
                          "Where the volume is mounted in Stash's container; the repository is there.",
                          {.max_length = 4096}},
                    Field{"subPath", &LocalBackend::sub_path, "Directory of the volume to use instead of its root."},
                    Inline<LocalBackend>{&LocalBackend::volume_source, kVolumeSources,
                                         "Kubernetes volume source; exactly one is given."}};
}

constexpr auto fields(Of<S3Backend>) {
  return std::tuple{Field{"endpoint", &S3Backend::endpoint, "Host, or URL such as http://minio.demo.svc:9000."},
                    Field{"bucket", &S3Backend::bucket, "Name of the bucket."},
                    Field{"prefix", &S3Backend::prefix, "Directory inside the bucket."},
                    Field{"region", &S3Backend::region, "Region of the bucket."}};
}

constexpr auto fields(Of<GcsOrB2>) {
  return std::tuple{
      Field{"bucket", &BucketBackend::bucket, "Name of the bucket."},
      Field{"prefix", &BucketBackend::prefix, "Directory inside the bucket."},
      Field{"maxConnections", &BucketBackend::max_connections, "Connections to open at most; 0: restic's default."}};
}

constexpr auto fields(Of<Azure>) {
  return std::tuple{
      Field{"container", &BucketBackend::bucket, "Name of the container."},
      Field{"prefix", &BucketBackend::prefix, "Directory inside the container."},
      Field{"maxConnections", &BucketBackend::max_connections, "Connections to open at most; 0: restic's default."}};
}

constexpr auto fields(Of<Swift>) {
  return std::tuple{Field{"container", &BucketBackend::bucket, "Name of the container."},
                    Field{"prefix", &BucketBackend::prefix, "Directory inside the container."}};
}

constexpr auto fields(Of<RestBackend>) {
  return std::tuple{Field{"url", &RestBackend::url, "URL of the REST server and the path of the repository on it."}};
}

constexpr auto fields(Of<Backend>) {
  return std::tuple{Field{"storageSecretName", &Backend::storage_secret_name,
                          "Secret of this namespace with RESTIC_PASSWORD and the backend's credentials."},
                    Field{"local", &Backend::local, "A volume of the cluster."},
                    Field{"s3", &Backend::s3, "Amazon S3 or a compatible store."},
                    Field{"gcs", &Backend::gcs, as<GcsOrB2>(), "Google Cloud Storage."},
                    Field{"azure", &Backend::azure, as<Azure>(), "Azure Blob Storage."},
                    Field{"swift", &Backend::swift, as<Swift>(), "OpenStack Swift."},
                    Field{"b2", &Backend::b2, as<GcsOrB2>(), "Backblaze B2."},
                    Field{"rest", &Backend::rest, "restic's REST server."}};
}

constexpr auto fields(Of<RepositorySpec>) {
  return std::tuple{Field{"backend",
                          &RepositorySpec::backend,
                          "Where the restic repository is: storageSecretName and exactly one of the other blocks.",
                          {.rules = kBackendRules}},
                    Field{"wipeOut", &RepositorySpec::wipe_out,
                          "Remove all snapshots and their data when this Repository is deleted."}};
}

constexpr std::span<const schema::CelRule> rules(Of<RepositorySpec>) { return kSpecRules; }

constexpr auto fields(Of<RepositoryStatus>) {
  return std::tuple{
      Field{"observedGeneration", &RepositoryStatus::observed_generation, as<Generation>(),
            "metadata.generation that this status is about."},
      Field{"firstBackupTime", &RepositoryStatus::first_backup_time, "Time of the first successful backup."},
      Field{"lastBackupTime", &RepositoryStatus::last_backup_time, "Time of the last successful backup."},
      Field{"integrity", &RepositoryStatus::integrity, "Whether the last check found the repository sound."},
      Field{"lastCheckTime", &RepositoryStatus::last_check_time, "Time of that check."},
      Field{"initialisation", &RepositoryStatus::initialisation, "Which pod makes the restic repository now."},
      Field{"totalSize",
            &RepositoryStatus::total_size,
            "Size of all that can be restored.",
            {.older = "size", .write_older = true}},
      Field{"snapshotCount", &RepositoryStatus::snapshot_count, "Snapshots in the repository.", {.always = true}},
      Field{"snapshotsRemovedOnLastCleanup",
            &RepositoryStatus::snapshots_removed_on_last_cleanup,
            "Snapshots that the retention policy removed last time.",
            {.always = true}},
      Field{
          "conditions", &RepositoryStatus::conditions, "What Stash says about this Repository.", {.list_key = "type"}},
      Accepts{"lastSuccessfulBackupTime", as<TimePoint>(), "Older API; never written."},
      Accepts{"lastBackupDuration", as<std::string>(), "Older API; never written."},
      Accepts{"backupCount", as<std::int64_t>(), "Older API; never written."}};
}

std::string_view backend_kind(const Backend& backend) {
  if (backend.local) return "local";
  if (backend.s3) return "s3";
  if (backend.gcs) return "gcs";
  if (backend.azure) return "azure";
  if (backend.swift) return "swift";
  if (backend.b2) return "b2";
  if (backend.rest) return "rest";
  return "";
}

std::string claim_name(const Backend& backend) {
  return backend.local ? string_at(backend.local->volume_source, {"persistentVolumeClaim", "claimName"}) : "";
}

template <>
const KindFacts& facts<Repository>() {
  static const KindFacts facts{.resource = kRepositories,
                               .doc = "Where a restic repository is and how to open it.",
                               .versions = {"v1alpha1", "v1beta1"},
                               .short_names = {"repo"},
                               .categories = {"stash", "appscode", "storage"},
                               .columns = {{"Integrity", "boolean", ".status.integrity"},
                                           {"Size", "string", ".status.totalSize"},
                                           {"Snapshot-Count", "integer", ".status.snapshotCount"},
                                           {"Last-Successful-Backup", "date", ".status.lastBackupTime"}},
                               .rules = {}};
  return facts;
}

STASH_API_KIND(Repository)

Json encode_status(const RepositoryStatus& status) { return Coded<RepositoryStatus>::write(status); }

}  // namespace stash::api
