#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/backup_configuration.h"
#include "api/backup_session.h"
#include "api/codec.h"
#include "api/format.h"
#include "api/names.h"
#include "api/repository.h"
#include "api/restore_session.h"
#include "base/time.h"

/// Valid objects of our kinds in namespace demo that belong together: Deployment stash-demo, Repository repo,
/// BackupConfiguration app-backup, BackupSession app-backup-1700000000, RestoreSession app-restore. A test changes only
/// what it is about:
///   a_backup_configuration().paused().json()
namespace stash::test {

/// 2023-11-14T22:13:20Z: when every object of ours was created unless its test says otherwise.
inline constexpr TimePoint kCreated{std::chrono::seconds{1700000000}};

inline const api::TargetRef kTarget{"apps/v1", "Deployment", "stash-demo"};

template <class Self, class Kind>
class ObjectBuilder {
 public:
  Self& name(std::string name) { return set(object_.metadata.name, std::move(name)); }
  Self& ns(std::string ns) { return set(object_.metadata.ns, std::move(ns)); }
  Self& uid(std::string uid) { return set(object_.metadata.uid, std::move(uid)); }
  Self& created(TimePoint time) { return set(object_.metadata.created, time); }
  Self& label(const std::string& key, std::string value) { return set(object_.metadata.labels[key], std::move(value)); }
  Self& annotation(const std::string& key, std::string value) {
    return set(object_.metadata.annotations[key], std::move(value));
  }
  Self& being_deleted() { return set(object_.metadata.being_deleted, true); }
  Self& finalizer(std::string name) {
    object_.metadata.finalizers.push_back(std::move(name));
    return self();
  }
  /// Any other change: .with([](auto& session) { session.spec.invoker_kind = "BackupBatch"; })
  template <class Change>
  Self& with(Change change) {
    change(object_);
    return self();
  }

  Kind build() const { return object_; }
  std::shared_ptr<const Kind> shared() const { return std::make_shared<const Kind>(object_); }
  operator Kind() const { return object_; }  // NOLINT(google-explicit-constructor): a builder stands for its object

  /// As an API server would return it: encode() and the metadata that only a server writes.
  Json json() const {
    Json json = api::encode(object_);
    const api::ObjectMeta& meta = object_.metadata;
    Json& wire = json["metadata"];
    wire["uid"] = meta.uid;
    wire["resourceVersion"] = meta.resource_version;
    wire["generation"] = meta.generation;
    wire["creationTimestamp"] = format_time(meta.created);
    if (meta.being_deleted) wire["deletionTimestamp"] = format_time(meta.created + std::chrono::hours(1));
    if (!meta.finalizers.empty()) wire["finalizers"] = meta.finalizers;
    return json;
  }

 protected:
  explicit ObjectBuilder(std::string name) {
    api::ObjectMeta& meta = object_.metadata;
    meta.uid = "uid-" + name;
    meta.name = std::move(name);
    meta.ns = "demo";
    meta.resource_version = "100";
    meta.generation = 1;
    meta.created = kCreated;
  }
  Self& self() { return static_cast<Self&>(*this); }
  template <class Field, class Value>
  Self& set(Field& field, Value value) {
    field = std::move(value);
    return self();
  }

