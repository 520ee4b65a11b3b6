#include "controller/withdrawal.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "base/text.h"

namespace stash::controller {
namespace {

namespace names = api::names;

using std::chrono::minutes;
using std::chrono::seconds;

constexpr minutes kFirstWait{10};
constexpr minutes kLongestWait{360};
constexpr seconds kOften{15}, kSeldom{60};
constexpr minutes kFreshFor{10};       ///< a rollout that is not through by then is looked at less often
constexpr std::size_t kLongest = 600;  ///< of a foreign sentence: a policy may write a page
constexpr std::string_view kAllowIt =
    "set spec.runtimeSettings.container to what the namespace allows, or change its quota, limits or policy";

minutes wait_after(int attempts) { return std::min(kFirstWait * (1 << std::clamp(attempts - 1, 0, 10)), kLongestWait); }

std::string cut(const std::string& sentence) {
  if (sentence.size() <= kLongest) return sentence;
  return fmt::format("{}...", first_bytes(sentence, kLongest));
}

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

}  // namespace

std::optional<api::Withdrawal> plan_withdrawal(const WithdrawalWorld& world) {
  auto held = still_valid(world);
  const RolloutFacts& rollout = world.rollout;
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
  if (rollout.injected) {
    if (rollout.settled) return std::nullopt;
    return now - injected < kFreshFor ? kOften : kSeldom;
  }
  if (!withdrawal || withdrawal->phase != names::kWithdrawn) return std::nullopt;
  return std::max(std::chrono::duration_cast<seconds>(withdrawal->retry_at.value_or(now) - now), seconds(1));
}

}  // namespace stash::controller
