#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "api/workload_kind.h"
#include "controller/queues.h"
#include "kube/cache.h"

namespace stash::controller {

/// Local copies of everything that decisions read, and the routes from a change to the keys that it concerns. Routes
/// only wake; what to do is decided from the state, so one event too many costs a look and nothing else.
class Caches {
 public:
  Caches(const kube::Config& config, Queues& queues);
  ~Caches();

  void start();
  bool synced();
  /// From now on changes wake their keys, and first of all everything that exists. Before that nothing does: who does
  /// not lead has no workers, and his queues would fill with every name that ever was. Call once, after synced().
  void start_waking();

  Queues& queues;
  kube::Cache repositories, configurations, sessions, restores;
  kube::Cache session_hosts;                    ///< BackupSessionHosts
  kube::Cache blueprints;                       ///< of the cluster
  kube::Cache namespaces;                       ///< metadata only
  kube::Cache cron_jobs, roles, role_bindings;  ///< ours, by label
  kube::Cache service_accounts;                 ///< so, too; unserved under roles of an older chart

  using Object = kube::Cache::Object;
  using Objects = std::vector<Object>;
  Object workload(const api::WorkloadRef& ref) const;  ///< null when there is none
  /// The workloads of the cluster that name this BackupBlueprint.
  std::vector<api::WorkloadRef> asking_for(const std::string& blueprint) const;

  // What belongs together, without a look at everything else in the namespace; each ordered by name.
  Objects sessions_of(const api::ObjectRef& configuration) const;
  /// Those that have given work to the pod with this UID and have not ended.
  Objects sessions_of_pod(const std::string& ns, const std::string& uid) const;
  /// The BackupSessionHosts of this session, raw; none of one that has ended.
  Objects hosts_of(const Json& session) const;
  /// Its host entries, wherever they are now, and that of the upkeep of the repository: what pods work on.
  Json host_entries(const Json& session) const;
  Objects configurations_of(const api::WorkloadRef& target) const;
  Objects restores_of(const api::WorkloadRef& target) const;
  Objects cron_jobs_of(const std::string& ns, const std::string& owner_uid) const;
  Objects configurations_with(const api::ObjectRef& repository) const;
  Objects restores_with(const api::ObjectRef& repository) const;
  Objects awaiting_wipe_out() const;  ///< Repositories of the cluster; awaits_wipe_out

 private:
  void on_repository(const api::ObjectRef& ref, const Object& before, const Object& after);
  void on_configuration(const api::ObjectRef& ref, const Object& before, const Object& after);
  void on_session_host(const api::ObjectRef& ref, const Object& before, const Object& after);
  void on_session(const api::ObjectRef& ref, const Object& before, const Object& after);
  void on_restore(const api::ObjectRef& ref, const Object& before, const Object& after);
  void on_namespace(const api::ObjectRef& ref, const Object& before, const Object& after);
  void on_workload(const api::WorkloadKind& kind, const api::ObjectRef& ref, const Object& before, const Object& after);
  void on_blueprint(const api::ObjectRef& ref, const Object& before, const Object& after);
  void on_owned(const api::ObjectRef& ref, const Object& before, const Object& after);
  void wake_target(const Object& object);
  void wake_owners(const std::string& ns, const Json& owners);
  /// The workload that an object of this name was made for, or would be.
  void wake_blueprint_user(const api::ObjectRef& made, const Object& object);
  std::vector<kube::Cache*> all();
  using Route = void (Caches::*)(const api::ObjectRef& ref, const Object& before, const Object& after);
  kube::Cache::OnChange routed(Route route);

  std::atomic<bool> waking_{false};

  /// One per kind, without what nothing reads. ReplicaSets and the like that another workload made are names only.
  std::map<const api::WorkloadKind*, std::unique_ptr<kube::Cache>> workloads_;
};

}  // namespace stash::controller
