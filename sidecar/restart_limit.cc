#include "sidecar/restart_limit.h"

#include <fmt/format.h>

#include "api/names.h"

namespace stash::sidecar {

std::string too_many_restarts(const PodIdentity& pod, int restarts, const std::string& work) {
  return fmt::format(
      "the container {} ended {} times in the middle of {}, which is not tried again. `kubectl -n {} describe "
      "pod {}` says why it ended; if that is OOMKilled, raise runtimeSettings.container.resources.limits.memory",
      api::names::kSidecar, restarts, work, pod.ns, pod.name);
}

}  // namespace stash::sidecar
