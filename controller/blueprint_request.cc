#include "controller/blueprint_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "api/names.h"
#include "api/schedule.h"
#include "base/text.h"
#include "inject/configuration_rules.h"
#include "inject/workload_view.h"

namespace stash::controller {
namespace {

namespace names = api::names;

constexpr std::string_view kScheduleAnnotation = "stash.appscode.com/schedule";  ///< of later releases of Stash

std::vector<std::string> trimmed_parts(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (const std::string_view part : split(text, separator)) parts.emplace_back(trimmed(part));
  return parts;
}

/// The parts between commas; empty ones, as after a last comma, mean nothing.
std::vector<std::string> listed(const Json& workload, std::string_view annotation) {
  auto parts = trimmed_parts(string_at(workload, {"metadata", "annotations", annotation}), ',');
  std::erase(parts, "");
  return parts;
}

std::unexpected<Error> wrong(std::string_view annotation, std::string_view why) {
  return fail(ErrorCode::invalid, fmt::format("annotation {} {}", annotation, why));
}

Result<api::VolumeMount> mount_of(const std::string& text) {
  const auto parts = trimmed_parts(text, ':');
  const bool complete = (parts.size() == 2 || parts.size() == 3) && std::ranges::count(parts, "") == 0;
  if (!complete) {
    return wrong(names::kVolumeMountsAnnotation,
                 fmt::format("has {:?}; write volume:/path or volume:/path:subPath", text));
  }
  if (!parts[1].starts_with('/')) {
    return wrong(names::kVolumeMountsAnnotation, fmt::format("has {:?}, whose path does not begin with a slash", text));
  }
  return api::VolumeMount{parts[0], parts[1], parts.size() == 3 ? parts[2] : ""};
}

Result<void> check_volume(const Json& workload, const std::string& volume) {
  auto volumes = inject::mountable_volumes(workload);
  if (std::ranges::count(volumes, volume) != 0) return {};
  // Ours are there since an earlier injection, and are not for this.
  std::erase_if(volumes,
                [](const std::string& name) { return name.starts_with("stash-") || name == names::kTmpVolume; });
  return wrong(names::kVolumeMountsAnnotation,
               volumes.empty() ? fmt::format("names the volume {}, and the pod has none", volume)
                               : fmt::format("names the volume {}, which the pod does not have; it has {}", volume,
                                             fmt::join(volumes, ", ")));
}

Result<void> check_path(const std::string& path, const std::vector<api::VolumeMount>& mounts) {
  if (!path.starts_with('/')) {
    return wrong(names::kTargetPathsAnnotation, fmt::format("has {:?}, which does not begin with a slash", path));
  }
  if (inject::is_mounted(path, mounts)) return {};
  return wrong(names::kTargetPathsAnnotation,
               fmt::format("has {}, which is below no mount of annotation {}; add the volume that it is in", path,
                           names::kVolumeMountsAnnotation));
}

std::string text_of(const Json& workload, std::string_view annotation) {
  return std::string(trimmed(string_at(workload, {"metadata", "annotations", annotation})));
}

}  // namespace

std::string blueprint_of(const Json& workload) { return text_of(workload, names::kBlueprintAnnotation); }

Result<BlueprintRequest> blueprint_request(const Json& workload) {
  BlueprintRequest request;
  request.blueprint = blueprint_of(workload);
  if (request.blueprint.contains(',')) {
    return wrong(names::kBlueprintAnnotation,
                 fmt::format("names several BackupBlueprints, {}; name one, and write a BackupConfiguration for each "
                             "further backup",
                             fmt::join(listed(workload, names::kBlueprintAnnotation), " and ")));
  }
  request.schedule = text_of(workload, kScheduleAnnotation);
  if (!request.schedule.empty()) {
    if (const auto schedule = api::parse_schedule(request.schedule); !schedule) {
      return wrong(kScheduleAnnotation, "is no schedule: " + schedule.error().message);
    }
  }
  request.paths = listed(workload, names::kTargetPathsAnnotation);
  if (request.paths.empty()) {
    return wrong(names::kTargetPathsAnnotation, "is missing or empty; list what to back up, as in /data,/config");
  }
  for (const std::string& text : listed(workload, names::kVolumeMountsAnnotation)) {
    TRY(api::VolumeMount mount, mount_of(text));
    TRY_VOID(check_volume(workload, mount.name));
    request.mounts.push_back(std::move(mount));
  }
  if (request.mounts.empty()) {
    return wrong(names::kVolumeMountsAnnotation,
                 "is missing or empty; list the volumes to mount, as in data:/data,config:/config");
  }
  for (const std::string& path : request.paths) TRY_VOID(check_path(path, request.mounts));
  return request;
}

}  // namespace stash::controller
