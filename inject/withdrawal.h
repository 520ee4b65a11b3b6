#pragma once
#include <string>

#include "api/backup_configuration.h"
#include "api/repository.h"
#include "inject/settings.h"

/// When a sidecar that kept pods from running stays out (status.withdrawal of its BackupConfiguration). The controller
/// judges; webhook and controller follow, and both can tell by themselves that a verdict is out of date.
namespace stash::inject {

/// What of the settings may make a withdrawn sidecar work: image, pull secrets, default resources.
std::string fingerprint(const Settings& settings);

enum class WithdrawalState {
  none,       ///< nothing was said, or about another generation, or it is being tried again
  withdrawn,  ///< it must not be in the pods
  renewable,  ///< it did not work, but with other settings than these
};
WithdrawalState withdrawal_of(const api::BackupConfiguration& configuration, const api::Repository& repository,
                              const Settings& settings);

}  // namespace stash::inject
