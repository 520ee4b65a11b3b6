#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inject/volumes.h"

namespace stash::inject {

struct PlannedVolume {
  std::shared_ptr<const Value> volume;           ///< not null
  bool replaceable = true;                       ///< false: it is there already and others rely on it
  bool sidecar = false, init_container = false;  ///< who mounts it
};
using MountedBy = bool PlannedVolume::*;

/// The volumes that our containers need in one pod, under names that are free there.
class VolumePlan {
 public:
  explicit VolumePlan(const PodTemplate& pod) : pod_(pod) {}

  /// Keeps the volumes that a container which stays as it is mounts.
  void keep(const Json& container, MountedBy by);
  /// The first of `candidates` that is free, ours, or has this very content. nullopt when the user has them all.
  std::optional<std::string> choose(const VolumeNames& candidates, const VolumeSource& source, MountedBy by);
  /// The same, but any of `candidates` that is planned already will do.
  std::optional<std::string> share_or_choose(const VolumeNames& candidates, const VolumeSource& source, MountedBy by);

  /// Of this plan, and as long as it stays as it is.
  std::vector<const Json*> mounted(MountedBy by) const;
  std::vector<PlannedVolume> volumes() && { return std::move(volumes_); }

 private:
  PlannedVolume* find(std::string_view name);
  /// False when the user has that name, and something else under it.
  bool take(std::shared_ptr<const Value> volume, MountedBy by);

  PodTemplate pod_;
  std::vector<PlannedVolume> volumes_;
};

}  // namespace stash::inject
