#pragma once
#include "controller/queues.h"
#include "kube/cache.h"

namespace stash::controller {

/// Local copies of everything that decisions read, and the routes from a change to the keys that it concerns. Routes
/// only wake; what to do is decided from the state, so one event too many costs a look and nothing else.
class Caches {
 public:
  Caches(const kube::Config& config, Queues& queues);

  void start();
  bool synced() const;

  Queues& queues;
  kube::Cache repositories, configurations, sessions, restores;
  kube::Cache namespaces;                       ///< metadata only
  kube::Cache deployments;                      ///< without status
  kube::Cache cron_jobs, roles, role_bindings;  ///< ours, by label

 private:
  using Object = kube::Cache::Object;
  void on_repository(const api::ObjectRef& ref, const Object& before, const Object& after);
  void on_configuration(const api::ObjectRef& ref, const Object& before, const Object& after);
  void on_session(const api::ObjectRef& ref, const Object& before, const Object& after);
  void on_restore(const api::ObjectRef& ref, const Object& before, const Object& after);
  void on_namespace(const api::ObjectRef& ref, const Object& before, const Object& after);
  void on_deployment(const api::ObjectRef& ref, const Object& before, const Object& after);
  void on_owned(const api::ObjectRef& ref, const Object& before, const Object& after);
  void wake_target(const Object& object);
};

}  // namespace stash::controller
