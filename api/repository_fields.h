#pragma once
#include "api/fields.h"
#include "api/repository.h"

/// Tables of what a Repository and a BackupBlueprint, which makes some, have in common.
namespace stash::api {

/// Kubernetes' volume sources. Others are not taken over: a volume without a known source would make the API server
/// refuse the user's workload. https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume/
inline constexpr std::string_view kVolumeSources[] = {"awsElasticBlockStore",
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

inline constexpr schema::CelRule kBackendRules[] = {
    {"!has(self.local) || !has(self.local.mountPath) || !self.local.mountPath.matches('^/*stash(/.*)?$')",
     "local.mountPath must not be /stash or below it: this path is reserved for Stash itself; use another one, such as "
     "/safe/data"}};

inline constexpr schema::CelRule kRepositoryRules[] = {
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

inline constexpr std::string_view kBackendDoc =
    "Where the restic repository is: storageSecretName and exactly one of the other blocks.";
inline constexpr std::string_view kWipeOutDoc = "Remove all snapshots and their data when this Repository is deleted.";

}  // namespace stash::api
