#include "controller/caches.h"

#include <array>

#include "api/backup_session.h"
#include "api/names.h"

namespace stash::controller {
namespace {

using api::ObjectRef;

kube::Cache::Options ours() {
  return {.label_selector = fmt::format("{}={}", api::names::kManagedByLabel, api::names::kManagedBy)};
}

kube::Cache::Options without_status() {
  return {.trim = [](Json& object) { object.erase("status"); }};
}

std::string repository_of(const Json& object) { return string_at(object, {"spec", "repository", "name"}); }
std::string target_of(const Json& object) { return string_at(object, {"spec", "target", "ref", "name"}); }

bool is_finished(const Json& session) { return api::is_final_phase(string_at(session, {"status", "phase"})); }

/// Nothing that a decision reads differs.
bool same_workload(const Json& before, const Json& after) {
  const auto same = [&](std::initializer_list<std::string_view> path) {
    return string_at(before, path) == string_at(after, path);
  };
  return int_at(before, {"metadata", "generation"}) == int_at(after, {"metadata", "generation"}) &&
         same({"metadata", "uid"}) && same({"metadata", "deletionTimestamp"}) &&
         object_at(before, {"metadata", "annotations"}) == object_at(after, {"metadata", "annotations"});
}

}  // namespace

Caches::Caches(const kube::Config& config, Queues& the_queues)
    : queues(the_queues),
      repositories(config, api::kRepositories, {}, std::bind_front(&Caches::on_repository, this)),
      configurations(config, api::kBackupConfigurations, {}, std::bind_front(&Caches::on_configuration, this)),
      sessions(config, api::kBackupSessions, {}, std::bind_front(&Caches::on_session, this)),
      restores(config, api::kRestoreSessions, {}, std::bind_front(&Caches::on_restore, this)),
      namespaces(config, api::kNamespaces, {.metadata_only = true}, std::bind_front(&Caches::on_namespace, this)),
      deployments(config, api::kDeployments, without_status(), std::bind_front(&Caches::on_deployment, this)),
      cron_jobs(config, api::kCronJobs, ours(), std::bind_front(&Caches::on_owned, this)),
      roles(config, api::kRoles, ours(), std::bind_front(&Caches::on_owned, this)),
      role_bindings(config, api::kRoleBindings, ours(), std::bind_front(&Caches::on_owned, this)) {}

void Caches::start() {
  for (kube::Cache* cache : {&repositories, &configurations, &sessions, &restores, &namespaces, &deployments,
                             &cron_jobs, &roles, &role_bindings}) {
    cache->start();
  }
}

bool Caches::synced() const {
  for (const kube::Cache* cache : {&repositories, &configurations, &sessions, &restores, &namespaces, &deployments,
                                   &cron_jobs, &roles, &role_bindings}) {
    if (!cache->synced()) return false;
  }
  return true;
}

void Caches::wake_target(const Object& object) {
  if (!object || target_of(*object).empty()) return;
  queues.workloads.add(to_string(ObjectRef{string_at(*object, {"metadata", "namespace"}), target_of(*object)}));
}

void Caches::on_repository(const ObjectRef& ref, const Object&, const Object&) {
  queues.repositories.add(to_string(ref));
  for (const auto& [cache, queue] :
       {std::pair(&configurations, &queues.configurations), {&restores, &queues.restores}}) {
    for (const Object& object : cache->list(ref.ns)) {
      if (repository_of(*object) != ref.name) continue;
      queue->add(to_string(ObjectRef{ref.ns, string_at(*object, {"metadata", "name"})}));
      wake_target(object);
    }
  }
}

void Caches::on_configuration(const ObjectRef& ref, const Object& before, const Object& after) {
  queues.configurations.add(to_string(ref));
  wake_target(before);
  wake_target(after);
  for (const Object& session : sessions.list(ref.ns)) {
    queues.sessions.add(to_string(ObjectRef{ref.ns, string_at(*session, {"metadata", "name"})}));
  }
}

void Caches::on_session(const ObjectRef& ref, const Object&, const Object&) { queues.sessions.add(to_string(ref)); }

void Caches::on_restore(const ObjectRef& ref, const Object& before, const Object& after) {
  queues.restores.add(to_string(ref));
  wake_target(before);
  wake_target(after);
}

void Caches::on_namespace(const ObjectRef& ref, const Object& before, const Object& after) {
  if (!after || (before && object_at(*before, {"metadata", "labels"}) == object_at(*after, {"metadata", "labels"})))
    return;
  for (const auto& [cache, queue] : {std::pair(&configurations, &queues.configurations),
                                     {&restores, &queues.restores},
                                     {&deployments, &queues.workloads}}) {
    for (const Object& object : cache->list(ref.name)) {
      queue->add(to_string(ObjectRef{ref.name, string_at(*object, {"metadata", "name"})}));
    }
  }
}

void Caches::on_deployment(const ObjectRef& ref, const Object& before, const Object& after) {
  if (before && after && same_workload(*before, *after)) return;
  queues.workloads.add(to_string(ref));
  for (const Object& configuration : configurations.list(ref.ns)) {
    if (target_of(*configuration) != ref.name) continue;
    queues.configurations.add(to_string(ObjectRef{ref.ns, string_at(*configuration, {"metadata", "name"})}));
  }
  for (const auto& [cache, queue] : {std::pair(&sessions, &queues.sessions), {&restores, &queues.restores}}) {
    for (const Object& session : cache->list(ref.ns)) {
      if (!is_finished(*session)) queue->add(to_string(ObjectRef{ref.ns, string_at(*session, {"metadata", "name"})}));
    }
  }
}

void Caches::on_owned(const ObjectRef& ref, const Object& before, const Object& after) {
  for (const Json& owner : array_at(after ? *after : *before, {"metadata", "ownerReferences"})) {
    const std::string key = to_string(ObjectRef{ref.ns, string_at(owner, {"name"})});
    if (string_at(owner, {"kind"}) == api::kBackupConfigurations.kind) queues.configurations.add(key);
    if (string_at(owner, {"kind"}) == api::kDeployments.kind) queues.workloads.add(key);
  }
}

}  // namespace stash::controller
