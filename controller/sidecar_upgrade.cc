#include "controller/sidecar_upgrade.h"

#include <algorithm>

#include "controller/nudge_delay.h"
#include "controller/rollout.h"

namespace stash::controller {
namespace {

constexpr std::chrono::seconds kUpgradeLookAgain{10};

}  // namespace

std::chrono::seconds wait_before_upgrade(const api::WorkloadKind& kind, const Json& workload,
                                         const UpgradeFacts& facts) {
  const bool must_wait = facts.in_session || facts.others >= kUpgradesAtOnce || !is_settled(kind, workload);
  if (must_wait) return kUpgradeLookAgain;
  if (facts.asked == 0) return std::chrono::seconds(0);
  return std::max(delay_after(facts.asked) - facts.since_asked, std::chrono::seconds(0));
}

}  // namespace stash::controller
