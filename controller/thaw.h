#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/backup_configuration.h"
#include "base/json.h"
#include "base/time.h"
#include "controller/workload_facts.h"

/// No application is left frozen: where the controller ends a host whose sidecar can no longer ask for the postBackup
/// that belongs to its preBackup, the controller asks in its place.
namespace stash::controller {

/// `before` and `after` are the host entries before and after hosts were made Failed. Of those that were in the hands
/// of a pod that is alive (or not known to be gone), after a preBackup was asked for or may have been sent, the
/// postBackup is Requested, once, and the claim stays, which says where.
void request_thaws(const Json& before, Json& after, const api::BackupConfiguration& configuration,
                   const std::optional<std::vector<PodFacts>>& pods, TimePoint now);

/// "host-0, host-2": the hosts that have ended while their postBackup has not, and whose pod is not known to be gone.
std::string hosts_to_thaw(const Json& stats, const std::optional<std::vector<PodFacts>>& pods);

/// Adds to the errors of the hosts what came of a postBackup that ended after them, or did not end.
void tell_of_failed_thaws(Json& stats);

}  // namespace stash::controller
