#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "api/workload_kind.h"
#include "base/json.h"

/// When a workload whose injected containers are older than what would be injected now may be restarted for that: the
/// chart's sidecar.upgrade=at-once (ADR 0041).
namespace stash::controller {

/// So many workloads are restarted at the same time for an upgrade of ours.
inline constexpr int kUpgradesAtOnce = 5;
/// One whose pods have not all come up again after that is not waited for by others.
inline constexpr std::chrono::minutes kUpgradePatience{2};

/// What was asked for lately, of this workload and of others.
struct UpgradeFacts {
  bool in_session = false;              ///< a session of it runs, which a restart would break off
  int asked = 0;                        ///< how often, since it was last up to date with all pods ready
  std::chrono::seconds since_asked{0};  ///< last
  int others = 0;                       ///< other workloads that are asked for and not up again
  friend bool operator==(const UpgradeFacts&, const UpgradeFacts&) = default;
};

/// How long to wait before the webhook is asked for the upgrade; 0 s: now. While its pods are not all ready, its
/// session runs, or enough others restart, that is a matter of looking again. A request that changed nothing is
/// repeated 5 s, 10 s, .. 5 min apart: a webhook of the version before may have answered it.
std::chrono::seconds wait_before_upgrade(const api::WorkloadKind& kind, const Json& workload,
                                         const UpgradeFacts& facts);

}  // namespace stash::controller
