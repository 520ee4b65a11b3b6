#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/repository.h"
#include "base/result.h"
#include "inject/containers.h"
#include "inject/pod_policy.h"
#include "inject/volume_plan.h"
#include "inject/wishes.h"

namespace stash::inject {

/// What one BackupConfiguration or RestoreSession asks of a container. All that it points at outlives it.
struct Share {
  std::string object;                                ///< "BackupConfiguration demo/web"
  std::string name;                                  ///< of that object
  const api::Repository* repository;                 ///< nullptr: it cannot be injected now
  std::shared_ptr<const RepositoryVolumes> volumes;  ///< of the repository; null when that is
  bool must_go = false;                              ///< nor may a container that is there go on working for it
  bool held_back = false;                            ///< but a container that is there works for it as it was
  const api::RuntimeSettings* runtime;
  const api::TempDir* temp_dir;
  Result<Wishes> wishes;  ///< both of these, checked
  const std::vector<api::VolumeMount>* mounts;
};

/// A container of ours while it is put together for one object after the other. A value: copy it before a try.
class ContainerDraft {
 public:
  /// For one or more of `shares`: runtimeSettings.container and tempDir are those of the first that has any.
  ContainerDraft(const PodTemplate& pod, VolumePlan volumes, MountedBy mounted_by, const std::vector<Share>& shares);

  /// Adds mounts, Repository and settings of one that has a Repository. After an obstacle the draft is of no use.
  std::optional<Obstacle> add(const Share& share);

  /// What the draft knows of them: not for whom, as whom, with which image and with which resources by default.
  ContainerInputs inputs() const;
  const VolumePlan& volumes() const& { return volumes_; }
  VolumePlan volumes() && { return std::move(volumes_); }
  /// The volumes as asked for, not as found: what the API server adds must not change the hash. The elements of a list,
  /// as JSON text.
  const std::string& sources() const { return sources_; }
  /// Does the container have other settings than this one asks for?
  bool disregards(const Share& share) const;

 private:
  void add_source(std::string_view json);
  std::optional<Obstacle> add_mounts(const Share& share);
  std::optional<Obstacle> add_repository(const Share& share);
  std::optional<Obstacle> add_secret(const VolumeSource& source, RepositoryPlace& place);
  std::optional<Obstacle> add_local(const Share& share, RepositoryPlace& place);
  std::optional<Obstacle> add_common_volumes();
  bool is_free(const std::string& path) const;

  PodTemplate pod_;
  VolumePlan volumes_;
  MountedBy mounted_by_;
  std::string sources_;                                ///< with commas between them
  const Json* runtime_ = nullptr;                      ///< runtimeSettings.container; nullptr: nobody has any
  std::shared_ptr<const ContainerSettings> settings_;  ///< the same, checked
  api::TempDir temp_dir_;
  std::shared_ptr<const VolumeSource> tmp_source_;  ///< of temp_dir_
  std::string tmp_, podinfo_;
  std::vector<api::VolumeMount> mounts_;
  std::vector<RepositoryPlace> repositories_;
};

}  // namespace stash::inject
