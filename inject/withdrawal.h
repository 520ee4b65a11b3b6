#pragma once
#include <optional>
#include <string>

#include "api/meta.h"
#include "api/repository.h"
#include "api/shared_types.h"
#include "inject/settings.h"

/// When a container of ours that kept pods from running, or the workload from being written, stays out
/// (status.withdrawal of its object). The controller judges; webhook and controller follow, and both can tell by
/// themselves that a verdict is out of date.
namespace stash::inject {

/// What of the settings may make a withdrawn sidecar work: image, pull secrets, default resources.
std::string fingerprint(const Settings& settings);

enum class WithdrawalState {
  none,       ///< nothing was said, or about another generation, or it is being tried again
  withdrawn,  ///< it must not be in the pods
  held_back,  ///< the API server refused a write that brought it: what is there stays, and nothing is added or changed
  renewable,  ///< it did not work, but with other settings than these
};
/// `nudge`: the write is one of the controller's own, so that nobody else pays for it if it is refused again.
WithdrawalState withdrawal_of(const std::optional<api::Withdrawal>& withdrawal, const api::ObjectMeta& object,
                              const api::Repository& repository, const Settings& settings, bool nudge);

}  // namespace stash::inject
