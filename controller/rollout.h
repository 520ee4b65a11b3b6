#pragma once
#include "api/workload_kind.h"
#include "base/json.h"

/// How far a workload's pods have followed its template, by its own status.
namespace stash::controller {

/// What decisions read of a workload's status, so that no more of it is kept and a change of the rest wakes nobody:
/// the counts only where our sidecar is in the template, the refusal of pods, and a StatefulSet's revision.
/// https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/#DeploymentStatus
Json trimmed_status(const api::WorkloadKind& kind, const Json& workload);

/// All pods follow the template and are ready, so none is in the way of another look. False when in doubt.
bool is_settled(const api::WorkloadKind& kind, const Json& workload);

/// How many pods are of the template as it is, of a kind that tells; 0 when in doubt.
std::int64_t updated_pods(const api::WorkloadKind& kind, const Json& workload);

/// The condition ReplicaFailure that says that pods could not be made; nullptr for none. StatefulSets and DaemonSets
/// have none: they tell it by events alone.
const Json* replica_failure(const Json& workload);

/// The pods that there shall be: replicas, or the nodes of a DaemonSet.
std::int64_t wanted_pods(const api::WorkloadKind& kind, const Json& workload);

}  // namespace stash::controller
