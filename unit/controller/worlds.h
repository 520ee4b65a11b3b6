#pragma once
#include <string>

#include "controller/configuration_plan.h"
#include "controller/hosts.h"
#include "controller/restore_phase.h"
#include "controller/session_phase.h"
#include "support/objects.h"

/// Worlds in which all is well, unless the test says what is not.
namespace stash::test {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

inline controller::PodFacts a_pod(std::string name, std::string phase = "Running") {
  return {.name = name,
          .uid = "uid-" + name,
          .phase = std::move(phase),
          .runs_container = true,
          .owner_uid = "uid-workload"};
}

/// A claimed host; the claimant is a_pod(pod).
inline api::HostStats claimed(const std::string& host, const std::string& pod) {
  return {host, "Running", api::Claim{pod, "uid-" + pod, kCreated}, {}, "", ""};
}
inline api::HostStats failed(const std::string& host, std::string error) {
  return {host, "Failed", std::nullopt, {}, "", std::move(error)};
}

inline controller::TargetWorld a_target(std::string owner, std::string_view container) {
  controller::TargetWorld target;
  target.ns = "demo";
  target.owner = std::move(owner);
  target.container = container;
  target.ref = kTarget;
  target.repository = "repo";
  target.repository_found = a_repository().build();
  target.secret = controller::Presence::present;
  target.workload = controller::WorkloadFacts{.replicas = 1, .has_container = true, .uid = "uid-workload"};
  target.pods = std::vector{a_pod("web-1")};
  return target;
}

inline controller::SessionWorld a_session_world(
    const BackupSessionBuilder& session = a_backup_session(),
    const BackupConfigurationBuilder& configuration = a_backup_configuration()) {
  controller::SessionWorld world;
  world.session = session.json();
  world.configuration = configuration.build();
  world.target = a_target("BackupConfiguration demo/app-backup", "stash");
  world.now = kCreated + seconds(5);
  return world;
}

inline controller::RestoreWorld a_restore_world(const RestoreSessionBuilder& session = a_restore_session()) {
  controller::RestoreWorld world;
  world.session = session.json();
  world.target = a_target("RestoreSession demo/app-restore", "stash-init");
  world.injected = "app-restore";
  world.now = kCreated + seconds(5);
  return world;
}

inline controller::ConfigurationWorld a_configuration_world(
    const BackupConfigurationBuilder& configuration = a_backup_configuration()) {
  controller::ConfigurationWorld world;
  world.configuration = configuration.json();
  api::Repository repository = a_repository();
  repository.status.conditions = {
      {"BackendSecretFound", "True", "BackendSecretAvailable", "Secret demo/repo-secret exists", 1, kCreated}};
  world.repository = repository;
  world.workload = controller::WorkloadFacts{.replicas = 1, .has_container = true, .uid = "uid-workload"};
  world.injection.up_to_date = true;
  world.now = kCreated + seconds(5);
  return world;
}

inline inject::Settings some_settings() {
  return {.image = "stash:test", .pushgateway_url = "http://push:56789", .allowed_host_paths = {"/data"}};
}

/// Does to `object` what the writes of `plan` that are about it would do in the store; a conflict fails the test.
/// Returns whether anything was written.
bool carry_out(const controller::Plan& plan, const api::Resource& resource, Json& object);

inline std::string phase_of(const Json& session) { return string_at(session, {"status", "phase"}); }
inline Json host_of(const Json& session, std::size_t index = 0) {
  const Json& stats = array_at(session, {"status", "stats"});
  return index < stats.size() ? stats[index] : Json();
}
/// The condition of that type as "status reason: message"; "" when there is none.
std::string condition_of(const Json& object, std::string_view type);
/// "reason: message" of each event.
std::vector<std::string> events_of(const controller::Plan& plan);

}  // namespace stash::test
