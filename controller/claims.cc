#include "controller/claims.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/last_sign.h"
#include "api/names.h"
#include "base/text.h"
#include "controller/expected_hosts.h"
#include "controller/hosts.h"
#include "controller/kind_name.h"
#include "controller/reasons.h"

namespace stash::controller {
namespace {

/// How long the free hosts have been on offer and nothing has happened that brings them nearer to a pod.
/// Completed=False dates from the first look, since when pods can know of them; a look at the session before that would
/// count what nobody could use. A lost pod and every sign of life of a claimed host start the wait anew, and so does a
/// new controller: what it has to do first, as an injection, may have been left undone for long.
std::chrono::seconds waited(const Claims& claims, const StatusDraft& status) {
  const api::Condition* offered = api::find_condition(status.conditions(), api::names::kCompleted);
  if (offered == nullptr || offered->status != "False") return std::chrono::seconds(0);
  const api::Condition* lost = api::find_condition(status.conditions(), claims.disrupted);
  const TimePoint since = lost && lost->status == "True" ? std::max(offered->last_transition, lost->last_transition)
                                                         : offered->last_transition;
  std::chrono::seconds time = std::min(age(since, claims.now), claims.watched_for);
  for (const auto& [host, silence] : claims.silent_for) time = std::min(time, silence);
  return time;
}

/// Reasons of Completed under which hosts were in the hands of a pod, or waited for one that had other work.
bool was_in_hands(const StatusDraft& status) {
  const api::Condition* said = api::find_condition(status.conditions(), api::names::kCompleted);
  return said && said->status == "False" &&
         (said->reason == reasons::kRunning || said->reason == api::kPodBusy ||
          said->reason == api::names::kRestoreInProgress);
}

/// A pod that is stopped hands its host back by itself, so the controller finds it free and nobody lost.
void begin_wait_anew(const Claims& claims, const Json& stats, StatusDraft& status, bool lost) {
  const bool worked = api::find_condition(status.conditions(), api::names::kCompleted)->reason == reasons::kRunning;
  const std::string pending = hosts_in(stats, kHostPending);
  const Tally sum = tally(stats);
  if (worked && !lost && sum.pending == sum.total) {
    status.set_now(claims.disrupted, "True", reasons::kHandedBack,
                   pending + ": the pod that worked on it was stopped; another pod takes over");
  }
  status.set_now(api::names::kCompleted, "False", reasons::kWaitingForClaim, "waiting for a pod to take " + pending);
}

/// "pod web-1 is Pending, container stash: ImagePullBackOff"
std::string state_of(const PodFacts& pod) {
  return fmt::format("pod {} is {}{}{}", pod.name, pod.being_deleted ? "being deleted" : pod.phase,
                     pod.trouble.empty() ? "" : ", ", pod.trouble);
}

std::string why_untaken(const std::string& host, const std::optional<Obstacle>& obstacle, const Claims& claims) {
  const TargetWorld& target = claims.target;
  if (obstacle) return obstacle->detail.empty() ? obstacle->message : obstacle->message + ": " + obstacle->detail;
  if (target.unseen)
    return fmt::format("no pod took it within {}; why is not known: {}", format_duration(claims.limits.claim),
                       target.unseen->message);
  const std::string nobody = fmt::format("no pod took it within {}", format_duration(claims.limits.claim));
  const api::WorkloadKind* kind = api::workload_kind(target.ref);
  std::string pod_name;
  if (kind != nullptr && kind->hosts != api::HostScheme::single && target.pods) {
    const PodFacts* pod = pod_of_host(target, host);
    if (pod == nullptr) return fmt::format("{}: its pod does not exist", nobody);
    if (!pod->runs_container) {
      const std::string& held = target.workload->held_back;
      return fmt::format("{}: {} and does not run the container {}{}{}", nobody, state_of(*pod), target.container,
                         held.empty() ? "" : "; ", held);
    }
    pod_name = pod->name;
  }
  return fmt::format("{} although the container {} runs; see its log: kubectl -n {} logs {} -c {}", nobody,
                     target.container, target.ns,
                     pod_name.empty() ? fmt::format("{}/{}", singular(target.ref.kind), target.ref.name) : pod_name,
                     target.container);
}

/// "pod web-0 works for session nightly-1": its hosts wait, and that is no fault.
std::string why_busy(const TargetWorld& target) {
  if (!target.pods) return "";
  for (const PodFacts& pod : *target.pods) {
    const auto busy = target.busy.find(pod.uid);
    if (busy != target.busy.end()) return fmt::format("pod {} works for session {}", pod.name, busy->second);
  }
  return "";
}

}  // namespace

std::vector<std::string> judge_claims(const Claims& claims, Json& stats, StatusDraft& status, Plan& plan) {
  Json vanished = Json::array();
  const std::vector<std::string> lost = give_back(stats, claims.target.pods, vanished);
  if (claims.lost) claims.lost->insert(claims.lost->end(), vanished.begin(), vanished.end());
  if (!lost.empty()) status.set_now(claims.disrupted, "True", reasons::kPodGone, first_of(lost, "; "));
  std::vector<std::string> failed = fail_stalled(stats, claims.silent_for, claims.limits.stall);
  std::ranges::move(fail_hosts(stats, kHostPending, why_gone(claims.target)), std::back_inserter(failed));

  const std::string running = hosts_in(stats, kHostRunning);
  const std::string busy = why_busy(claims.target);
  if (running.empty() && busy.empty() && was_in_hands(status) && tally(stats).pending > 0) {
    begin_wait_anew(claims, stats, status, !lost.empty());
  }
  if (!running.empty()) {
    status.set(api::names::kCompleted, "False", reasons::kRunning, "a pod works on " + running);
    look_again(plan, claims.limits.look_again);
  }
  const std::string pending = hosts_in(stats, kHostPending);
  if (pending.empty() || (claims.in_turn && !running.empty())) return failed;
  if (!busy.empty()) {
    if (running.empty()) status.set(api::names::kCompleted, "False", api::kPodBusy, busy);
    look_again(plan, claims.limits.look_again);
    return failed;
  }

  const std::optional<Obstacle> obstacle = find_obstacle(claims.target);
  const auto limit = obstacle && obstacle->hopeless ? claims.limits.grace : claims.limits.claim;
  const auto time = waited(claims, status);
  if (time >= limit) {
    std::ranges::move(
        fail_hosts(stats, kHostPending, [&](const std::string& host) { return why_untaken(host, obstacle, claims); }),
        std::back_inserter(failed));
    return failed;
  }
  look_again(plan, std::min(claims.limits.look_again, limit - time));
  if (obstacle) {
    status.set(api::names::kCompleted, "False", obstacle->reason, obstacle->message);
  } else if (const auto& unseen = claims.target.unseen) {
    status.set(api::names::kCompleted, "False", unseen->reason, unseen->message);
  } else if (running.empty()) {
    status.set(api::names::kCompleted, "False", reasons::kWaitingForClaim, "waiting for a pod to take " + pending);
  }
  return failed;
}

Obstacle why_unnamed(const Claims& claims, int unnamed) {
  if (!claims.refused.empty()) return {std::string(reasons::kDenied), std::string(claims.refused), "", false};
  if (auto obstacle = find_obstacle(claims.target)) return *std::move(obstacle);
  const TargetWorld& target = claims.target;
  if (target.unseen) return *target.unseen;
  return {std::string(reasons::kNoPod),
          unnamed > 0
              ? fmt::format("{} more of the nodes of {} {}/{} shall run a pod and have none", unnamed, target.ref.kind,
                            target.ns, target.ref.name)
              : fmt::format("the pods of {} {}/{} are not known yet", target.ref.kind, target.ns, target.ref.name),
          "", false};
}

std::optional<Obstacle> judge_unnamed(const Claims& claims, int unnamed, StatusDraft& status, Plan& plan) {
  Obstacle obstacle = why_unnamed(claims, unnamed);
  const auto limit = obstacle.hopeless ? claims.limits.grace : claims.limits.claim;
  const auto time = waited(claims, status);
  if (time >= limit) return obstacle;
  status.set(api::names::kCompleted, "False", obstacle.reason, obstacle.message);
  look_again(plan, std::min(claims.limits.look_again, limit - time));
  return std::nullopt;
}

}  // namespace stash::controller
