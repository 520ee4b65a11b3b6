#pragma once
#include <map>
#include <string>
#include <vector>

#include "controller/limits.h"
#include "controller/obstacle.h"
#include "controller/plan.h"
#include "controller/status_draft.h"

namespace stash::controller {

/// What is known about the pods that should work on a session's hosts.
struct Claims {
  const TargetWorld& target;
  const std::map<std::string, std::chrono::seconds>& silent_for;
  TimePoint created;
  const Limits& limits;
  TimePoint now;
  std::string_view disrupted;  ///< condition type that records when a pod was last lost
};

/// Gives back the hosts of vanished pods, fails those of stalled ones, and those that nobody takes in time; says in the
/// condition Completed what an unfinished session waits for. Returns a sentence per host that failed here.
std::vector<std::string> judge_claims(const Claims& claims, Json& stats, StatusDraft& status, Plan& plan);

}  // namespace stash::controller
