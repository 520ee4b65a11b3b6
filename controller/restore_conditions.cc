#include "controller/restore_conditions.h"

#include <fmt/format.h>

#include "api/names.h"
#include "controller/reasons.h"

namespace stash::controller {
namespace {

namespace names = api::names;

void set_target_found(StatusDraft& status, const RestoreWorld& world, const api::RestoreSession& session) {
  const auto& target = session.spec.target;
  const std::string name =
      target ? fmt::format("{} {}/{}", target->ref.kind, session.metadata.ns, target->ref.name) : "no target";
  if (!target || api::workload_kind(target->ref) == nullptr) {
    status.set(names::kRestoreTargetFound, "False", reasons::kNotSupported,
               !target ? "no target; create a RestoreSession with spec.target.ref"
                       : fmt::format("{} of {} is not supported by this version; supported: {}", name,
                                     target->ref.api_version, api::workload_kind_names()));
  } else if (world.target.workload) {
    status.set(names::kRestoreTargetFound, "True", reasons::kTargetAvailable, name + " exists");
  } else {
    status.set(names::kRestoreTargetFound, "False", reasons::kTargetNotAvailable,
               name + " does not exist; create it, or create a RestoreSession that names another");
  }
}

void set_injected(StatusDraft& status, const RestoreWorld& world, const api::RestoreSession& session) {
  const TargetWorld& target = world.target;
  if (world.injected == session.metadata.name) {
    status.set(names::kInitContainerInjected, "True", reasons::kInitContainerInjected,
               fmt::format("the init container is in the pod template of {} {}/{}", target.ref.kind, target.ns,
                           target.ref.name));
    return;
  }
  // Of one that failed, the container was there, and goes with a newer RestoreSession.
  if (status.phase() == "Failed") return;
  const auto obstacle = find_obstacle(target);
  if (obstacle && obstacle->reason != reasons::kInjectionMissing && target.workload &&
      !target.workload->has_container) {
    status.set(names::kInitContainerInjected, "False", obstacle->reason, obstacle->message);
  } else if (!target.workload) {
    status.set(names::kInitContainerInjected, "False", reasons::kTargetNotAvailable,
               "there is no workload to inject into");
  } else {
    status.set(names::kInitContainerInjected, "Unknown", reasons::kInitContainerPending,
               fmt::format("waiting for the init container to be injected into {} {}/{}", target.ref.kind, target.ns,
                           target.ref.name));
  }
}

}  // namespace

void set_restore_conditions(StatusDraft& status, const RestoreWorld& world, const api::RestoreSession& session) {
  set_target_found(status, world, session);
  if (session.spec.target) set_injected(status, world, session);
}

}  // namespace stash::controller
