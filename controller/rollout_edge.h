#pragma once
#include "controller/cluster.h"
#include "controller/withdrawal.h"
#include "controller/workload_plan.h"
#include "kube/api.h"

namespace stash::controller {

/// How the pods of this configuration's workload get on with the sidecar, which is in its template or not (`injected`).
/// Asks the API server only while they have not settled, or when the sidecar may come back. What may not be looked at
/// is no trouble. Errors: those of lists.
Result<RolloutFacts> gather_rollout(Cluster& cluster, kube::Api& api, const WorkloadWorld& world,
                                    const api::BackupConfiguration& configuration, bool injected);

/// The pods of its selector, whoever made them, each trimmed_pod(). `fresh`: as etcd has them, for who acts on them.
Result<std::vector<Json>> pods_of(kube::Api& api, const Json& workload, bool fresh);

}  // namespace stash::controller
