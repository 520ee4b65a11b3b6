#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "api/workload_kind.h"
#include "controller/configuration_plan.h"
#include "controller/nudge_delay.h"
#include "controller/plan.h"
#include "controller/sidecar_upgrade.h"
#include "inject/injector.h"

namespace stash::controller {

/// How often this workload was nudged lately, for one and the same change.
struct Nudges {
  int in_vain = 0;  ///< in a row, since it was last at rest
  int count = 0;    ///< since it was last at rest for kNudgeMemory
  std::chrono::seconds since_last{0};
  std::string error;   ///< of the last one, "" when the API server took it
  std::string change;  ///< what the last one was for: another change is not held back by it
  /// All were in vain and no other workload has asked lately whether the webhook is back: this one may, before its
  /// time.
  bool asks_for_all = false;
  std::vector<std::string> blamed{};  ///< for whose part of the change the last one was refused (refused_nudge.h)
  friend bool operator==(const Nudges&, const Nudges&) = default;
};

/// A BackupConfiguration that is replaced or applied anew is gone for a moment, and pods must not restart twice for
/// that.
inline constexpr std::chrono::seconds kMayComeBack{10};

/// A webhook that cannot be reached is asked this often, whoever waits for it; and a little later by who asked last,
/// for what keeps that one from its sidecar may be something else.
inline constexpr std::chrono::seconds kAskForAll{15}, kAskForAllAgain{20};

/// All that the decision about one workload may look at.
struct WorkloadWorld {
  const api::WorkloadKind* kind = nullptr;  ///< not null
  inject::World inject;
  bool opted_in = true;
  Nudges nudges;
  /// How long a BackupConfiguration that the sidecar serves has been gone. max: none is.
  std::chrono::seconds gone_for = std::chrono::seconds::max();
  // Live objects of the names of sidecar_access.h; null when there is none.
  Json sidecar_role, sidecar_binding, restore_role, restore_binding;
  /// Of a kind that does not replace them itself, or while it may not be able to, or while rights of an init container
  /// that the template has no more are there.
  std::vector<Json> pods;
  UpgradeFacts upgrade;
};

struct WorkloadPlan {
  Plan plan;
  bool nudges = false;
  std::string change;             ///< names what the nudge is for
  bool asks_for_upgrade = false;  ///< a nudge of another kind: nothing is missing
  bool upgrade_waits = false;     ///< containers of ours are older than what would be injected now
  InjectionFacts injection;       ///< for the conditions of the BackupConfiguration
  std::vector<inject::Finding> findings;
  std::vector<inject::Finding> remarks;  ///< what works, but not quite as asked for
};

/// Pure and total. The controller never edits a pod template. When injecting the live workload would change it, it
/// sends a patch of nothing but the resourceVersion ("nudge"): the store does not change, but the admission chain runs,
/// and our webhook injects in that very write. Access comes first, so that an injected sidecar can work at once.
/// What an upgrade of ours changes is no such change: with settings.upgrade_at_once the webhook is asked for it.
WorkloadPlan plan_workload(const WorkloadWorld& world, const inject::Settings& settings);

}  // namespace stash::controller
