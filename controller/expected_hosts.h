#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "controller/obstacle.h"

namespace stash::controller {

/// The hosts of a session of this target (contract 11.1), as far as they are known now.
struct ExpectedHosts {
  std::vector<std::string> names;
  int unnamed = 0;  ///< nodes that shall run a pod of a DaemonSet and have none yet
  friend bool operator==(const ExpectedHosts&, const ExpectedHosts&) = default;
};
/// nullopt while the workload, or a DaemonSet's pods, are not known.
std::optional<ExpectedHosts> expected_hosts(const TargetWorld& target);

/// How many of the hosts that the session is about (status.totalHosts) have no entry in `stats`.
int unnamed_hosts(const Json& session, const Json& stats);

/// Adds an entry for each expected host that has none yet, and returns how many still have no name. Once all have been
/// named nothing is added: the session is about these, whatever is added to the workload meanwhile. Where the expected
/// hosts are not known now, those that were missing still are.
/// `interrupted`: a controller was ended while it made the objects of the hosts, before the session had their number.
int name_hosts(const Json& session, const TargetWorld& target, Json& stats, bool interrupted = false);

/// Adds an entry for each ordinal that has none yet, also after all hosts have been named: for a restore, whose init
/// container holds the pods of later ordinals too and must not let them start on what was there.
void name_later_ordinals(const TargetWorld& target, Json& stats);

/// Tells of each host why no pod will ever take it again: scaled away, or its node no longer runs a pod. "" while one
/// may. `target` must outlive it.
std::function<std::string(const std::string& host)> why_gone(const TargetWorld& target);

/// The living pod that has this host's data; nullptr when there is none or it is not known.
const PodFacts* pod_of_host(const TargetWorld& target, const std::string& host);

}  // namespace stash::controller
