#include "controller/withdrawal.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "controller/refusal.h"

namespace stash::controller {
namespace {

namespace names = api::names;

using std::chrono::minutes;
using std::chrono::seconds;

constexpr minutes kFirstWait{10};
constexpr minutes kLongestWait{360};
constexpr seconds kOften{15}, kSeldom{60};
constexpr minutes kFreshFor{10};  ///< a rollout that is not through by then is looked at less often
constexpr std::string_view kAllowIt =
    "set spec.runtimeSettings.container to what the namespace allows, or change its quota, limits or policy";

minutes wait_after(int attempts) { return std::min(kFirstWait * (1 << std::clamp(attempts - 1, 0, 10)), kLongestWait); }

std::string message_for(const PodTrouble& trouble, const std::string& workload) {
  const std::string sentence = cut(trouble.sentence);
  switch (trouble.reason) {
    case inject::Reason::image_pull_failed:
      return fmt::format(
          "the sidecar's image cannot be pulled, so {} goes without: {}; make it available to the nodes, "
          "or correct the chart's image and imagePullSecrets",
          workload, sentence);
    case inject::Reason::sidecar_start_failed:
      return fmt::format(
          "the sidecar cannot be started, so {} goes without: {}; correct spec.runtimeSettings.container, or make what "
          "it names",
          workload, sentence);
    case inject::Reason::volume_mount_failed:
      return fmt::format(
          "a volume of the sidecar cannot be mounted, so {} goes without: {}; correct "
          "spec.backend.local of the Repository",
          workload, sentence);
    case inject::Reason::pods_unschedulable:
      return fmt::format(
          "no node takes the pods of {} with the sidecar, so it goes without: {}; make room, or a "
          "Repository whose volume every node can reach",
          workload, sentence);
    default:
      return fmt::format("pods of {} are refused with the sidecar, so it goes without: {}; {}", workload, sentence,
                         kAllowIt);
  }
}

/// What is known of earlier tries with this very configuration and Repository.
std::optional<api::Withdrawal> still_valid(const WithdrawalWorld& world) {
  const auto& held = world.configuration.status.withdrawal;
  if (!held || held->observed_generation != world.configuration.metadata.generation) return std::nullopt;
  if (world.repository_generation != 0 && held->repository_generation != world.repository_generation) {
    return std::nullopt;
  }
  return held;
}

/// The verdict is spoken and the workload has yet to follow it.
bool is_being_carried_out(const api::Withdrawal& held, const RolloutFacts& rollout) {
  if (held.phase != names::kWithdrawn) return false;
  return held.settings == rollout.settings || rollout.outdated;
}

api::Withdrawal withdraw(const WithdrawalWorld& world, int attempts) {
  const PodTrouble& trouble = *world.rollout.trouble;
  return {.phase = std::string(names::kWithdrawn),
          .reason = std::string(inject::code_of(trouble.reason)),
          .message = message_for(trouble, world.workload),
          .observed_generation = world.configuration.metadata.generation,
          .repository_generation = world.repository_generation,
          // What was not tried yet comes at once, in place of what failed.
          .settings = world.rollout.outdated ? "older" : world.rollout.settings,
          .attempts = attempts,
          .since = world.now,
          .retry_at = world.now + wait_after(attempts)};
}

/// Of a change of the sidecar that was refused; one that is there already may run meanwhile.
std::optional<api::Withdrawal> hold(const WithdrawalWorld& world, const std::optional<api::Withdrawal>& held) {
  return plan_hold({.held = held,
                    .generation = world.configuration.metadata.generation,
                    .repository_generation = world.repository_generation,
                    .workload = world.workload,
                    .container = "sidecar",
                    .remedy = "set spec.runtimeSettings.container to what is allowed there, or change the policy",
                    .settings = world.rollout.settings,
                    .refused = world.refused,
                    .is_in = world.rollout.injected && world.up_to_date,
                    .now = world.now});
}

}  // namespace

std::optional<api::Withdrawal> plan_withdrawal(const WithdrawalWorld& world) {
  auto held = still_valid(world);
  const RolloutFacts& rollout = world.rollout;
  const bool was_refused = held && is_held_back(*held);
  if (world.refused || was_refused) {
    if (!rollout.injected || !rollout.trouble) return hold(world, held);
    // What would come in its place is what was refused.
    WithdrawalWorld tried = world;
    tried.rollout.outdated = false;
    return withdraw(tried, 1);
  }
  if (rollout.injected) {
    if (held && is_being_carried_out(*held, rollout)) return held;
    if (rollout.trouble) return withdraw(world, held ? held->attempts + 1 : 1);
    return rollout.settled ? std::nullopt : held;
  }
  if (!held || held->phase != names::kWithdrawn || world.now < held->retry_at) return held;
  if (rollout.refused_without.empty()) {
    held->phase = names::kRetrying;
    return held;
  }
  ++held->attempts;
  held->retry_at = world.now + wait_after(held->attempts);
  held->reason = inject::code_of(inject::Reason::pods_refused);
  held->message = fmt::format("pods of {} are refused without the sidecar too, so it is not tried again yet: {}",
                              world.workload, cut(rollout.refused_without));
  return held;
}

std::string refusal_text(const std::string& workload, const std::string& sentence) {
  return fmt::format(
      "the sidecar is in the pod template of {}, but more pods are refused: {}; whether for the sidecar's sake is not "
      "known, and pods that run with it would be restarted without, so it stays. If it is, {}",
      workload, cut(sentence), kAllowIt);
}

TimePoint sidecar_known_since(const std::vector<api::Condition>& conditions, TimePoint now) {
  const api::Condition* said = api::find_condition(conditions, names::kSidecarInjected);
  return said != nullptr && said->status != "Unknown" ? said->last_transition : now;
}

std::optional<seconds> look_at_rollout_in(const std::optional<api::Withdrawal>& withdrawal, const RolloutFacts& rollout,
                                          TimePoint injected, TimePoint now) {
  std::optional<seconds> look;
  if (rollout.injected && !rollout.settled) look = now - injected < kFreshFor ? kOften : kSeldom;
  const bool waits = withdrawal && withdrawal->phase == names::kWithdrawn;
  if (!waits || (rollout.injected && !is_held_back(*withdrawal))) return look;
  const auto retry = std::chrono::duration_cast<seconds>(withdrawal->retry_at.value_or(now) - now);
  return std::min(look.value_or(seconds::max()), std::max(retry, seconds(1)));
}

}  // namespace stash::controller
