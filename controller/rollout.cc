#include "controller/rollout.h"

#include "controller/workload_facts.h"
#include "inject/workload_view.h"

namespace stash::controller {
namespace {

constexpr std::string_view kDesired = "desiredNumberScheduled";
constexpr std::string_view kCounts[] = {"observedGeneration", "replicas",    "updatedReplicas",
                                        "readyReplicas",      "numberReady", "updatedNumberScheduled"};

bool is_by_node(const api::WorkloadKind& kind) { return kind.hosts == api::HostScheme::nodes; }

}  // namespace

Json trimmed_status(const api::WorkloadKind& kind, const Json& workload) {
  Json kept = Json::object();
  if (is_by_node(kind)) kept[std::string(kDesired)] = int_at(workload, {"status", kDesired});
  if (inject::sidecar_of(workload) != nullptr) {
    for (const std::string_view count : kCounts) {
      if (at(workload, {"status", count}) != nullptr) kept[std::string(count)] = int_at(workload, {"status", count});
    }
  }
  if (const Json* failure = replica_failure(workload)) {
    // When it was last seen changes with each look of Kubernetes.
    kept["conditions"] = Json::array({{{"type", string_at(*failure, {"type"})},
                                       {"status", string_at(*failure, {"status"})},
                                       {"message", string_at(*failure, {"message"})},
                                       {"lastTransitionTime", string_at(*failure, {"lastTransitionTime"})}}});
  }
  return kept;
}

bool is_settled(const api::WorkloadKind& kind, const Json& workload) {
  const auto count = [&](std::string_view name) { return int_at(workload, {"status", name}); };
  if (count("observedGeneration") < int_at(workload, {"metadata", "generation"})) return false;
  if (replica_failure(workload) != nullptr) return false;
  const auto wanted = wanted_pods(kind, workload);
  if (is_by_node(kind)) return count("updatedNumberScheduled") >= wanted && count("numberReady") >= wanted;
  const bool updated = !kind.rolls_out || count("updatedReplicas") >= wanted;
  return updated && count("readyReplicas") >= wanted && count("replicas") == wanted;
}

const Json* replica_failure(const Json& workload) { return condition_with(workload, "ReplicaFailure", "True"); }

std::int64_t wanted_pods(const api::WorkloadKind& kind, const Json& workload) {
  return is_by_node(kind) ? int_at(workload, {"status", kDesired}) : int_at(workload, {"spec", "replicas"}, 1);
}

}  // namespace stash::controller
