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
  TimePoint now{};
  Limits limits;
};

/// Pure and total. Unlike a backup, a failed restore may still succeed: the init container keeps the application from
/// starting on half-restored data and tries again until it is done or the RestoreSession is deleted, so Failed goes
/// back to Running when a pod takes a host again. Succeeded and Invalid never change.
Plan plan_restore(const RestoreWorld& world);

}  // namespace stash::controller
