#pragma once
#include <functional>
#include <optional>
#include <string>

#include "sidecar/hook_plan.h"
#include "sidecar/host_status.h"

namespace stash::sidecar {

/// The hooks around the work on one host, planned before any of it begins.
struct HookPair {
  std::optional<HookCall> before, after;
  std::string after_policy;  ///< executionPolicy of `after`
  HookPlace place = HookPlace::sidecar;
};
/// `what` is "Backup" or "Restore". Error invalid.
Result<HookPair> plan_hooks(std::string_view what, const std::optional<api::Hook>& before,
                            const std::optional<api::Hook>& after, HookPlace place);

/// Runs one hook and waits for it. Error cancelled once `go_on` is false; all others mean that it failed.
Result<void> run_hook(Context& context, HostStatus& status, const HookCall& call, const std::function<bool()>& go_on);
/// The same of one that no controller runs. Error cancelled once `go_on` is false.
Result<void> send_hook(const HookCall& call, const std::function<bool()>& go_on);

/// The post hook of a host whose pod is being stopped, or that was taken away from it, after its pre hook ran: nothing
/// of the application must stay frozen. Also that of work that is done, after which nobody comes to run it. At most ten
/// seconds; best effort. The sentence of a hook that failed is in the log as well.
std::optional<std::string> run_farewell_hook(Context& context, HostStatus& status, const HookPair& hooks,
                                             bool succeeded = false);

}  // namespace stash::sidecar
