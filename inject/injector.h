#pragma once
#include <optional>
#include <vector>

#include "inject/decision.h"
#include "inject/operations.h"

namespace stash::inject {

struct Injection {
  Operations patch;                                      ///< of the workload; empty: nothing to do
  std::vector<Finding> findings;                         ///< Desired's findings and what the pod itself forbids
  std::vector<Finding> remarks;                          ///< what works, but not quite as asked for
  bool has_sidecar = false, has_init_container = false;  ///< in the workload after the patch
  bool upgrade_waits = false;  ///< one of them keeps another image, or other resources, than it would be given now
  bool needs_whole = false;    ///< nothing is decided: it may be too large, which only the whole workload tells
};

/// Makes the workload carry exactly what is desired: adds, replaces or removes only what is ours, by container name and
/// arguments, never trusting an annotation. Idempotent: injecting the patched workload gives an empty patch.
/// Reversible: with an empty Desired the author's object comes back. Pure and total, whatever the JSON.
/// `before` is the stored object of an UPDATE: when the template is otherwise as it was, image and resources of the
/// injected containers stay too, so that an upgrade of ours restarts nobody's pods, unless `world.upgrade` asks for it.
/// The controller passes the live workload as both, to see whether a nudge would change anything.
Injection inject(const World& world, const Settings& settings, const Json* before = nullptr);

/// Is a container of ours (or of an older Stash) in the pod template?
bool has_sidecar(const Json& workload);
bool has_init_container(const Json& workload);

}  // namespace stash::inject
