#include "inject/repository_sharing.h"

#include <fmt/format.h>

#include "api/backend_place.h"

namespace stash::inject {

using api::HostScheme;

std::string lost_with_pods(const std::string& label, const api::Backend& backend, HostScheme hosts) {
  if (api::sharing_of(backend) != api::Sharing::pod) return "";
  return fmt::format("{} is an emptyDir: the backups are lost with their pod{}", label,
                     hosts == HostScheme::single ? "" : ", and each pod has a repository of its own");
}

std::string apart_on_nodes(const std::string& label, const api::Backend& backend, HostScheme hosts) {
  if (api::sharing_of(backend) != api::Sharing::node || hosts == HostScheme::single) return "";
  return fmt::format(
      "{} is the hostPath {}: unless that is the same network mount on every node, each node has a repository of its "
      "own there; a persistentVolumeClaim with ReadWriteMany is one for all",
      label, string_at(backend.local->volume_source, {"hostPath", "path"}));
}

}  // namespace stash::inject
