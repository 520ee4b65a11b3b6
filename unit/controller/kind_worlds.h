#pragma once
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "controller/expected_hosts.h"
#include "unit/controller/worlds.h"

/// Worlds of StatefulSets and DaemonSets.
namespace stash::test {

inline const api::TargetRef kDatabase{"apps/v1", "StatefulSet", "db"};
inline const api::TargetRef kAgent{"apps/v1", "DaemonSet", "agent"};

inline controller::PodFacts on_node(std::string name, std::string node) {
  controller::PodFacts pod = a_pod(std::move(name));
  pod.node = std::move(node);
  return pod;
}

inline controller::TargetWorld stateful(int replicas, int first = 0) {
  controller::TargetWorld target = a_target("BackupConfiguration demo/app-backup", "stash");
  target.ref = kDatabase;
  target.workload->replicas = replicas;
  target.workload->first_ordinal = first;
  target.pods.emplace();
  for (int i = first; i < first + replicas; ++i) target.pods->push_back(a_pod(fmt::format("db-{}", i)));
  return target;
}

inline controller::TargetWorld daemons(int wanted, const std::vector<std::string>& nodes) {
  controller::TargetWorld target = a_target("BackupConfiguration demo/app-backup", "stash");
  target.ref = kAgent;
  target.workload->wanted_nodes = wanted;
  target.pods.emplace();
  for (const std::string& node : nodes) target.pods->push_back(on_node("agent-" + node, node));
  return target;
}

inline controller::SessionWorld session_of(const controller::TargetWorld& target) {
  controller::SessionWorld world = a_session_world(a_backup_session(), a_backup_configuration().target(target.ref));
  world.target = target;
  return world;
}

inline controller::RestoreWorld restore_of(const controller::TargetWorld& target) {
  controller::RestoreWorld world = a_restore_world(a_restore_session().target(target.ref));
  world.target = target;
  return world;
}

/// The session after one look at it.
inline Json step(controller::RestoreWorld& world) {
  carry_out(controller::plan_restore(world), api::kRestoreSessions, world.session);
  return world.session;
}
inline Json step(controller::SessionWorld& world) {
  carry_out(controller::plan_session(world), api::kBackupSessions, world.session);
  return world.session;
}

inline void finish(Json& session, std::size_t host) {
  Json& entry = session["status"]["stats"][host];
  entry["phase"] = "Succeeded";
  entry.erase("claim");
}

}  // namespace stash::test
