#pragma once
#include <functional>
#include <optional>
#include <string>

#include "controller/cluster.h"
#include "controller/obstacle.h"
#include "controller/workload_plan.h"
#include "kube/api.h"

/// What several edges read. None of these writes.
namespace stash::controller {

/// The decoded object; nullopt when it is unknown or cannot be decoded.
template <class Kind>
std::optional<Kind> decoded(const kube::Cache& cache, const api::ObjectRef& ref);

/// A copy of the object as it is on the wire; null when it is unknown.
Json cached(const kube::Cache& cache, const api::ObjectRef& ref);

/// The live object, asked of the API server; null when there is none.
Result<Json> live_object(kube::Api& api, const api::Resource& resource, const api::ObjectRef& ref);

/// What time it is for a session of this kind that is not over (session_clock.h).
TimePoint session_time(Cluster& cluster, kube::Api& api, const api::Resource& kind, const api::ObjectRef& ref,
                       const Json& session);

/// From the cache of ours, else from the API server, so that an object of somebody else is seen too.
Result<Json> owned_object(kube::Api& api, const kube::Cache& cache, const api::Resource& resource,
                          const api::ObjectRef& ref);

/// Asks for the metadata only: the content of a Secret never reaches this process. An empty name is absent.
Result<Presence> presence(kube::Api& api, const api::Resource& resource, const api::ObjectRef& ref);

/// The pods that the workload's selector names: of a few all at once from the API server's memory, of hundreds, or
/// where they must be `fresh`, page by page from etcd. None of a workload without a selector.
Result<void> for_each_pod(kube::Api& api, const std::string& ns, const Json& workload,
                          const std::function<void(const Json&)>& take, bool fresh = false);

/// What injection into this workload looks at, from the caches alone. `workload` must outlive it.
WorkloadWorld gather_workload(Cluster& cluster, const api::WorkloadRef& ref, const Json& workload);

/// The BackupSessions of this BackupConfiguration.
std::vector<api::BackupSession> sessions_of(const Cluster& cluster, const api::BackupConfiguration& configuration);

/// Whether a BackupSession of this BackupConfiguration has begun and not ended.
bool is_in_session(const Caches& caches, const api::ObjectRef& configuration);

/// Findings about `object` ("BackupConfiguration demo/web") or about the workload itself.
std::vector<inject::Finding> findings_about(const std::vector<inject::Finding>& findings, std::string_view object);

/// The RestoreSession whose init container the pod template of this target carries; "" for none.
std::string injected_restore(const Cluster& cluster, const std::string& ns, const api::TargetRef& target);

/// The RestoreSessions of the namespace with this target that are not being deleted, newest first.
std::vector<api::RestoreSession> restores_of(const Cluster& cluster, const std::string& ns,
                                             const api::TargetRef& target);

struct TargetQuestion {
  const Json& session;  ///< raw, for its claims
  std::string owner;    ///< "BackupConfiguration demo/web"
  std::string invoker;  ///< its name: what our container must work for
  std::string_view container;
  api::TargetRef ref;
  std::string repository;
  bool look_at_pods = false;
  bool look_for_obstacles = true;  ///< in the Secret and the injection: a host waits for a pod, or is to be named
};
/// Everything about the target of a session; what we may not look at stays unknown, so that no missing right keeps a
/// session from its end. Pods are listed from the API server's memory; a claimant at work that is missing
/// there is asked for by name, so that no claim is given back because of an old list.
Result<TargetWorld> gather_target(Cluster& cluster, kube::Api& api, const std::string& ns,
                                  const TargetQuestion& question);

}  // namespace stash::controller
