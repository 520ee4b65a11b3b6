#include "controller/gather.h"

#include <algorithm>

#include "api/codec.h"
#include "controller/hosts.h"
#include "controller/sidecar_access.h"

namespace stash::controller {
namespace {

template <class Kind>
std::vector<Kind> all_decoded(const kube::Cache& cache, const std::string& ns) {
  std::vector<Kind> objects;
  for (const kube::Cache::Object& object : cache.list(ns)) {
    if (auto kind = api::decode<Kind>(*object)) objects.push_back(*std::move(kind));
  }
  return objects;
}

Json cached(const kube::Cache& cache, const api::ObjectRef& ref) {
  const auto object = cache.get(ref);
  return object ? *object : Json();
}

Result<std::vector<PodFacts>> gather_pods(kube::Api& api, const std::string& ns, const Json& workload,
                                          const TargetQuestion& question) {
  std::vector<PodFacts> pods;
  const std::string selector = selector_text(workload);
  if (!selector.empty()) {
    TRY(const Json list, api.list(api::kPods, ns, {.label_selector = selector, .from_cache = true}));
    for (const Json& pod : array_at(list, {"items"})) pods.push_back(pod_facts(pod, question.container));
  }
  for (const Json& host : array_at(question.session, {"status", "stats"})) {
    const std::string uid = string_at(host, {"claim", "podUID"});
    const std::string name = string_at(host, {"claim", "podName"});
    const auto is_it = [&](const PodFacts& pod) { return pod.uid == uid; };
    if (name.empty() || std::any_of(pods.begin(), pods.end(), is_it)) continue;
    TRY(const Json pod, live_object(api, api::kPods, {ns, name}));
    if (pod.is_object()) pods.push_back(pod_facts(pod, question.container));
  }
  return pods;
}

}  // namespace

Json Cluster::namespace_labels(const std::string& ns) const {
  const auto object = caches.namespaces.get({"", ns});
  return object ? object_at(*object, {"metadata", "labels"}) : Json::object();
}

std::string Cluster::not_opted_in(const std::string& ns) const {
  return reason_not_opted_in(settings, ns, namespace_labels(ns));
}

template <class Kind>
std::optional<Kind> decoded(const kube::Cache& cache, const api::ObjectRef& ref) {
  const auto object = cache.get(ref);
  if (!object) return std::nullopt;
  auto kind = api::decode<Kind>(*object);
  return kind ? std::optional(*std::move(kind)) : std::nullopt;
}
template std::optional<api::Repository> decoded(const kube::Cache&, const api::ObjectRef&);
template std::optional<api::BackupConfiguration> decoded(const kube::Cache&, const api::ObjectRef&);

Result<Json> live_object(kube::Api& api, const api::Resource& resource, const api::ObjectRef& ref) {
  auto object = api.get(resource, ref);
  if (!object && object.error().code == ErrorCode::not_found) return Json();
  return object;
}

Result<Json> owned_object(kube::Api& api, const kube::Cache& cache, const api::Resource& resource,
                          const api::ObjectRef& ref) {
  if (const auto object = cache.get(ref)) return *object;
  return live_object(api, resource, ref);
}

Result<Presence> secret_presence(kube::Api& api, const api::ObjectRef& secret) {
  if (secret.name.empty()) return Presence::absent;
  const auto metadata = api.get(api::kSecrets, secret, true);
  if (metadata) return Presence::present;
  if (metadata.error().code == ErrorCode::not_found) return Presence::absent;
  return std::unexpected(metadata.error());
}

WorkloadWorld gather_workload(Cluster& cluster, const api::ObjectRef& ref, const Json& workload) {
  const Caches& caches = cluster.caches;
  WorkloadWorld world;
  world.inject.group = api::kDeployments.group;
  world.inject.kind = api::kDeployments.kind;
  world.inject.workload = &workload;
  world.inject.ns = ref.ns;
  world.inject.namespace_labels = cluster.namespace_labels(ref.ns);
  world.inject.configurations = all_decoded<api::BackupConfiguration>(caches.configurations, ref.ns);
  world.inject.restores = all_decoded<api::RestoreSession>(caches.restores, ref.ns);
  world.inject.repository = [&caches, ns = ref.ns](const std::string& name) {
    return decoded<api::Repository>(caches.repositories, {ns, name});
  };
  world.opted_in = cluster.not_opted_in(ref.ns).empty();
  world.nudges = cluster.nudges.look(to_string(ref));
  const std::string sidecar_role = sidecar_role_name(api::kDeployments.kind, ref.name);
  const std::string restore_role = restore_role_name(api::kDeployments.kind, ref.name);
  world.sidecar_role = cached(caches.roles, {ref.ns, sidecar_role});
  world.sidecar_binding = cached(caches.role_bindings, {ref.ns, sidecar_role});
  world.restore_role = cached(caches.roles, {ref.ns, restore_role});
  world.restore_binding = cached(caches.role_bindings, {ref.ns, restore_role});
  return world;
}

std::vector<inject::Finding> findings_about(const std::vector<inject::Finding>& findings, std::string_view object) {
  std::vector<inject::Finding> about;
  for (const inject::Finding& finding : findings) {
    const bool others = finding.object != object && (finding.object.starts_with(api::kBackupConfigurations.kind) ||
                                                     finding.object.starts_with(api::kRestoreSessions.kind));
    if (!others) about.push_back(finding);
  }
  return about;
}

Result<TargetWorld> gather_target(Cluster& cluster, kube::Api& api, const std::string& ns,
                                  const TargetQuestion& question) {
  TargetWorld target;
  target.ns = ns;
  target.owner = question.owner;
  target.container = question.container;
  target.ref = question.ref;
  target.not_opted_in = cluster.not_opted_in(ns);
  target.repository = question.repository;
  target.repository_found = decoded<api::Repository>(cluster.caches.repositories, {ns, question.repository});
  const bool waiting = tally(array_at(question.session, {"status", "stats"})).running == 0;
  if (target.repository_found && waiting) {
    TRY(target.secret, secret_presence(api, {ns, target.repository_found->spec.backend.storage_secret_name}));
  }
  const auto workload =
      is_supported_kind(question.ref) ? cluster.caches.deployments.get({ns, question.ref.name}) : nullptr;
  if (!workload) {
    if (question.look_at_pods) {
      TRY(target.pods, gather_pods(api, ns, Json::object(), question));
    }
    return target;
  }
  target.workload = workload_facts(*workload, question.container);
  const WorkloadWorld world = gather_workload(cluster, {ns, question.ref.name}, *workload);
  target.findings = findings_about(plan_workload(world, cluster.settings).findings, question.owner);
  if (question.look_at_pods) {
    TRY(target.pods, gather_pods(api, ns, *workload, question));
  }
  return target;
}

}  // namespace stash::controller
