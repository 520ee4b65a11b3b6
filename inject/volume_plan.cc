#include "inject/volume_plan.h"

#include <algorithm>

#include "inject/covers.h"
#include "inject/workload_view.h"

namespace stash::inject {

PlannedVolume* VolumePlan::find(std::string_view name) {
  const auto found = std::ranges::find_if(
      volumes_, [&](const PlannedVolume& planned) { return text_at(planned.volume->json, {"name"}) == name; });
  return found == volumes_.end() ? nullptr : &*found;
}

void VolumePlan::keep(const Json& container, MountedBy by) {
  for (const std::string& name : all_volume_names()) {
    const VolumeOwner owner = owner_of(pod_, name);
    const bool ours = owner == VolumeOwner::ours || owner == VolumeOwner::shared;
    if (!ours || named(array_at(container, {"volumeMounts"}), name) == nullptr) continue;
    if (find(name) == nullptr) {
      volumes_.push_back(
          {.volume = std::make_shared<const Value>(*named(volumes_of(pod_), name)), .replaceable = false});
    }
    find(name)->*by = true;
  }
}

bool VolumePlan::take(std::shared_ptr<const Value> volume, MountedBy by) {
  const std::string_view name = text_at(volume->json, {"name"});
  if (PlannedVolume* planned = find(name)) {
    if (!covers(planned->volume->json, volume->json)) return false;
    planned->*by = true;
    return true;
  }
  const VolumeOwner owner = owner_of(pod_, name);
  const bool ours = owner == VolumeOwner::absent || owner == VolumeOwner::ours;
  // A volume that nobody mounts is one that we left behind, unless its name is an everyday one.
  const bool adoptable = owner == VolumeOwner::shared || (owner == VolumeOwner::unused && is_reserved(name));
  if (!ours && !(adoptable && covers(*named(volumes_of(pod_), name), volume->json))) return false;
  volumes_.push_back({.volume = std::move(volume), .replaceable = ours});
  volumes_.back().*by = true;
  return true;
}

std::optional<std::string> VolumePlan::choose(const VolumeNames& candidates, const VolumeSource& source, MountedBy by) {
  for (const std::string& name : candidates) {
    std::shared_ptr<const Value> volume = source.usual;
    if (text_at(volume->json, {"name"}) != name) {
      Json other = source.json;
      other["name"] = name;
      volume = std::make_shared<const Value>(std::move(other));
    }
    if (take(std::move(volume), by)) return name;
  }
  return std::nullopt;
}

std::optional<std::string> VolumePlan::share_or_choose(const VolumeNames& candidates, const VolumeSource& source,
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
    if (planned.*by) found.push_back(&planned.volume->json);
  }
  return found;
}

}  // namespace stash::inject
