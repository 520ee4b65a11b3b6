#pragma once
#include <catch2/catch.hpp>
#include <map>

#include "api/backup_session_host.h"
#include "unit/controller/worlds.h"

namespace stash::test {

inline constexpr int kMany = static_cast<int>(api::kHostsInSession) + 1;

/// A session of many hosts, in a store of its own: the writes of each look are carried out there.
struct Large {
  Json session = a_backup_session().json();
  std::map<std::string, Json> objects;
  controller::SessionWorld world = a_session_world();
  controller::Plan plan;

  explicit Large(int hosts = kMany) {
    world.target.ref.kind = "StatefulSet";
    world.configuration->spec.target->ref.kind = "StatefulSet";
    world.target.workload->replicas = hosts;
    world.may_have_host_objects = true;
    world.target.pods = std::vector<controller::PodFacts>{};
    for (int i = 0; i < hosts; ++i) world.target.pods->push_back(a_pod(fmt::format("stash-demo-{}", i)));
  }

  void look(seconds age = seconds(60)) {
    world.now = kCreated + age;
    world.host_objects.clear();
    for (const auto& [name, object] : objects) world.host_objects.push_back(std::make_shared<const Json>(object));
    world.session = controller::with_host_objects(session, world.host_objects);
    plan = controller::plan_session(world);
    carry_out(plan, api::kBackupSessions, session);
    for (const controller::Write& write : plan.writes) {
      if (write.resource != api::kBackupSessionHosts) continue;
      Json& object = objects[write.ref.name];
      if (write.verb == controller::Write::Verb::create) {
        REQUIRE(object.is_null());
        object = write.body;
        object["metadata"]["resourceVersion"] = "1";
      } else {
        REQUIRE(write.body["metadata"]["resourceVersion"] == object["metadata"]["resourceVersion"]);
        Json patch = write.body;
        patch.erase("metadata");
        object.merge_patch(patch);
      }
    }
  }

  Json& entry(const std::string& host) {
    const std::string uid = string_at(session, {"metadata", "uid"}), name = string_at(session, {"metadata", "name"});
    return objects.at(api::host_object_name(name, uid, host))["status"]["stats"][0];
  }
  void ends(const std::string& host, const std::string& phase, const std::string& error = "") {
    const std::string pod = "stash-demo-" + host.substr(host.rfind('-') + 1);
    entry(host) = {{"hostname", host}, {"phase", phase}, {"claim", {{"podName", pod}, {"podUID", "uid-" + pod}}}};
    if (!error.empty()) entry(host)["error"] = error;
  }
  void all_end(const std::string& phase) {
    for (int i = 0; i < static_cast<int>(world.target.workload->replicas); ++i) ends(fmt::format("host-{}", i), phase);
  }
  void upkeep_begins() {
    entry("")["phase"] = "Running";
    entry("")["claim"] = {{"podName", "stash-demo-0"}, {"podUID", "uid-stash-demo-0"}};
  }
  void upkeep_ends(const std::string& phase, const std::string& error = "") {
    Json& upkeep = entry("");
    upkeep["phase"] = phase;
    upkeep["error"] = error;
  }
  std::string completed() const { return condition_of(session, "Completed"); }
  std::string upkeep_host() const { return string_at(session, {"status", "upkeepHost"}); }
  std::string retention() const { return condition_of(session, "RetentionPolicyApplied"); }
};

/// A DaemonSet that shall run a pod on one node more than it does; all others have been backed up.
struct WithoutOne : Large {
  seconds upkeep_offered = minutes(12);

  WithoutOne() {
    world.target.ref.kind = "DaemonSet";
    world.configuration->spec.target->ref.kind = "DaemonSet";
    world.configuration->spec.retention_policy.keep_last = 1;
    for (controller::PodFacts& pod : *world.target.pods) pod.node = "host-" + pod.name.substr(pod.name.rfind('-') + 1);
    world.target.workload->wanted_nodes = kMany + 1;
    look();
    all_end("Succeeded");
    look(seconds(70));
    look(upkeep_offered);
  }
};

}  // namespace stash::test
