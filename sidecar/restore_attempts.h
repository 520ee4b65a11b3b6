#pragma once
#include <string>

#include "api/restore_session.h"

/// A restore is begun a bounded number of times; then a person has to decide, and is told how.
namespace stash::sidecar {

using api::kRestoreAttempts;

/// What the host's status says of a failed attempt (1 is the first).
std::string failed_attempt(int attempt, const std::string& problem);

/// The same of a last attempt that wrote no result: its pod or container ended in the middle of it.
std::string cut_off_attempt();

}  // namespace stash::sidecar
