#pragma once
#include <chrono>
#include <optional>

#include "controller/cluster.h"
#include "kube/api.h"

/// One look at one object: gather a World, plan, execute. Each may run for many keys at once, on any worker's thread,
/// with that worker's Api. The result says how soon to look again even if nothing changes.
namespace stash::controller {

using LookAgain = std::optional<std::chrono::seconds>;

Result<LookAgain> reconcile_configuration(Cluster& cluster, kube::Api& api, const api::ObjectRef& ref);
Result<LookAgain> reconcile_session(Cluster& cluster, kube::Api& api, const api::ObjectRef& ref);
Result<LookAgain> reconcile_restore(Cluster& cluster, kube::Api& api, const api::ObjectRef& ref);
Result<LookAgain> reconcile_repository(Cluster& cluster, kube::Api& api, const api::ObjectRef& ref);
Result<LookAgain> reconcile_workload(Cluster& cluster, kube::Api& api, const api::WorkloadRef& ref);
/// What a workload gets from the BackupBlueprint that it asks for.
Result<LookAgain> reconcile_blueprint_use(Cluster& cluster, kube::Api& api, const api::WorkloadRef& ref);
/// The status of a BackupBlueprint.
Result<LookAgain> reconcile_blueprint(Cluster& cluster, kube::Api& api, const std::string& name);

}  // namespace stash::controller
