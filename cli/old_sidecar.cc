#include "cli/old_sidecar.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "api/workload_kind.h"
#include "cli/object.h"
#include "inject/identity.h"
#include "inject/workload_view.h"

namespace stash::cli {
namespace {

constexpr std::int64_t kUserOfTheirImage = 65535;

std::int64_t old_user(const Json& workload) {
  const Json* sidecar = inject::sidecar_of(workload);
  const std::int64_t of_pod = int_at(inject::pod_spec(workload), {"securityContext", "runAsUser"}, kUserOfTheirImage);
  return sidecar == nullptr ? of_pod : int_at(*sidecar, {"securityContext", "runAsUser"}, of_pod);
}

/// Without regard to Pod Security "restricted", which would only make root the user of the image, theirs too.
std::int64_t new_user(const Json& workload, const api::BackupConfiguration& configuration) {
  const Json wishes = object_at(configuration.spec.runtime_settings.container, {"securityContext"});
  const inject::Identity identity = inject::sidecar_identity(workload, configuration.spec.target->volume_mounts,
                                                             inject::PodSecurity::privileged, wishes);
  return int_at(inject::security_context(identity, wishes), {"runAsUser"});
}

bool is_on_a_volume(const Lists& lists, const std::string& ns, const std::string& name) {
  return std::ranges::any_of(list_of(lists, "repositories"), [&](const Json& repository) {
    return ns_of(repository) == ns && name_of(repository) == name &&
           at(repository, {"spec", "backend", "local"}) != nullptr;
  });
}

/// restic makes the directories of a repository for their owner alone; root may read them all the same.
std::string change_of_user(const Lists& lists, const api::WorkloadKind& kind, const Json& workload,
                           const Json& object) {
  const auto configuration = api::decode<api::BackupConfiguration>(object);
  if (!configuration || !configuration->spec.target) return "";
  const api::TargetRef& ref = configuration->spec.target->ref;
  if (api::workload_kind(ref) != &kind || ref.name != name_of(workload) || ns_of(object) != ns_of(workload)) return "";
  if (!is_on_a_volume(lists, ns_of(object), configuration->spec.repository)) return "";
  const std::int64_t was = old_user(workload), is = new_user(workload, *configuration);
  if (is == was || is == 0) return "";
  return fmt::format(
      "BackupConfiguration {}: the old sidecar wrote its repository as user {}, and the new one is user {}; if it may "
      "not read the repository, set spec.runtimeSettings.container.securityContext.runAsUser to {}",
      ref_of(object), was, is, was);
}

}  // namespace

bool is_old_image(std::string_view image) {
  return std::ranges::any_of(kOldImages, [image](std::string_view old) { return image.contains(old); });
}

bool has_old_sidecar(const Json& workload) {
  const Json* sidecar = inject::sidecar_of(workload);
  return sidecar != nullptr && is_old_image(string_at(*sidecar, {"image"}));
}

std::vector<std::string> old_sidecars(const Lists& lists) {
  std::vector<std::string> lines;
  for (const api::WorkloadKind& kind : api::workload_kinds()) {
    for (const Json& workload : list_of(lists, std::string(kind.resource.plural))) {
      if (!has_old_sidecar(workload)) continue;
      lines.push_back(fmt::format("old sidecar in {} {}: it is replaced, which restarts the pods once",
                                  kind.resource.kind, ref_of(workload)));
      for (const Json& object : list_of(lists, "backupconfigurations")) {
        std::string line = change_of_user(lists, kind, workload, object);
        if (!line.empty()) lines.push_back(std::move(line));
      }
    }
  }
  return lines;
}

}  // namespace stash::cli
