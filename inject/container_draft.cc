#include "inject/container_draft.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "inject/workload_view.h"

namespace stash::inject {
namespace {

namespace names = api::names;

Obstacle name_taken(const VolumeNames& candidates) {
  return {Reason::volume_name_taken,
          fmt::format("the pod template has a volume named {} that is not Stash's; rename it", candidates.back())};
}

Obstacle malformed(const Error& error) { return {Reason::malformed, error.message}; }

bool says_something(const Json& settings) { return settings.is_object() && !settings.empty(); }

bool is_default(const api::TempDir& temp_dir) { return temp_dir == api::TempDir{}; }

}  // namespace

ContainerDraft::ContainerDraft(const PodTemplate& pod, VolumePlan volumes, MountedBy mounted_by,
                               const std::vector<Share>& shares)
    : pod_(pod), volumes_(std::move(volumes)), mounted_by_(mounted_by) {
  for (const Share& share : shares) {
    if (share.repository == nullptr || !share.wishes) continue;
    if (runtime_ == nullptr || !says_something(*runtime_)) {
      runtime_ = &share.runtime->container;
      settings_ = share.wishes->settings;
    }
    if (tmp_source_ == nullptr || is_default(temp_dir_)) {
      temp_dir_ = *share.temp_dir;
      tmp_source_ = share.wishes->tmp;
    }
  }
}

std::optional<Obstacle> ContainerDraft::add(const Share& share) {
  if (!share.wishes) return malformed(share.wishes.error());
  if (auto obstacle = mount_obstacle(pod_, *share.mounts, share.repository->spec.backend.local)) return obstacle;
  if (tmp_.empty()) {
    if (auto obstacle = add_common_volumes()) return obstacle;
  }
  if (auto obstacle = add_mounts(share)) return obstacle;
  return add_repository(share);
}

bool ContainerDraft::disregards(const Share& share) const {
  return (says_something(share.runtime->container) && share.runtime->container != *runtime_) ||
         (!is_default(*share.temp_dir) && *share.temp_dir != temp_dir_);
}

std::optional<Obstacle> ContainerDraft::add_common_volumes() {
  // Both containers use one tmp volume: the backup's, which is asked for first.
  const auto tmp_name = volumes_.share_or_choose(tmp_volume_names(), *tmp_source_, mounted_by_);
  if (!tmp_name) return name_taken(tmp_volume_names());
  const auto podinfo_name = volumes_.choose(podinfo_volume_names(), podinfo_source(), mounted_by_);
  if (!podinfo_name) return name_taken(podinfo_volume_names());
  tmp_ = *tmp_name;
  podinfo_ = *podinfo_name;
  add_source(tmp_source_->text);
  add_source(podinfo_source().text);
  return std::nullopt;
}

std::optional<Obstacle> ContainerDraft::add_mounts(const Share& share) {
  for (const api::VolumeMount& mount : *share.mounts) {
    const auto same_place = std::ranges::find_if(
        mounts_, [&](const api::VolumeMount& other) { return tidy(other.mount_path) == tidy(mount.mount_path); });
    if (same_place == mounts_.end()) {
      for (const RepositoryPlace& place : repositories_) {
        if (place.local_volume.empty() || !overlap(place.local_path, mount.mount_path)) continue;
        return Obstacle{
            Reason::mount_path_taken,
            fmt::format("{} and the mountPath {} of Repository {}, which the same sidecar serves, lie one in "
                        "the other; mount volume {} elsewhere",
                        mount.mount_path, place.local_path, place.repository, mount.name)};
      }
      mounts_.push_back(mount);
    } else if (same_place->name != mount.name || same_place->sub_path != mount.sub_path) {
      return Obstacle{
          Reason::mount_path_taken,
          fmt::format("another BackupConfiguration of this workload mounts volume {} at {}, and one sidecar "
                      "serves both; mount volume {} elsewhere",
                      same_place->name, mount.mount_path, mount.name)};
    }
  }
  return std::nullopt;
}

std::optional<Obstacle> ContainerDraft::add_repository(const Share& share) {
  const api::Repository& repository = *share.repository;
  const auto is_it = [&](const RepositoryPlace& place) { return place.repository == repository.metadata.name; };
  if (std::ranges::any_of(repositories_, is_it)) return std::nullopt;
  RepositoryPlace place;
  place.repository = repository.metadata.name;
  place.storage_secret = repository.spec.backend.storage_secret_name;
  if (auto obstacle = add_secret(share.volumes->secret, place)) return obstacle;
  if (repository.spec.backend.local) {
    if (auto obstacle = add_local(share, place)) return obstacle;
  }
  repositories_.push_back(std::move(place));
  return std::nullopt;
}

std::optional<Obstacle> ContainerDraft::add_secret(const VolumeSource& source, RepositoryPlace& place) {
  const auto known = std::ranges::find(repositories_, place.storage_secret, &RepositoryPlace::storage_secret);
  if (known != repositories_.end()) {
    place.secret_volume = known->secret_volume;
    place.secret_path = known->secret_path;
    return std::nullopt;
  }
  const bool first = repositories_.empty();
  const VolumeNames& candidates = first ? secret_volume_names() : further_secret_volume_names();
  add_source(source.text);
  const auto volume = volumes_.choose(candidates, source, mounted_by_);
  if (!volume) return name_taken(candidates);
  place.secret_volume = *volume;
  place.secret_path = first ? std::string(names::kSecretPath)
                            : fmt::format("{}/repositories/{}", names::kPodinfoPath, place.repository);
  return std::nullopt;
}

std::optional<Obstacle> ContainerDraft::add_local(const Share& share, RepositoryPlace& place) {
  const api::LocalBackend& local = *share.repository->spec.backend.local;
  const Result<VolumeSource>& source = *share.volumes->local;
  if (!source) return malformed(source.error());
  const VolumeNames& candidates = repositories_.empty() ? local_volume_names() : further_local_volume_names();
  add_source(source->text);
  const auto volume = volumes_.choose(candidates, *source, mounted_by_);
  if (!volume) return name_taken(candidates);
  place.local_volume = *volume;
  place.local_sub_path = local.sub_path;
  place.local_path = local.mount_path;
  if (!is_free(place.local_path)) {
    // Where a repository is mounted is no part of it, so another place does as well.
    place.local_path = "/stash-repositories/" + place.repository;
    place.moved = true;
  }
  return std::nullopt;
}

void ContainerDraft::add_source(std::string_view json) {
  if (!sources_.empty()) sources_ += ',';
  sources_ += json;
}

bool ContainerDraft::is_free(const std::string& path) const {
  return std::ranges::none_of(repositories_,
                              [&](const RepositoryPlace& place) {
                                return !place.local_volume.empty() && overlap(place.local_path, path);
                              }) &&
         std::ranges::none_of(mounts_, [&](const api::VolumeMount& mount) { return overlap(mount.mount_path, path); });
}

ContainerInputs ContainerDraft::inputs() const {
  return {.objects = {},
          .runtime = settings_,
          .temp_dir = temp_dir_,
          .tmp_volume = tmp_,
          .podinfo_volume = podinfo_,
          .mounts = mounts_,
          .repositories = repositories_};
}

}  // namespace stash::inject
