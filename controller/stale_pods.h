#pragma once
#include "controller/plan.h"

namespace stash::controller {

/// A ReplicaSet or ReplicationController leaves its pods as they are when its template changes (contract 10.2). Plans
/// the eviction of one pod that does not carry our containers as the template has them, and a further look while there
/// are such pods. One at a time, and only while all others are ready, so that the workload goes on serving; a
/// PodDisruptionBudget has the last word. What else differs between pod and template is its owner's business.
void replace_stale_pods(Plan& plan, const Json& workload, const std::vector<Json>& pods);

/// A StatefulSet waits for a pod to become ready before it replaces it, even by a template that would mend it:
/// https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
/// Plans the eviction of a pod that never started with another sidecar than the template has, unless it is of the
/// current revision: then something else changes pods, and would change the next one as well.
void release_stuck_pods(Plan& plan, const Json& workload, const std::vector<Json>& pods);

}  // namespace stash::controller
