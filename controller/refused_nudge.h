#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/shared_types.h"
#include "base/result.h"
#include "controller/injection_facts.h"
#include "inject/injector.h"

/// A nudge that the API server refuses would be refused as a write of the author as well, for the webhook injects into
/// that one too. So what is to blame is held back: the author's workload comes first.
namespace stash::controller {

/// Whether a refused nudge may have been refused for what it brings: by a validating policy, or as an invalid object.
/// Rights that we lack, quotas, conflicts and a server in trouble say nothing about that.
bool may_be_for_what_it_brings(const Error& error);

/// The objects ("BackupConfiguration demo/web") to be blamed next for a change that is refused while the workload as it
/// is is taken: of those without which the change would be another one, the newest BackupConfiguration that the sidecar
/// does not serve yet, else the RestoreSession, else all that it serves. When it was not that, the next nudge is
/// refused too, and tells more. Empty: nothing that is held back would help. Pure.
std::vector<std::string> to_be_blamed(const inject::World& world, const inject::Settings& settings);

/// The refusal, if it was for the sake of this object.
struct RefusedChange {
  std::string sentence;
  TimePoint at{};
};
std::optional<RefusedChange> refused_for(const InjectionFacts& injection, const std::string& object, TimePoint now);

bool is_held_back(const api::Withdrawal& withdrawal);

struct HoldWorld {
  std::optional<api::Withdrawal> held;  ///< what was said of this generation of object and Repository
  std::int64_t generation = 0, repository_generation = 0;
  std::string workload;   ///< "Deployment demo/web"
  std::string container;  ///< "sidecar"
  std::string remedy;     ///< "change the policy"
  std::string settings;   ///< fingerprint of those in force
  std::optional<RefusedChange> refused;
  bool is_in = false;  ///< the container is in the template, as it is wanted
  TimePoint now{};
};

/// What status.withdrawal is to be as far as refused nudges go; nullopt: nothing. It is tried again after 1 minute, 2,
/// 4, up to an hour, by a nudge alone: a try costs nobody anything. Pure and total; texts hold until the next verdict.
std::optional<api::Withdrawal> plan_hold(const HoldWorld& world);

}  // namespace stash::controller
