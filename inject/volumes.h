#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/repository.h"
#include "api/shared_types.h"
#include "base/result.h"
#include "inject/operations.h"
#include "inject/workload_view.h"

/// The volumes of our containers: their names and their sources.
namespace stash::inject {

/// Names for one volume, the contract's first. The second serves when the user's pod has a volume of that name, or when
/// a restore reads another Repository than the one that is backed up to.
using VolumeNames = std::vector<std::string>;
const VolumeNames& tmp_volume_names();
const VolumeNames& podinfo_volume_names();
const VolumeNames& secret_volume_names();
const VolumeNames& local_volume_names();
/// For the further Repositories of a workload with several BackupConfigurations: "stash-secret-volume-2", ...
const VolumeNames& further_secret_volume_names();
const VolumeNames& further_local_volume_names();
/// All of these, and that of an older Stash that we remove but never add.
const VolumeNames& all_volume_names();
/// May a target name this volume? Not when we would take it for ours.
bool is_reserved(std::string_view volume);

/// A volume's source, as it stands beside the name.
struct VolumeSource {
  Json json;
  std::string text;                    ///< the same
  std::shared_ptr<const Value> usual;  ///< the volume, under the name that is free in most pods
};
VolumeSource volume_source(Json json, const VolumeNames& candidates);

/// A volume that the API server would refuse must not get here.
Result<Json> tmp_source(const api::TempDir& temp_dir);  ///< error invalid
const VolumeSource& podinfo_source();
Json secret_source(const std::string& secret);
/// Of a local backend: hostPath, persistentVolumeClaim, nfs and emptyDir. Error invalid for bad content, denied for a
/// source that this version does not know.
Result<Json> local_source(const api::LocalBackend& local);

/// The volumes that the backend of a Repository brings along.
struct RepositoryVolumes {
  VolumeSource secret;
  std::optional<Result<VolumeSource>> local;  ///< of a local backend; its error as local_source says
};
std::shared_ptr<const RepositoryVolumes> volumes_of(const api::Backend& backend);

enum class VolumeOwner {
  absent,   ///< the pod has no volume of that name
  ours,     ///< only our containers mount it, where we mount such a volume
  shared,   ///< ours do, and others too
  foreign,  ///< others do
  unused,   ///< nobody does
};
VolumeOwner owner_of(const PodTemplate& pod, std::string_view volume);

}  // namespace stash::inject