  Kind object_;
};

class RepositoryBuilder : public ObjectBuilder<RepositoryBuilder, api::Repository> {
 public:
  explicit RepositoryBuilder(std::string name) : ObjectBuilder(std::move(name)) {
    object_.spec.backend.storage_secret_name = "repo-secret";
    host_path("/data/repo");
  }
  RepositoryBuilder& host_path(const std::string& path) { return volume({{"hostPath", {{"path", path}}}}); }
  RepositoryBuilder& pvc(const std::string& claim) {
    return volume({{"persistentVolumeClaim", {{"claimName", claim}}}});
  }
  RepositoryBuilder& volume(Json source) {
    if (!object_.spec.backend.local) object_.spec.backend.local = api::LocalBackend{Json::object(), "/safe/data", ""};
    object_.spec.backend.local->volume_source = std::move(source);
    return *this;
  }
  RepositoryBuilder& sub_path(std::string path) { return set(object_.spec.backend.local->sub_path, std::move(path)); }
  RepositoryBuilder& secret(std::string name) { return set(object_.spec.backend.storage_secret_name, std::move(name)); }
  /// Instead of the local block.
  RepositoryBuilder& gcs(std::string bucket, std::string prefix) {
    object_.spec.backend.local.reset();
    return set(object_.spec.backend.gcs, api::BucketBackend{std::move(bucket), std::move(prefix), 0});
  }
};

class BackupConfigurationBuilder : public ObjectBuilder<BackupConfigurationBuilder, api::BackupConfiguration> {
 public:
  explicit BackupConfigurationBuilder(std::string name) : ObjectBuilder(std::move(name)) {
    object_.spec.schedule = "*/5 * * * *";
    object_.spec.repository = "repo";
    object_.spec.target = api::BackupTarget{kTarget, {"/source/data"}, {{"source-data", "/source/data", ""}}, {}};
    object_.spec.retention_policy.name = "keep-last-5";
    object_.spec.retention_policy.keep_last = 5;
    object_.spec.retention_policy.prune = true;
  }
  BackupConfigurationBuilder& schedule(std::string cron) { return set(object_.spec.schedule, std::move(cron)); }
  BackupConfigurationBuilder& repository(std::string name) { return set(object_.spec.repository, std::move(name)); }
  BackupConfigurationBuilder& paused(bool paused = true) { return set(object_.spec.paused, paused); }
  BackupConfigurationBuilder& target(api::TargetRef ref) { return set(object_.spec.target->ref, std::move(ref)); }
  BackupConfigurationBuilder& deployment(std::string name) {
    return set(object_.spec.target->ref.name, std::move(name));
  }
  BackupConfigurationBuilder& no_target() { return set(object_.spec.target, std::nullopt); }
  BackupConfigurationBuilder& paths(std::vector<std::string> paths) {
    return set(object_.spec.target->paths, std::move(paths));
  }
  BackupConfigurationBuilder& exclude(std::vector<std::string> patterns) {
    return set(object_.spec.target->exclude, std::move(patterns));
  }
  BackupConfigurationBuilder& mounts(std::vector<api::VolumeMount> mounts) {
    return set(object_.spec.target->volume_mounts, std::move(mounts));
  }
  BackupConfigurationBuilder& retention(api::RetentionPolicy policy) {
    return set(object_.spec.retention_policy, std::move(policy));
  }
  BackupConfigurationBuilder& history_limit(int limit) { return set(object_.spec.backup_history_limit, limit); }
  BackupConfigurationBuilder& time_out(std::string duration) { return set(object_.spec.time_out, std::move(duration)); }
  BackupConfigurationBuilder& container_settings(Json settings) {
    return set(object_.spec.runtime_settings.container, std::move(settings));
  }
  BackupConfigurationBuilder& pod_settings(Json settings) {
    return set(object_.spec.runtime_settings.pod, std::move(settings));
  }
  BackupConfigurationBuilder& temp_dir(api::TempDir temp_dir) {
    return set(object_.spec.temp_dir, std::move(temp_dir));
  }
};

class BackupSessionBuilder : public ObjectBuilder<BackupSessionBuilder, api::BackupSession> {
 public:
  BackupSessionBuilder(std::string name, const std::string& configuration) : ObjectBuilder(std::move(name)) {
    api::set_configuration(object_, configuration);
  }
  BackupSessionBuilder& phase(std::string phase) { return set(object_.status.phase, std::move(phase)); }
  BackupSessionBuilder& total_hosts(int hosts) { return set(object_.status.total_hosts, hosts); }
  BackupSessionBuilder& host(api::HostStats host) {
    object_.status.stats.push_back(std::move(host));
    return *this;
  }
  BackupSessionBuilder& host(std::string name, std::string phase) {
    return host({std::move(name), std::move(phase), {}, {}, "", ""});
  }
  /// As the controller stamps a new session of a Deployment: Pending, one host, nobody has claimed it.
  BackupSessionBuilder& stamped() {
    return phase("Pending")
        .total_hosts(1)
        .host("host-0", "Pending")
        .condition({"Completed", "False", "WaitingForClaim", "waiting for a pod to take host-0", 1, kCreated});
  }
  BackupSessionBuilder& condition(api::Condition condition) {
    object_.status.conditions.push_back(std::move(condition));
    return *this;
  }
};

class RestoreSessionBuilder : public ObjectBuilder<RestoreSessionBuilder, api::RestoreSession> {
 public:
  explicit RestoreSessionBuilder(std::string name) : ObjectBuilder(std::move(name)) {
    object_.spec.repository = "repo";
    object_.spec.target = api::RestoreTarget{kTarget, {{"source-data", "/source/data", ""}}, false};
    rule({{}, "", {}, {"/source/data"}, {}, {}});
  }
  RestoreSessionBuilder& repository(std::string name) { return set(object_.spec.repository, std::move(name)); }
  RestoreSessionBuilder& target(api::TargetRef ref) { return set(object_.spec.target->ref, std::move(ref)); }
  RestoreSessionBuilder& deployment(std::string name) { return set(object_.spec.target->ref.name, std::move(name)); }
  RestoreSessionBuilder& rule(api::RestoreRule rule) {
    object_.spec.rules.push_back(std::move(rule));
    return *this;
  }
  RestoreSessionBuilder& rules(std::vector<api::RestoreRule> rules) {
    return set(object_.spec.rules, std::move(rules));
  }
  RestoreSessionBuilder& phase(std::string phase) { return set(object_.status.phase, std::move(phase)); }
  RestoreSessionBuilder& total_hosts(int hosts) { return set(object_.status.total_hosts, hosts); }
  RestoreSessionBuilder& host(api::HostStats host) {
    object_.status.stats.push_back(std::move(host));
    return *this;
  }
  RestoreSessionBuilder& host(std::string name, std::string phase) {
    return host({std::move(name), std::move(phase), {}, {}, "", ""});
  }
};

inline RepositoryBuilder a_repository(std::string name = "repo") { return RepositoryBuilder(std::move(name)); }
inline BackupConfigurationBuilder a_backup_configuration(std::string name = "app-backup") {
  return BackupConfigurationBuilder(std::move(name));
}
inline BackupSessionBuilder a_backup_session(std::string name = "app-backup-1700000000",
                                             const std::string& configuration = "app-backup") {
  return {std::move(name), configuration};
}
inline RestoreSessionBuilder a_restore_session(std::string name = "app-restore") {
  return RestoreSessionBuilder(std::move(name));
}

}  // namespace stash::test
