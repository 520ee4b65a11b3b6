#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/shared_types.h"
#include "base/json.h"

namespace stash::controller {

/// What decisions read of a pod; `container` is ours in it (sidecar or init container).
struct PodFacts {
  std::string name, uid, phase;
  bool runs_container = false;  ///< ours has been started and has not ended for good
  std::string trouble;          ///< "container stash: ImagePullBackOff", "" for none
  friend bool operator==(const PodFacts&, const PodFacts&) = default;
};
PodFacts pod_facts(const Json& pod, std::string_view container);

/// A pod that has not ended: it may still be working.
bool is_alive(const PodFacts& pod);

struct WorkloadFacts {
  int replicas = 1;
  bool has_container = false;  ///< ours is in the pod template
  friend bool operator==(const WorkloadFacts&, const WorkloadFacts&) = default;
};
/// `container` is "stash" or "stash-init".
WorkloadFacts workload_facts(const Json& workload, std::string_view container);

/// spec.selector as the text that list requests take. Empty when there is none: such a workload has no pods.
std::string selector_text(const Json& workload);

/// Does this version back up workloads of that kind?
bool is_supported_kind(const api::TargetRef& ref);
inline constexpr std::string_view kSupportedKinds = "Deployment (apps)";

/// The hosts of a session of this target; empty for kinds that this version does not support (contract 11.1).
std::vector<std::string> expected_hosts(const api::TargetRef& ref);

}  // namespace stash::controller
