#pragma once
#include <map>
#include <string>

#include "api/restore_session.h"
#include "controller/limits.h"
#include "controller/obstacle.h"
#include "controller/plan.h"

namespace stash::controller {

/// All that the decision about one RestoreSession may look at.
struct RestoreWorld {
  Json session;
  TargetWorld target;
  std::map<std::string, std::chrono::seconds> silent_for;
  std::string settings;       ///< fingerprint of the chart's settings in force
  std::string injected;       ///< the RestoreSession whose init container the pod template carries; "" for none
  std::string superseded_by;  ///< a newer RestoreSession of the same target that has taken this one's place there
  std::string used_by;        ///< "BackupSession demo/x": another one whose pods use the target's volumes; "" for none
  TimePoint now{};
  Limits limits;
  std::chrono::seconds watched_for = std::chrono::seconds::max();  ///< since this process began to look
};

/// Failed, and a pod that holds its stash-init may take it up again: an attempt is left, and no newer one has its
/// place.
bool may_be_tried_again(const api::RestoreSession& session);

/// Pure and total. Unlike a backup, a failed restore may still succeed: the init container keeps the application from
/// starting on half-restored data and tries again a bounded number of times, so Failed goes back to Running when a pod
/// takes a host again. Succeeded and Invalid never change.
Plan plan_restore(const RestoreWorld& world);

}  // namespace stash::controller
