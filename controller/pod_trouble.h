#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/workload_kind.h"
#include "base/json.h"
#include "base/time.h"
#include "inject/decision.h"

namespace stash::controller {

/// What keeps pods with our sidecar from being made or from starting, where the sidecar is to blame.
struct PodTrouble {
  inject::Reason reason;
  std::string sentence;  ///< of the API server, the kubelet or the scheduler
  friend bool operator==(const PodTrouble&, const PodTrouble&) = default;
};

/// A workload with our sidecar in its template whose pods have not all followed it.
struct PodTroubleWorld {
  const api::WorkloadKind& kind;
  const Json& workload;
  std::vector<Json> pods;    ///< of its selector
  std::vector<Json> events;  ///< FailedCreate of the workload, FailedMount of its pods
  TimePoint injected{};      ///< since when it has been known that the sidecar is there
  TimePoint now{};
};

/// Pods of other templates do not count: they may be older than the sidecar. What may pass by itself (a registry that
/// does not answer, a node that is added) is given time. Where it is unclear whether the sidecar is to blame, it is not
/// as long as any pod with it runs: taking it out would restart that one. Pure and total.
std::optional<PodTrouble> pod_trouble(const PodTroubleWorld& world);

/// The API server's sentence when it refuses pods with the sidecar and pod_trouble() holds its tongue, for it is
/// unclear whether the sidecar is to blame and others with it run; "" for none. Same world, same patience.
std::string unclear_refusal(const PodTroubleWorld& world);

/// All pods that live are made from the template as it is. For kinds that do not replace pods themselves.
bool all_pods_follow(const PodTroubleWorld& world);

/// The sidecar of this pod fails to start, whatever template it is from.
bool sidecar_holds_back(const Json& pod);

/// The pod that FailedMount events are to be asked for; nullptr for none.
const Json* pod_that_waits_for_volumes(const PodTroubleWorld& world);

}  // namespace stash::controller
