#include "inject/volume_plan.h"

#include <algorithm>

#include "inject/covers.h"
#include "inject/workload_view.h"

namespace stash::inject {

PlannedVolume* VolumePlan::find(std::string_view name) {
  const auto found = std::ranges::find_if(
      volumes_, [&](const PlannedVolume& planned) { return text_at(planned.volume, {"name"}) == name; });
  return found == volumes_.end() ? nullptr : &*found;
}

void VolumePlan::keep(const Json& container, MountedBy by) {
  for (const std::string& name : all_volume_names()) {
    const VolumeOwner owner = owner_of(*workload_, name);
    const bool ours = owner == VolumeOwner::ours || owner == VolumeOwner::shared;
    if (!ours || named(array_at(container, {"volumeMounts"}), name) == nullptr) continue;
    if (find(name) == nullptr) {
      volumes_.push_back({.volume = *named(volumes_of(*workload_), name), .replaceable = false});
    }
    find(name)->*by = true;
  }
}

std::optional<std::string> VolumePlan::choose(const VolumeNames& candidates, Json source, MountedBy by) {
  Json& volume = source;
  for (const std::string& name : candidates) {
    volume["name"] = name;
    if (PlannedVolume* planned = find(name)) {
      if (!covers(planned->volume, volume)) continue;
      planned->*by = true;
      return name;
    }
    const VolumeOwner owner = owner_of(*workload_, name);
    const bool ours = owner == VolumeOwner::absent || owner == VolumeOwner::ours;
    // A volume that nobody mounts is one that we left behind, unless its name is an everyday one.
    const bool adoptable = owner == VolumeOwner::shared || (owner == VolumeOwner::unused && is_reserved(name));
    if (!ours && !(adoptable && covers(*named(volumes_of(*workload_), name), volume))) continue;
    volumes_.push_back({.volume = std::move(volume), .replaceable = ours});
    volumes_.back().*by = true;
    return name;
  }
  return std::nullopt;
}

std::optional<std::string> VolumePlan::share_or_choose(const VolumeNames& candidates, const Json& source,
                                                       MountedBy by) {
  for (const std::string& name : candidates) {
    if (PlannedVolume* planned = find(name)) {
      planned->*by = true;
      return name;
    }
  }
  return choose(candidates, source, by);
}

std::vector<const Json*> VolumePlan::mounted(MountedBy by) const {
  std::vector<const Json*> found;
  for (const PlannedVolume& planned : volumes_) {
    if (planned.*by) found.push_back(&planned.volume);
  }
  return found;
}

}  // namespace stash::inject
