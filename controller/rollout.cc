#include "controller/rollout.h"

#include "controller/workload_facts.h"
#include "inject/workload_view.h"

namespace stash::controller {
namespace {

constexpr std::string_view kDesired = "desiredNumberScheduled";
constexpr std::string_view kCounts[] = {"observedGeneration", "replicas",    "updatedReplicas",
                                        "readyReplicas",      "numberReady", "updatedNumberScheduled"};
constexpr std::string_view kRevision = "updateRevision";

bool is_by_node(const api::WorkloadKind& kind) { return kind.hosts == api::HostScheme::nodes; }

std::int64_t count_of(const Json& workload, std::string_view name) { return int_at(workload, {"status", name}); }

/// Its counts are about the template as it is.
bool has_seen_template(const Json& workload) {
  return count_of(workload, "observedGeneration") >= int_at(workload, {"metadata", "generation"});
}

}  // namespace

Json trimmed_status(const api::WorkloadKind& kind, const Json& workload) {
  Json kept = Json::object();
  if (is_by_node(kind)) kept[std::string(kDesired)] = int_at(workload, {"status", kDesired});
  if (const std::string revision = string_at(workload, {"status", kRevision}); !revision.empty()) {
    kept[std::string(kRevision)] = revision;
  }
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
  if (!has_seen_template(workload) || replica_failure(workload) != nullptr) return false;
  const auto wanted = wanted_pods(kind, workload);
  if (kind.rolls_out && updated_pods(kind, workload) < wanted) return false;
  if (is_by_node(kind)) return count_of(workload, "numberReady") >= wanted;
  return count_of(workload, "readyReplicas") >= wanted && count_of(workload, "replicas") == wanted;
}

std::int64_t updated_pods(const api::WorkloadKind& kind, const Json& workload) {
  if (!has_seen_template(workload)) return 0;
  return count_of(workload, is_by_node(kind) ? "updatedNumberScheduled" : "updatedReplicas");
}

const Json* replica_failure(const Json& workload) { return condition_with(workload, "ReplicaFailure", "True"); }

std::int64_t wanted_pods(const api::WorkloadKind& kind, const Json& workload) {
  return is_by_node(kind) ? int_at(workload, {"status", kDesired}) : int_at(workload, {"spec", "replicas"}, 1);
}

}  // namespace stash::controller
