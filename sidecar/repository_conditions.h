#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sidecar/backup_plan.h"

namespace stash::sidecar {

/// What one host knows of the repository, as conditions of later releases of Stash (contract 8.5) in its own entry: the
/// controller makes those of the session from them. Types of which this host knows nothing are left out, and most hosts
/// know nothing: the one that did the upkeep tells what it came to, one that found no repository tells that.
/// `push_failure`: why the repository's metrics were not pushed, "" when they were; nullopt when none are to be.
std::vector<api::Condition> repository_conditions(const BackupProgress& progress,
                                                  const std::optional<std::string>& push_failure, TimePoint now);

}  // namespace stash::sidecar
