#include "controller/caches.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/backup_session_host.h"
#include "api/codec.h"
#include "api/names.h"
#include "controller/blueprint_plan.h"
#include "controller/blueprint_request.h"
#include "controller/hook_requests.h"
#include "controller/kind_name.h"
#include "controller/mass_deletion.h"
#include "controller/news.h"
#include "controller/restore_phase.h"
#include "controller/rollout.h"
#include "controller/session_hosts.h"
#include "inject/workload_view.h"

namespace stash::controller {
namespace {

using api::ObjectRef;

using Keep = kube::Cache::Keep;

constexpr std::string_view kUnfinished = "unfinished";
constexpr std::string_view kTriedAgain = "tried again";
/// So that hundreds of hosts that begin or end at once are few looks at their session, and few writes that every
/// sidecar is told.
constexpr std::chrono::seconds kGatherHosts{2};
/// Pods come up one by one, and each look at a rollout reads them all.
constexpr std::chrono::seconds kGatherPods{15};
/// What is no news (news.h): of sessions people watch how far they are, of the rest nobody does.
constexpr std::chrono::milliseconds kGatherSigns{500};
constexpr std::chrono::seconds kGatherNumbers{15};
std::string of_configuration(std::string_view name) { return fmt::format("configuration {}", name); }
std::string of_target(const api::WorkloadRef& target) { return fmt::format("target {}", to_string(target)); }
std::string of_repository(std::string_view name) { return fmt::format("repository {}", name); }
std::string of_blueprint(std::string_view name) { return fmt::format("blueprint {}", name); }
constexpr std::string_view kAwaitsWipeOut = "awaits wipe-out";
std::string of_owner(std::string_view uid) { return fmt::format("owner {}", uid); }

std::vector<std::string> keys_of_cron_job(const Json& object) {
  std::vector<std::string> keys;
  for (const Json& owner : array_at(object, {"metadata", "ownerReferences"})) {
    keys.push_back(of_owner(string_at(owner, {"uid"})));
  }
  return keys;
}

kube::Cache::Options ours() {
  return {.label_selector = fmt::format("{}={}", api::names::kManagedByLabel, api::names::kManagedBy),
          .keep = Keep::packed};
}

kube::Cache::Options our_cron_jobs() {
  kube::Cache::Options options = ours();
  options.keys = keys_of_cron_job;
  return options;
}

kube::Cache::Options our_service_accounts() {
  kube::Cache::Options options = ours();
  options.may_be_unserved = true;
  return options;
}

kube::Cache::Options of_kind(const api::WorkloadKind& kind) {
  return {.trim =
              [&kind](Json& object) {
                Json status = trimmed_status(kind, object);
                object.erase("status");
                if (!status.empty()) object["status"] = std::move(status);
                if (!inject::template_owner(object, kind.resource.kind).empty()) object.erase("spec");
              },
          .keys = [&kind](const Json& object) -> std::vector<std::string> {
            const std::string blueprint = blueprint_of(object);
            if (blueprint.empty() || !inject::template_owner(object, kind.resource.kind).empty()) return {};
            return {of_blueprint(blueprint)};
          },
          .keep = Keep::packed,
          .may_be_unserved = !kind.everywhere};
}

std::string repository_of(const Json& object) { return string_at(object, {"spec", "repository", "name"}); }
std::optional<api::WorkloadRef> target_of(const Json& object) {
  const Json& ref = object_at(object, {"spec", "target", "ref"});
  const auto* kind = api::workload_kind(api::workload_group(string_at(ref, {"apiVersion"})), string_at(ref, {"kind"}));
  const std::string name = string_at(ref, {"name"});
  if (kind == nullptr || name.empty()) return std::nullopt;
  return api::WorkloadRef{kind, {string_at(object, {"metadata", "namespace"}), name}};
}

bool is_finished(const Json& session) { return api::is_final_phase(string_at(session, {"status", "phase"})); }

bool is_unfinished(const Json& object) { return !is_finished(object); }

std::vector<std::string> keys_of_repository(const Json& object) {
  return awaits_wipe_out(object) ? std::vector<std::string>{std::string(kAwaitsWipeOut)} : std::vector<std::string>();
}

void wake_with(const kube::Cache& cache, kube::WorkQueue& queue, const std::string& ns, std::string_view key) {
  for (const ObjectRef& ref : cache.refs_with_key(ns, key)) queue.add(to_string(ref));
}

void wake_unfinished(const kube::Cache& cache, kube::WorkQueue& queue, const std::string& ns) {
  wake_with(cache, queue, ns, kUnfinished);
}

/// Its application may be frozen meanwhile. The first look may write something else, and the hook has its turn in the
/// next one.
bool waits_for_hook(const Json& session) {
  return std::ranges::any_of(open_hooks(session),
                             [](const HookRequest& request) { return request.phase != kHookRunning; });
}

std::string of_session(std::string_view uid) { return fmt::format("session {}", uid); }
std::string of_working_pod(std::string_view uid) { return fmt::format("pod {}", uid); }

void add_working_pods(std::vector<std::string>& keys, const Json& object) {
  for (const std::string& pod : working_pods(object)) keys.push_back(of_working_pod(pod));
}

std::vector<std::string> keys_of_session_host(const Json& object) {
  std::vector<std::string> keys{of_session(string_at(object, {"spec", "backupSession", "uid"}))};
  add_working_pods(keys, object);
  return keys;
}

std::vector<std::string> keys_of_session(const Json& object) {
  std::vector<std::string> keys;
  if (!is_finished(object)) {
    keys.emplace_back(kUnfinished);
    add_working_pods(keys, object);
  }
  const auto session = api::decode<api::BackupSession>(object);
  const std::string name = session ? api::configuration_of(*session).value_or("") : "";
  if (!name.empty()) keys.push_back(of_configuration(name));
  return keys;
}

/// Of a BackupConfiguration, or of a RestoreSession among others.
std::vector<std::string> keys_of_invoker(const Json& object) {
  std::vector<std::string> keys;
  if (!is_finished(object)) keys.emplace_back(kUnfinished);
  keys.push_back(of_repository(repository_of(object)));
  if (const auto target = target_of(object)) keys.push_back(of_target(*target));
  return keys;
}

std::vector<std::string> keys_of_restore(const Json& object) {
  std::vector<std::string> keys = keys_of_invoker(object);
  const auto restore = api::decode<api::RestoreSession>(object);
  if (restore && may_be_tried_again(*restore)) keys.emplace_back(kTriedAgain);
  return keys;
}

}  // namespace

Caches::Caches(const kube::Config& config, Queues& the_queues)
    : queues(the_queues),
      repositories(config, api::kRepositories, {.keys = keys_of_repository, .keep = Keep::packed},
                   routed(&Caches::on_repository)),
      configurations(config, api::kBackupConfigurations, {.keys = keys_of_invoker, .keep = Keep::packed},
                     routed(&Caches::on_configuration)),
      sessions(config, api::kBackupSessions, {.keys = keys_of_session, .keep = Keep::packed, .whole = is_unfinished},
               routed(&Caches::on_session)),
      restores(config, api::kRestoreSessions, {.keys = keys_of_restore, .keep = Keep::packed, .whole = is_unfinished},
               routed(&Caches::on_restore)),
      // A cluster whose CRDs are managed apart may not have these two yet.
      session_hosts(config, api::kBackupSessionHosts, {.keys = keys_of_session_host, .may_be_unserved = true},
                    routed(&Caches::on_session_host)),
      blueprints(config, api::kBackupBlueprints, {.may_be_unserved = true}, routed(&Caches::on_blueprint)),
      namespaces(config, api::kNamespaces, {.metadata_only = true}, routed(&Caches::on_namespace)),
      cron_jobs(config, api::kCronJobs, our_cron_jobs(), routed(&Caches::on_owned)),
      roles(config, api::kRoles, ours(), routed(&Caches::on_owned)),
      role_bindings(config, api::kRoleBindings, ours(), routed(&Caches::on_owned)),
      service_accounts(config, api::kServiceAccounts, our_service_accounts(), routed(&Caches::on_owned)) {
  for (const api::WorkloadKind& kind : api::workload_kinds()) {
    workloads_[&kind] =
        std::make_unique<kube::Cache>(config, kind.resource, of_kind(kind),
                                      [this, &kind](const ObjectRef& ref, const Object& before, const Object& after) {
                                        if (waking_) on_workload(kind, ref, before, after);
                                      });
  }
}

kube::Cache::OnChange Caches::routed(Route route) {
  return [this, route](const ObjectRef& ref, const Object& before, const Object& after) {
    if (waking_) (this->*route)(ref, before, after);
  };
}

// What one cache routes reads others, so all must have stopped before the first is gone.
Caches::~Caches() { kube::Cache::stop_all(all()); }

std::vector<kube::Cache*> Caches::all() {
  std::vector<kube::Cache*> caches = {&repositories,  &configurations, &sessions,        &restores,
                                      &session_hosts, &blueprints,     &namespaces,      &cron_jobs,
                                      &roles,         &role_bindings,  &service_accounts};
  for (const auto& [kind, cache] : workloads_) caches.push_back(cache.get());
  return caches;
}

void Caches::start() {
  for (kube::Cache* cache : all()) cache->start();
}

bool Caches::synced() {
  return std::ranges::all_of(all(), [](const kube::Cache* cache) { return cache->synced(); });
}

void Caches::start_waking() {
  // What changes from now on is not to wait behind all that there is.
  for (kube::WorkQueue* queue : queues.all()) queue->set_all_at_once(true);
  // First: what changes in between is woken twice, and none is missed.
  waking_ = true;
  const auto wake = [](const kube::Cache& cache, auto&& route) {
    for (const ObjectRef& ref : cache.refs()) {
      if (const Object object = cache.get(ref)) route(ref, object);
    }
  };
  for (const auto& [cache, queue] : {std::pair(&repositories, &queues.repositories),
                                     {&configurations, &queues.configurations},
                                     {&sessions, &queues.sessions},
                                     {&restores, &queues.restores}}) {
    for (const ObjectRef& ref : cache->refs()) queue->add(to_string(ref));
  }
  for (const ObjectRef& ref : blueprints.refs()) queues.blueprints.add(ref.name);
  for (const kube::Cache* owned : {&cron_jobs, &roles, &role_bindings, &service_accounts}) {
    wake(*owned, [this](const ObjectRef& ref, const Object& object) { on_owned(ref, nullptr, object); });
  }
  for (const auto& [kind, cache] : workloads_) {
    wake(*cache,
         [this, kind](const ObjectRef& ref, const Object& object) { on_workload(*kind, ref, nullptr, object); });
  }
  for (kube::WorkQueue* queue : queues.all()) queue->set_all_at_once(false);
}

Caches::Object Caches::workload(const api::WorkloadRef& ref) const { return workloads_.at(ref.kind)->get(ref.ref); }

Caches::Objects Caches::sessions_of(const ObjectRef& configuration) const {
  return sessions.with_key(configuration.ns, of_configuration(configuration.name));
}

Caches::Objects Caches::sessions_of_pod(const std::string& ns, const std::string& uid) const {
  Objects found = sessions.with_key(ns, of_working_pod(uid));
  for (const Object& host : session_hosts.with_key(ns, of_working_pod(uid))) {
    const Object session = sessions.get({ns, string_at(*host, {"spec", "backupSession", "name"})});
    const bool is_its_host =
        session && !is_finished(*session) &&
        string_at(*session, {"metadata", "uid"}) == string_at(*host, {"spec", "backupSession", "uid"}) &&
        !hosts_among(*session, {host}).empty();
    if (is_its_host) found.push_back(session);
  }
  return found;
}

Caches::Objects Caches::hosts_of(const Json& session) const {
  if (is_finished(session)) return {};
  return hosts_among(session, session_hosts.with_key(string_at(session, {"metadata", "namespace"}),
                                                     of_session(string_at(session, {"metadata", "uid"}))));
}

Json Caches::host_entries(const Json& session) const {
  const Objects objects = hosts_of(session);
  Json entries = array_at(with_host_objects(session, objects), {"status", "stats"});
  if (const Json* upkeep = upkeep_object(objects)) entries.push_back(entry_in(*upkeep));
  return entries;
}

Caches::Objects Caches::configurations_of(const api::WorkloadRef& target) const {
  return configurations.with_key(target.ref.ns, of_target(target));
}

Caches::Objects Caches::restores_of(const api::WorkloadRef& target) const {
  return restores.with_key(target.ref.ns, of_target(target));
}

Caches::Objects Caches::cron_jobs_of(const std::string& ns, const std::string& owner_uid) const {
  return cron_jobs.with_key(ns, of_owner(owner_uid));
}

Caches::Objects Caches::configurations_with(const ObjectRef& repository) const {
  return configurations.with_key(repository.ns, of_repository(repository.name));
}

Caches::Objects Caches::awaiting_wipe_out() const { return repositories.with_key("", kAwaitsWipeOut); }

Caches::Objects Caches::restores_with(const ObjectRef& repository) const {
  return restores.with_key(repository.ns, of_repository(repository.name));
}

void Caches::wake_target(const Object& object) {
  if (!object) return;
  if (const auto target = target_of(*object)) queues.workloads.add(to_string(*target));
}

std::vector<api::WorkloadRef> Caches::asking_for(const std::string& blueprint) const {
  std::vector<api::WorkloadRef> found;
  for (const auto& [kind, cache] : workloads_) {
    for (const ObjectRef& ref : cache->refs_with_key("", of_blueprint(blueprint))) found.push_back({kind, ref});
  }
  return found;
}

void Caches::wake_blueprint_user(const ObjectRef& made, const Object& object) {
  for (const auto& [kind, cache] : workloads_) {
    const std::string prefix = singular(kind->resource.kind) + "-";
    if (!made.name.starts_with(prefix)) continue;
    const api::WorkloadRef workload{kind, {made.ns, made.name.substr(prefix.size())}};
    const Object asks = cache->get(workload.ref);
    if (asks && (is_from_blueprint(*object) || !blueprint_of(*asks).empty()))
      queues.blueprints.add(to_string(workload));
  }
}

void Caches::on_blueprint(const ObjectRef& ref, const Object& before, const Object& after) {
  queues.blueprints.add(ref.name);
  const bool same_spec = before && after && object_at(*before, {"spec"}) == object_at(*after, {"spec"});
  if (same_spec) return;
  for (const api::WorkloadRef& workload : asking_for(ref.name)) queues.blueprints.add(to_string(workload));
}

void Caches::on_repository(const ObjectRef& ref, const Object& before, const Object& after) {
  if (before && after && !is_news_of_repository(*before, *after))
    return queues.repositories.add_after(to_string(ref), kGatherNumbers);
  queues.repositories.add(to_string(ref));
  wake_blueprint_user(ref, after ? after : before);
  // Another one may have had, or have now, the same location.
  if (!before || !after || object_at(*before, {"spec"}) != object_at(*after, {"spec"})) {
    for (const ObjectRef& other : repositories.refs(ref.ns)) queues.repositories.add(to_string(other));
  }
  for (const auto& [found, queue] :
       {std::pair(configurations_with(ref), &queues.configurations), std::pair(restores_with(ref), &queues.restores)}) {
    for (const Object& object : found) {
      queue->add(to_string(ObjectRef{ref.ns, string_at(*object, {"metadata", "name"})}));
      wake_target(object);
    }
  }
}

void Caches::on_configuration(const ObjectRef& ref, const Object& before, const Object& after) {
  if (before && after && !is_news_of_configuration(*before, *after))
    return queues.configurations.add_after(to_string(ref), kGatherNumbers);
  queues.configurations.add(to_string(ref));
  wake_blueprint_user(ref, after ? after : before);
  wake_target(before);
  wake_target(after);
  wake_with(sessions, queues.sessions, ref.ns, of_configuration(ref.name));
}

void Caches::on_session_host(const ObjectRef& ref, const Object& before, const Object& after) {
  const std::string session = string_at(after ? *after : *before, {"spec", "backupSession", "name"});
  const std::string key = to_string(ObjectRef{ref.ns, session});
  if (before && after && have_hosts_told(*before, *after)) {
    queues.sessions.add_first(key, kGatherHosts);
  } else {
    queues.sessions.add_after(key, kGatherHosts);
  }
}

void Caches::on_session(const ObjectRef& ref, const Object& before, const Object& after) {
  // Its hosts are on their way, from the same hands.
  if (after && api::has_host_objects(*after)) {
    queues.sessions.add_after(to_string(ref), kGatherHosts);
  } else if (after && waits_for_hook(*after)) {
    queues.sessions.add_first(to_string(ref));
  } else if (before && after && !is_news_of_session(*before, *after)) {
    queues.sessions.add_after(to_string(ref), kGatherSigns);
  } else if (before && after && have_hosts_told(*before, *after)) {
    queues.sessions.add_first(to_string(ref));
  } else {
    queues.sessions.add(to_string(ref));
  }
  wake_unfinished(restores, queues.restores, ref.ns);
  const auto has_succeeded = [](const Object& session) {
    return session && string_at(*session, {"status", "phase"}) == "Succeeded";
  };
  const bool is_new = after && !before;  // also one that fails shows that sessions are made
  if (!is_new && (!has_succeeded(after) || has_succeeded(before))) return;
  const auto session = api::decode<api::BackupSession>(*after);
  const std::string name = session ? api::configuration_of(*session).value_or("") : "";
  if (!name.empty()) queues.configurations.add(to_string(ObjectRef{ref.ns, name}));
}

void Caches::on_restore(const ObjectRef& ref, const Object& before, const Object& after) {
  queues.restores.add(to_string(ref));
  // A backup of the same volumes makes way for a restore, and a newer restore waits for the end of an older one. One
  // that has failed, and may be tried again, is told that a newer one has its place.
  if (!before) wake_unfinished(sessions, queues.sessions, ref.ns);
  wake_unfinished(restores, queues.restores, ref.ns);
  wake_with(restores, queues.restores, ref.ns, kTriedAgain);
  wake_target(before);
  wake_target(after);
}

void Caches::on_namespace(const ObjectRef& ref, const Object& before, const Object& after) {
  if (!after) return;
  const auto is_going = [](const Json& ns) { return !string_at(ns, {"metadata", "deletionTimestamp"}).empty(); };
  // What is in one that goes is let alone, and may be seen before the news that it is another one now.
  const bool is_another =
      !before || is_going(*before) || string_at(*before, {"metadata", "uid"}) != string_at(*after, {"metadata", "uid"});
  // One that waits for the removal of its data is let go now, and no other event would say so.
  if (is_another || is_going(*after)) {
    for (const ObjectRef& repository : repositories.refs(ref.name)) queues.repositories.add(to_string(repository));
  }
  if (!is_another && object_at(*before, {"metadata", "labels"}) == object_at(*after, {"metadata", "labels"})) return;
  for (const auto& [cache, queue] :
       {std::pair(&configurations, &queues.configurations), {&restores, &queues.restores}}) {
    for (const ObjectRef& invoker : cache->refs(ref.name)) queue->add(to_string(invoker));
  }
  for (const auto& [kind, cache] : workloads_) {
    for (const ObjectRef& workload : cache->refs(ref.name)) {
      const std::string key = to_string(api::WorkloadRef{kind, workload});
      queues.workloads.add(key);
      queues.blueprints.add(key);
    }
  }
}

void Caches::on_workload(const api::WorkloadKind& kind, const ObjectRef& ref, const Object& before,
                         const Object& after) {
  const bool only_status = before && after && same_but_for_status(*before, *after);
  if (only_status && object_at(*before, {"status"}) == object_at(*after, {"status"})) return;
  for (const ObjectRef& configuration : configurations.refs_with_key(ref.ns, of_target({&kind, ref}))) {
    queues.configurations.add_after(to_string(configuration), only_status ? kGatherPods : std::chrono::seconds(0));
  }
  if (!inject::template_owner(after ? *after : *before, kind.resource.kind).empty()) return;
  const std::string key = to_string(api::WorkloadRef{&kind, ref});
  queues.workloads.add(key);
  const auto asks = [](const Object& object) { return object && !blueprint_of(*object).empty(); };
  if (asks(before) || asks(after) || configurations.contains({ref.ns, blueprint_object_name({&kind, ref})})) {
    queues.blueprints.add(key);
  }
  wake_unfinished(sessions, queues.sessions, ref.ns);
  wake_unfinished(restores, queues.restores, ref.ns);
  wake_with(restores, queues.restores, ref.ns, kTriedAgain);
}

void Caches::on_owned(const ObjectRef& ref, const Object& before, const Object& after) {
  // Who was its owner misses what somebody took from it.
  for (const Object& object : {before, after}) {
    if (object) wake_owners(ref.ns, array_at(*object, {"metadata", "ownerReferences"}));
  }
}

void Caches::wake_owners(const std::string& ns, const Json& owners) {
  for (const Json& owner : owners) {
    const ObjectRef ref{ns, string_at(owner, {"name"})};
    if (string_at(owner, {"kind"}) == api::kBackupConfigurations.kind) queues.configurations.add(to_string(ref));
    const std::string group(api::workload_group(string_at(owner, {"apiVersion"})));
    const auto* kind = api::workload_kind(group, string_at(owner, {"kind"}));
    if (kind != nullptr) queues.workloads.add(to_string(api::WorkloadRef{kind, ref}));
  }
}

}  // namespace stash::controller
