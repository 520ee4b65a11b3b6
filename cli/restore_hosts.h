#pragma once
#include <string>
#include <vector>

#include "api/shared_types.h"
#include "base/json.h"

namespace stash::cli {

/// What the cluster says about the workload that is restored into.
struct TargetFacts {
  Json workload;                  ///< null: it is not there, or may not be read
  Json pods = Json::array();      ///< of a DaemonSet
  Json sessions = Json::array();  ///< BackupSessions of this workload
};

/// Its hosts as the controller will expect them. Where the workload does not tell (it is scaled to zero, say, as
/// whoever restores is advised to do) those of the newest BackupSession. Empty: not known.
std::vector<std::string> hosts_of_target(const api::TargetRef& target, const TargetFacts& facts);

}  // namespace stash::cli
