#include "webhook/index.h"

#include <mutex>

#include "api/codec.h"
#include "base/log.h"

namespace stash::webhook {
namespace {

template <class Kind>
Result<Kind> stored(const Json& object) {
  if constexpr (std::is_same_v<Kind, StoredConfiguration>) {
    return StoredConfiguration::of(object);
  } else {
    return api::decode<Kind>(object);
  }
}

}  // namespace

template <class Kind>
void Index::put(Objects<Kind> Namespace::* objects, const api::ObjectRef& ref, const Json* object) {
  std::shared_ptr<const Kind> kept;
  if (object != nullptr) {
    auto result = stored<Kind>(*object);
    if (result) {
      kept = std::make_shared<const Kind>(*std::move(result));
    } else {
      log_warning("{}; treated as absent until it changes", result.error().message);
    }
  }
  const std::unique_lock lock(mutex_);
  if (kept) {
    (namespaces_[ref.ns].*objects)[ref.name] = std::move(kept);
    return;
  }
  const auto found = namespaces_.find(ref.ns);
  if (found == namespaces_.end()) return;
  Namespace& ns = found->second;
  (ns.*objects).erase(ref.name);
  if (!ns.labels && ns.configurations.empty() && ns.restores.empty() && ns.repositories.empty()) {
    namespaces_.erase(found);
  }
}

void Index::change(const api::Resource& resource, const api::ObjectRef& ref, const Json* object) {
  if (resource == api::kBackupConfigurations) return put(&Namespace::configurations, ref, object);
  if (resource == api::kRestoreSessions) return put(&Namespace::restores, ref, object);
  if (resource == api::kRepositories) return put(&Namespace::repositories, ref, object);
  if (resource != api::kNamespaces) return;
  const std::unique_lock lock(mutex_);
  if (object != nullptr) {
    namespaces_[ref.name].labels = object_at(*object, {"metadata", "labels"});
  } else if (const auto found = namespaces_.find(ref.name); found != namespaces_.end()) {
    found->second.labels.reset();
    if (found->second.configurations.empty() && found->second.restores.empty() && found->second.repositories.empty()) {
      namespaces_.erase(found);
    }
  }
}

void Index::set_complete() {
  const std::unique_lock lock(mutex_);
  complete_ = true;
}

bool Index::complete() const {
  const std::shared_lock lock(mutex_);
  return complete_;
}

const Index::Namespace* Index::find(const std::string& ns) const {
  const auto found = namespaces_.find(ns);
  return found == namespaces_.end() ? nullptr : &found->second;
}

std::optional<inject::World> Index::gather(const WorkloadKey& key) const {
  inject::World world;
  world.ns = key.ns;
  world.repository = [this, ns = key.ns](const std::string& name) { return repository(ns, name); };
  std::vector<std::shared_ptr<const StoredConfiguration>> configurations;
  {
    const std::shared_lock lock(mutex_);
    if (!complete_) return std::nullopt;
    const Namespace* ns = find(key.ns);
    if (ns == nullptr) return world;
    const auto is_it = [&](const api::TargetRef& ref) {
      return inject::names_workload(ref, key.group, key.kind, key.name);
    };
    for (const auto& [name, configuration] : ns->configurations) {
      if (configuration->target() && is_it(*configuration->target())) configurations.push_back(configuration);
    }
    for (const auto& [name, restore] : ns->restores) {
      if (restore->spec.target && is_it(restore->spec.target->ref)) world.restores.push_back(*restore);
    }
    if (!ns->labels && (!configurations.empty() || !world.restores.empty())) return std::nullopt;
    world.namespace_labels = ns->labels.value_or(Json::object());
  }
  for (const auto& configuration : configurations) {
    auto decoded = recent_.decoded(configuration);
    if (!decoded) {  // as if nothing named the workload, its sidecar would be taken out
      log_error("a BackupConfiguration of {}/{}: {}", key.ns, key.name, decoded.error().message);
      return std::nullopt;
    }
    world.configurations.push_back(*std::move(decoded));
  }
  return world;
}

std::optional<Json> Index::namespace_labels(const std::string& ns) const {
  const std::shared_lock lock(mutex_);
  const Namespace* found = find(ns);
  return found == nullptr ? std::nullopt : found->labels;
}

inject::SharedRepository Index::repository(const std::string& ns, const std::string& name) const {
  const std::shared_lock lock(mutex_);
  const Namespace* found = find(ns);
  if (found == nullptr) return nullptr;
  const auto repository = found->repositories.find(name);
  return repository == found->repositories.end() ? nullptr : repository->second;
}

std::vector<std::string> Index::users_of(const std::string& ns, const std::string& repository) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> users;
  const Namespace* found = find(ns);
  if (found == nullptr) return users;
  for (const auto& [name, configuration] : found->configurations) {
    if (configuration->repository() != repository || configuration->being_deleted()) continue;
    users.push_back(fmt::format("{} {}/{}", api::kBackupConfigurations.kind, ns, name));
  }
  for (const auto& [name, restore] : found->restores) {
    const std::string& phase = restore->status.phase;
    const bool unfinished = phase.empty() || phase == "Pending" || phase == "Running";
    if (restore->spec.repository != repository || restore->metadata.being_deleted || !unfinished) continue;
    users.push_back(fmt::format("{} {}/{}", api::kRestoreSessions.kind, ns, name));
  }
  return users;
}

}  // namespace stash::webhook
