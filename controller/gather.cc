#include "controller/gather.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include "api/backup_session.h"
#include "api/backup_session_host.h"
#include "api/codec.h"
#include "api/names.h"
#include "base/log.h"
#include "controller/hook_requests.h"
#include "controller/hosts.h"
#include "controller/news.h"
#include "controller/reasons.h"
#include "controller/session_hosts.h"
#include "controller/sidecar_access.h"
#include "inject/restore_place.h"
#include "inject/workload_view.h"

namespace stash::controller {
namespace {

template <class Kind>
std::vector<Kind> all_decoded(const Caches::Objects& found) {
  std::vector<Kind> objects;
  for (const kube::Cache::Object& object : found) {
    if (auto kind = api::decode<Kind>(*object)) objects.push_back(*std::move(kind));
  }
  return objects;
}

/// From the API server's memory a list comes whole. The bodies of more pods than this at once are too much for ours.
constexpr int kPodsAtOnce = 500;

/// Whether something is decided by the life of its pod: to others it does not matter that an old list lacks it.
bool needs_its_pod(const Json& session, const Json& host) {
  const std::string name = string_at(host, {"hostname"}), hook = string_at(host, {"hook", "phase"});
  return string_at(host, {"phase"}) == kHostRunning || (!hook.empty() && !has_hook_ended(hook)) ||
         (!name.empty() && name == string_at(session, {"status", "upkeepHost"}));
}

Result<std::vector<PodFacts>> gather_pods(kube::Api& api, const std::string& ns, const Json& workload,
                                          const TargetQuestion& question) {
  std::vector<PodFacts> pods;
  std::set<std::string> uids;
  const auto take = [&](const Json& pod) {
    pods.push_back(pod_facts(pod, question.container));
    uids.insert(pods.back().uid);
  };
  TRY_VOID(for_each_pod(api, ns, workload, take));
  for (const Json& host : array_at(question.session, {"status", "stats"})) {
    const std::string name = string_at(host, {"claim", "podName"});
    if (name.empty() || !needs_its_pod(question.session, host)) continue;
    if (uids.contains(string_at(host, {"claim", "podUID"}))) continue;
    TRY(const Json pod, live_object(api, api::kPods, {ns, name}));
    if (pod.is_object()) take(pod);
  }
  return pods;
}

/// Even without them the time of the session is judged.
Obstacle why_unseen(const TargetWorld& target, const Error& error) {
  if (error.code == ErrorCode::denied) return {std::string(reasons::kDenied), error.message, ""};
  log_warning("{}: {}; its pods are looked at again soon", target.owner, error.message);
  // The text of such an error may be another one each time.
  return {std::string(reasons::kPodsUnknown),
          fmt::format("the pods of {} {}/{} could not be looked at; see the log of stash-controller", target.ref.kind,
                      target.ns, target.ref.name),
          ""};
}

/// The pods of the target, and those that hold its hosts, which other unfinished sessions have given work to: one does
/// one thing at a time.
std::map<std::string, std::string> busy_pods(const Caches& caches, const TargetWorld& target, const Json& session) {
  std::set<std::string> uids;
  for (const PodFacts& pod : target.pods.value_or(std::vector<PodFacts>())) uids.insert(pod.uid);
  for (const Json& host : array_at(session, {"status", "stats"})) uids.insert(string_at(host, {"claim", "podUID"}));
  std::map<std::string, std::string> busy;
  for (const std::string& uid : uids) {
    for (const kube::Cache::Object& other : caches.sessions_of_pod(target.ns, uid)) {
      if (string_at(*other, {"metadata", "uid"}) == string_at(session, {"metadata", "uid"})) continue;
      busy[uid] = string_at(*other, {"metadata", "name"});
    }
  }
  return busy;
}

/// The BackupConfigurations that its sidecar serves and that name it no more.
std::vector<std::string> gone_from(const WorkloadWorld& world) {
  const Json* sidecar = inject::sidecar_of(*world.inject.workload);
  std::vector<std::string> gone = sidecar == nullptr ? std::vector<std::string>() : inject::invokers_of(*sidecar);
  std::erase_if(gone, [&](const std::string& name) {
    return std::ranges::any_of(world.inject.configurations, [&](const api::BackupConfiguration& configuration) {
      return configuration.metadata.name == name && !configuration.metadata.being_deleted;
    });
  });
  return gone;
}

/// One of the BackupConfigurations of this workload.
bool is_any_in_session(const Caches& caches, const WorkloadWorld& world, const std::string& workload) {
  return std::ranges::any_of(world.inject.configurations, [&](const api::BackupConfiguration& configuration) {
    const auto& target = configuration.spec.target;
    return target && inject::names_workload(target->ref, world.inject.group, world.inject.kind, workload) &&
           is_in_session(caches, configuration.metadata.ref());
  });
}

}  // namespace

Result<void> for_each_pod(kube::Api& api, const std::string& ns, const Json& workload,
                          const std::function<void(const Json&)>& take, bool fresh) {
  const std::string selector = selector_text(workload);
  if (selector.empty()) return {};
  const auto wanted =
      std::max(int_at(workload, {"spec", "replicas"}), int_at(workload, {"status", "desiredNumberScheduled"}));
  const bool paged = fresh || wanted > kPodsAtOnce;
  TRY_VOID(api.for_each(api::kPods, ns, {.label_selector = selector, .from_cache = !paged}, take));
  return {};
}

Json cached(const kube::Cache& cache, const api::ObjectRef& ref) {
  const auto object = cache.get(ref);
  return object ? *object : Json();
}

Json Cluster::namespace_labels(const std::string& ns) const {
  const auto object = caches.namespaces.get({"", ns});
  return object ? object_at(*object, {"metadata", "labels"}) : Json::object();
}

bool Cluster::is_going(const std::string& ns) const {
  const auto object = caches.namespaces.get({"", ns});
  return object && !string_at(*object, {"metadata", "deletionTimestamp"}).empty();
}

Living Cluster::living() const {
  const auto names = [](const kube::Cache& cache) {
    std::set<std::string> all;
    for (const api::ObjectRef& ref : cache.refs()) all.insert(to_string(ref));
    return all;
  };
  std::vector<api::BackupSession> sessions;
  caches.sessions.for_each("", [&](const api::ObjectRef&, const Json& object) {
    auto decoded = api::has_host_objects(object)
                       ? api::decode<api::BackupSession>(with_host_objects(object, caches.hosts_of(object)))
                       : api::decode<api::BackupSession>(object);
    if (decoded) sessions.push_back(*std::move(decoded));
  });
  return {names(caches.configurations), names(caches.restores), hosts_still_backed_up(sessions)};
}

std::string name_in_books(const api::Resource& kind, const api::ObjectRef& ref) {
  return fmt::format("{} {}", kind.kind, to_string(ref));
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

TimePoint session_time(Cluster& cluster, kube::Api& api, const api::Resource& kind, const api::ObjectRef& ref,
                       const Json& session) {
  // The answer's Date is to a second; what is less than that and its way is no difference.
  constexpr std::chrono::seconds kAgreed{2};
  if (!api.clock_skew()) std::ignore = api.get(kind, ref, true);
  const Nanoseconds ahead = api.clock_skew().value_or(Nanoseconds(0));
  return cluster.session_clock.now(name_in_books(kind, ref), string_at(session, {"metadata", "uid"}),
                                   std::chrono::abs(ahead) < kAgreed ? Nanoseconds(0) : ahead);
}

Result<Json> owned_object(kube::Api& api, const kube::Cache& cache, const api::Resource& resource,
                          const api::ObjectRef& ref) {
  if (const auto object = cache.get(ref)) return *object;
  return live_object(api, resource, ref);
}

Result<Presence> presence(kube::Api& api, const api::Resource& resource, const api::ObjectRef& ref) {
  if (ref.name.empty()) return Presence::absent;
  const auto metadata = api.get(resource, ref, true);
  if (metadata) return Presence::present;
  if (metadata.error().code == ErrorCode::not_found) return Presence::absent;
  return std::unexpected(metadata.error());
}

WorkloadWorld gather_workload(Cluster& cluster, const api::WorkloadRef& name, const Json& workload) {
  const api::ObjectRef& ref = name.ref;
  const Caches& caches = cluster.caches;
  WorkloadWorld world;
  world.kind = name.kind;
  world.inject.group = name.kind->resource.group;
  world.inject.kind = name.kind->resource.kind;
  world.inject.workload = &workload;
  world.inject.nudge = true;
  world.inject.ns = ref.ns;
  world.inject.namespace_labels = cluster.namespace_labels(ref.ns);
  for (auto& configuration : all_decoded<api::BackupConfiguration>(caches.configurations_of(name))) {
    world.inject.configurations.emplace_back(std::move(configuration));
  }
  world.inject.restores = all_decoded<api::RestoreSession>(caches.restores_of(name));
  // Most BackupConfigurations of a workload have the same one, and it is asked for several times for each.
  using Known = std::map<std::string, inject::SharedRepository>;
  world.inject.repository = [&caches, ns = ref.ns, known = std::make_shared<Known>()](const std::string& name) {
    const auto [found, is_new] = known->try_emplace(name);
    if (is_new) {
      auto repository = decoded<api::Repository>(caches.repositories, {ns, name});
      if (repository) found->second = std::make_shared<const api::Repository>(*std::move(repository));
    }
    return found->second;
  };
  world.opted_in = cluster.not_opted_in(ref.ns).empty();
  world.nudges = cluster.nudges.look(to_string(name));
  world.gone_for = cluster.nudges.gone_for(to_string(name), gone_from(world));
  if (cluster.settings.upgrade_at_once) {
    world.upgrade = cluster.upgrades.look(to_string(name));
    world.upgrade.in_session = is_any_in_session(caches, world, ref.name);
  }
  const std::string sidecar_role = sidecar_role_name(*name.kind, ref.name);
  const std::string restore_role = restore_role_name(*name.kind, ref.name);
  world.sidecar_role = cached(caches.roles, {ref.ns, sidecar_role});
  world.sidecar_binding = cached(caches.role_bindings, {ref.ns, sidecar_role});
  world.restore_role = cached(caches.roles, {ref.ns, restore_role});
  world.restore_binding = cached(caches.role_bindings, {ref.ns, restore_role});
  return world;
}

std::vector<api::BackupSession> sessions_of(const Cluster& cluster, const api::BackupConfiguration& configuration) {
  return all_decoded<api::BackupSession>(cluster.caches.sessions_of(configuration.metadata.ref()));
}

bool is_in_session(const Caches& caches, const api::ObjectRef& configuration) {
  return std::ranges::any_of(caches.sessions_of(configuration), [&caches](const Caches::Object& session) {
    // Its phase follows a pod that begins a little later.
    const std::string phase = string_at(*session, {"status", "phase"});
    return phase == "Running" || (!api::is_final_phase(phase) && tally(caches.host_entries(*session)).running > 0);
  });
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

std::string injected_restore(const Cluster& cluster, const std::string& ns, const api::TargetRef& target) {
  const api::WorkloadRef name{api::workload_kind(target), {ns, target.name}};
  const auto workload = name.kind != nullptr ? cluster.caches.workload(name) : nullptr;
  const Json* container = workload ? inject::init_container_of(*workload) : nullptr;
  if (container == nullptr) return "";
  std::string session = inject::invoker_of(*container);
  const auto restore = decoded<api::RestoreSession>(cluster.caches.restores, {ns, session});
  return restore && !inject::is_injected(*workload, *restore) ? "" : session;
}

std::vector<api::RestoreSession> restores_of(const Cluster& cluster, const std::string& ns,
                                             const api::TargetRef& target) {
  const api::WorkloadKind* kind = api::workload_kind(target);
  if (kind == nullptr) return {};
  auto restores = all_decoded<api::RestoreSession>(cluster.caches.restores_of({kind, {ns, target.name}}));
  std::erase_if(restores, [](const api::RestoreSession& restore) { return restore.metadata.being_deleted; });
  std::ranges::sort(restores, [](const api::RestoreSession& a, const api::RestoreSession& b) {
    if (a.metadata.created != b.metadata.created) return a.metadata.created > b.metadata.created;
    return a.metadata.name < b.metadata.name;
  });
  return restores;
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
  if (target.repository_found && question.look_for_obstacles && waiting) {
    const auto secret = presence(api, api::kSecrets, {ns, target.repository_found->spec.backend.storage_secret_name});
    if (!secret && secret.error().code != ErrorCode::denied) return std::unexpected(secret.error());
    target.secret = secret.value_or(Presence::unknown);
  }
  const auto look_at_pods = [&](const Json& workload) -> Result<void> {
    auto pods = gather_pods(api, ns, workload, question);
    if (pods) {
      target.pods = *std::move(pods);
    } else if (pods.error().code == ErrorCode::cancelled || pods.error().code == ErrorCode::throttled) {
      return std::unexpected(pods.error());
    } else {
      target.unseen = why_unseen(target, pods.error());
    }
    return {};
  };
  const api::WorkloadRef name{api::workload_kind(question.ref), {ns, question.ref.name}};
  const auto workload = name.kind != nullptr ? cluster.caches.workload(name) : nullptr;
  if (!workload) {
    if (question.look_at_pods) TRY_VOID(look_at_pods(Json::object()));
    return target;
  }
  target.workload = workload_facts(*name.kind, *workload, question.container, question.invoker);
  if (question.container == api::names::kInitContainer) {
    target.workload->has_container = injected_restore(cluster, ns, question.ref) == question.invoker;
  }
  if (question.look_for_obstacles) {
    const WorkloadWorld world = gather_workload(cluster, name, *workload);
    const WorkloadPlan decision = plan_workload(world, cluster.settings);
    target.injection = decision.injection;
    target.findings = findings_about(decision.findings, question.owner);
    target.remarks = findings_about(decision.remarks, question.owner);
  }
  const bool by_node = name.kind->hosts == api::HostScheme::nodes;
  if (question.look_at_pods || (by_node && array_at(question.session, {"status", "stats"}).empty())) {
    TRY_VOID(look_at_pods(*workload));
    target.busy = busy_pods(cluster.caches, target, question.session);
  }
  return target;
}

}  // namespace stash::controller
