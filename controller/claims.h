#pragma once
#include <map>
#include <optional>
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
  const Limits& limits;
  TimePoint now;
  std::string_view disrupted;  ///< condition type that records when a pod was last lost
  /// The pods come one after another, each when the one before is ready (a rollout): those behind wait for those
  /// before.
  bool in_turn = false;
  std::chrono::seconds watched_for =
      std::chrono::seconds::max();  ///< since this process began to look, by its steady clock
  std::string_view refused{};       ///< why hosts that are not named yet may not be; "" where they may
  Json* lost = nullptr;             ///< the claims of vanished pods are added to it
};

/// Gives back the hosts of vanished pods, fails those of stalled ones, and those that nobody takes in time; says in the
/// condition Completed what an unfinished session waits for. Returns a sentence per host that failed here.
std::vector<std::string> judge_claims(const Claims& claims, Json& stats, StatusDraft& status, Plan& plan);

/// Why the hosts, or `unnamed` more of them, are not known yet.
Obstacle why_unnamed(const Claims& claims, int unnamed);

/// While that is so: says in Completed what is waited for, or, once that took too long, returns why the session fails.
std::optional<Obstacle> judge_unnamed(const Claims& claims, int unnamed, StatusDraft& status, Plan& plan);

}  // namespace stash::controller
