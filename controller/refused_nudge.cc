#include "controller/refused_nudge.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "api/names.h"
#include "api/resource.h"
#include "controller/refusal.h"
#include "inject/withdrawal.h"
#include "inject/workload_view.h"

namespace stash::controller {
namespace {

namespace names = api::names;

constexpr std::chrono::minutes kFirstTry{1}, kLongestTry{60};
constexpr std::chrono::seconds kOfTheSameMoment{5};  ///< times in a status are whole seconds

api::Withdrawal hold_on(const inject::World& world, const inject::Settings& settings, const api::ObjectMeta& object,
                        const std::string& repository) {
  const auto found = world.repository ? world.repository(repository) : nullptr;
  return {.phase = std::string(names::kWithdrawn),
          .reason = std::string(inject::code_of(inject::Reason::workload_refused)),
          .observed_generation = object.generation,
          .repository_generation = found ? found->metadata.generation : 0,
          .settings = inject::fingerprint(settings)};
}

std::string label_of(const inject::World& world, const api::Resource& kind, const api::ObjectMeta& meta) {
  return fmt::format("{} {}", kind.kind, to_string(api::ObjectRef{world.ns, meta.name}));
}

/// What would be left of the change if this object were held back.
inject::Operations change_without(inject::World world, const inject::Settings& settings, const std::string& object) {
  const auto hold = [&]<class Kind>(const Kind& each, const api::Resource& kind, auto& place) {
    if (label_of(world, kind, each.metadata) != object) return;
    Kind held = each;
    held.status.withdrawal = hold_on(world, settings, each.metadata, each.spec.repository);
    place = std::move(held);
  };
  for (inject::SharedConfiguration& each : world.configurations) hold(*each, api::kBackupConfigurations, each);
  for (api::RestoreSession& each : world.restores) hold(each, api::kRestoreSessions, each);
  return inject::inject(world, settings, world.workload).patch;
}

template <class Kind>
std::vector<const Kind*> newest_first(const auto& objects) {
  std::vector<const Kind*> sorted;
  sorted.reserve(objects.size());
  for (const Kind& object : objects) sorted.push_back(&object);
  std::ranges::sort(sorted, [](const Kind* left, const Kind* right) {
    return std::tie(left->metadata.created, left->metadata.name) >
           std::tie(right->metadata.created, right->metadata.name);
  });
  return sorted;
}

}  // namespace

bool may_be_for_what_it_brings(const Error& error) {
  if (error.code != ErrorCode::denied && error.code != ErrorCode::invalid) return false;
  return !error.message.contains(" cannot patch resource ") && !error.message.contains("exceeded quota:");
}

std::vector<std::string> to_be_blamed(const inject::World& world, const inject::Settings& settings) {
  const inject::Operations change = inject::inject(world, settings, world.workload).patch;
  const Json* sidecar = inject::sidecar_of(*world.workload);
  const auto served = sidecar == nullptr ? std::vector<std::string>() : inject::invokers_of(*sidecar);
  const auto is_served = [&](const api::BackupConfiguration& configuration) {
    return std::ranges::find(served, configuration.metadata.name) != served.end();
  };
  const auto matters = [&](const std::string& object) { return change_without(world, settings, object) != change; };
  std::vector<std::string> all;
  for (const api::BackupConfiguration* configuration : newest_first<api::BackupConfiguration>(world.configurations)) {
    std::string object = label_of(world, api::kBackupConfigurations, configuration->metadata);
    if (!matters(object)) continue;
    if (!is_served(*configuration)) return {std::move(object)};
    all.push_back(std::move(object));
  }
  for (const api::RestoreSession* restore : newest_first<api::RestoreSession>(world.restores)) {
    std::string object = label_of(world, api::kRestoreSessions, restore->metadata);
    if (matters(object)) return {std::move(object)};
  }
  return all;
}

std::optional<RefusedChange> refused_for(const InjectionFacts& injection, const std::string& object, TimePoint now) {
  if (std::ranges::find(injection.blamed, object) == injection.blamed.end()) return std::nullopt;
  return RefusedChange{injection.refusal, now - injection.refused_for};
}

bool is_held_back(const api::Withdrawal& withdrawal) {
  return withdrawal.reason == inject::code_of(inject::Reason::workload_refused);
}

std::optional<api::Withdrawal> plan_hold(const HoldWorld& world) {
  auto held = world.held && is_held_back(*world.held) ? world.held : std::nullopt;
  const bool tried = held && (held->phase == names::kRetrying || held->settings != world.settings);
  const bool anew =
      world.refused && (!held || (tried && world.refused->at > held->since.value_or(TimePoint{}) + kOfTheSameMoment));
  if (anew) {
    const int attempts = held ? held->attempts + 1 : 1;
    const auto wait = std::min(kFirstTry * (1 << std::clamp(attempts - 1, 0, 10)), kLongestTry);
    return api::Withdrawal{
        .phase = std::string(names::kWithdrawn),
        .reason = std::string(inject::code_of(inject::Reason::workload_refused)),
        .message = fmt::format("the API server refuses {} with the {}, so it is left as it is: {}; {}", world.workload,
                               world.container, cut(world.refused->sentence), world.remedy),
        .observed_generation = world.generation,
        .repository_generation = world.repository_generation,
        .settings = world.settings,
        .attempts = attempts,
        .since = world.now,
        .retry_at = world.now + wait};
  }
  if (!held || (tried && world.is_in)) return std::nullopt;
  if (held->phase == names::kWithdrawn && world.now >= held->retry_at) held->phase = names::kRetrying;
  return held;
}

}  // namespace stash::controller
