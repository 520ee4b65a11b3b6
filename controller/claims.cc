#include "controller/claims.h"

#include <algorithm>

#include "api/names.h"
#include "controller/hosts.h"
#include "controller/reasons.h"

namespace stash::controller {
namespace {

std::string joined(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += (text.empty() ? "" : "; ") + sentence;
  return text;
}

/// Since when the pending hosts have been free: a pod that was lost starts the wait anew.
TimePoint free_since(const Claims& claims, const StatusDraft& status) {
  const api::Condition* lost = api::find_condition(status.conditions(), claims.disrupted);
  return lost && lost->status == "True" ? std::max(claims.created, lost->last_transition) : claims.created;
}

std::string why_untaken(const std::optional<Obstacle>& obstacle, const Claims& claims) {
  if (!obstacle) {
    return fmt::format(
        "no pod took it within {} although the container {} runs; see its log: kubectl -n {} logs {}/{} -c {}",
        format_duration(claims.limits.claim), claims.target.container, claims.target.ns, "deployment",
        claims.target.ref.name, claims.target.container);
  }
  return obstacle->detail.empty() ? obstacle->message : obstacle->message + ": " + obstacle->detail;
}

}  // namespace

std::vector<std::string> judge_claims(const Claims& claims, Json& stats, StatusDraft& status, Plan& plan) {
  const std::vector<std::string> lost = give_back(stats, claims.target.pods);
  if (!lost.empty()) status.set_now(claims.disrupted, "True", reasons::kPodGone, joined(lost));
  std::vector<std::string> failed = fail_stalled(stats, claims.silent_for, claims.limits.stall);

  const std::string running = hosts_in(stats, kHostRunning);
  if (!running.empty()) {
    status.set(api::names::kCompleted, "False", reasons::kRunning, "a pod works on " + running);
    look_again(plan, claims.limits.look_again);
  }
  const std::string pending = hosts_in(stats, kHostPending);
  if (pending.empty()) return failed;

  const std::optional<Obstacle> obstacle = find_obstacle(claims.target);
  const auto limit = obstacle && obstacle->hopeless ? claims.limits.grace : claims.limits.claim;
  const auto waited = age(free_since(claims, status), claims.now);
  if (waited >= limit) {
    std::vector<std::string> untaken = fail_hosts(stats, kHostPending, why_untaken(obstacle, claims));
    std::move(untaken.begin(), untaken.end(), std::back_inserter(failed));
    return failed;
  }
  look_again(plan, std::min(claims.limits.look_again, limit - waited));
  if (obstacle) {
    status.set(api::names::kCompleted, "False", obstacle->reason, obstacle->message);
  } else if (running.empty()) {
    status.set(api::names::kCompleted, "False", reasons::kWaitingForClaim, "waiting for a pod to take " + pending);
  }
  return failed;
}

}  // namespace stash::controller
