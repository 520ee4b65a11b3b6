#pragma once
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>

#include "api/repository.h"
#include "api/resource.h"
#include "api/restore_session.h"
#include "webhook/admit.h"
#include "webhook/recent_configurations.h"
#include "webhook/stored_configuration.h"

namespace stash::webhook {

/// What the request path reads: objects decoded when they change (BackupConfigurations once more when a review asks for
/// one that none has asked for lately), found by namespace. Thread-safe.
/// An object that does not decode counts as absent, and is logged once per change.
class Index {
 public:
  /// `object` as the API server has it now; null: deleted. Other resources than namespaces, repositories,
  /// backupconfigurations and restoresessions are ignored.
  void change(const api::Resource& resource, const api::ObjectRef& ref, const Json* object);

  /// Once all caches have their first complete list.
  void set_complete();
  bool complete() const;

  /// As Gather says. Also nullopt for a namespace that no cache has seen yet, if anything there names the workload.
  std::optional<inject::World> gather(const WorkloadKey& key) const;
  std::optional<Json> namespace_labels(const std::string& ns) const;
  inject::SharedRepository repository(const std::string& ns, const std::string& name) const;
  /// "BackupConfiguration demo/web" of all that back up to this Repository or still restore from it.
  std::vector<std::string> users_of(const std::string& ns, const std::string& repository) const;

 private:
  template <class Kind>
  using Objects = std::map<std::string, std::shared_ptr<const Kind>>;  // by name
  struct Namespace {
    std::optional<Json> labels;
    Objects<StoredConfiguration> configurations;
    Objects<api::RestoreSession> restores;
    Objects<api::Repository> repositories;
  };
  template <class Kind>
  void put(Objects<Kind> Namespace::* objects, const api::ObjectRef& ref, const Json* object);
  const Namespace* find(const std::string& ns) const;

  mutable std::shared_mutex mutex_;
  std::map<std::string, Namespace> namespaces_;
  bool complete_ = false;
  mutable RecentConfigurations recent_;
};

}  // namespace stash::webhook
