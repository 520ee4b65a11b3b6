#pragma once
#include <optional>
#include <string>

#include "api/backup_configuration.h"
#include "controller/pod_trouble.h"
#include "controller/refused_nudge.h"

namespace stash::controller {

/// How the pods of a BackupConfiguration's workload get on with the sidecar.
struct RolloutFacts {
  bool injected = false;              ///< it is in the template, for this configuration
  bool settled = false;               ///< all pods follow the template and are ready
  std::optional<PodTrouble> trouble;  ///< of pods with the sidecar
  std::string unclear_refusal;        ///< pods with it are refused while others run: the API server's sentence
  bool outdated = false;              ///< an injection from nothing would give it another image or other resources
  std::string refused_without;        ///< pods without the sidecar are refused too: the API server's sentence
  std::string settings;               ///< fingerprint of those in force
};

struct WithdrawalWorld {
  const api::BackupConfiguration& configuration;
  std::int64_t repository_generation = 0;  ///< 0: the Repository is not known
  std::string workload;                    ///< "Deployment demo/web"
  RolloutFacts rollout;
  std::optional<RefusedChange> refused;  ///< of a nudge, for the sake of this BackupConfiguration
  bool up_to_date = false;               ///< injecting the live workload would change nothing
  TimePoint now{};
};

/// What status.withdrawal is to be; nullopt: nothing. In trouble the sidecar goes for 10 minutes, the next time for 20,
/// up to 6 hours; a workload whose pods are refused without it too is not given it then, but waits on. Once all pods
/// run with the sidecar all is forgotten, and so it is when configuration or Repository change. A change that the API
/// server refused is held back likewise (refused_nudge.h). Pure and total: the texts hold until the next verdict.
std::optional<api::Withdrawal> plan_withdrawal(const WithdrawalWorld& world);

/// What is said while the sidecar stays although pods with it are refused (RolloutFacts::unclear_refusal).
std::string refusal_text(const std::string& workload, const std::string& sentence);

/// Since when the conditions have said whether the sidecar is in the template; `now` while they do not.
TimePoint sidecar_known_since(const std::vector<api::Condition>& conditions, TimePoint now);

/// When to look at a workload again whose pods have not settled, or at one that may get its sidecar back. nullopt: an
/// event will tell.
std::optional<std::chrono::seconds> look_at_rollout_in(const std::optional<api::Withdrawal>& withdrawal,
                                                       const RolloutFacts& rollout, TimePoint injected, TimePoint now);

}  // namespace stash::controller
