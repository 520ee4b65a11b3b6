#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "unit/controller/kind_worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Names = std::vector<std::string>;

Names hosts_of(const Json& session) {
  Names names;
  for (const Json& host : array_at(session, {"status", "stats"})) {
    names.push_back(string_at(host, {"hostname"}) + " " + string_at(host, {"phase"}));
  }
  return names;
}

}  // namespace

TEST_CASE("a StatefulSet has one host per ordinal, from its first one on", "[controller][kinds]") {
  CHECK(expected_hosts(stateful(3)) == ExpectedHosts{{"host-0", "host-1", "host-2"}});
  CHECK(expected_hosts(stateful(2, 5)) == ExpectedHosts{{"host-5", "host-6"}});
  CHECK(expected_hosts(stateful(0)) == ExpectedHosts{});
}

TEST_CASE("a DaemonSet has one host per node, and knows how many nodes have no pod yet", "[controller][kinds]") {
  CHECK(expected_hosts(daemons(2, {"b", "a"})) == ExpectedHosts{{"a", "b"}, 0});
  CHECK(expected_hosts(daemons(3, {"a"})) == ExpectedHosts{{"a"}, 2});
  TargetWorld unknown = daemons(2, {"a", "b"});
  unknown.pods.reset();
  CHECK_FALSE(expected_hosts(unknown));
}

TEST_CASE("pods that somebody else made with the same labels are no hosts", "[controller][kinds]") {
  TargetWorld target = daemons(1, {"a"});
  target.pods->push_back(on_node("stray", "z"));
  target.pods->back().owner_uid = "uid-other";
  CHECK(expected_hosts(target) == ExpectedHosts{{"a"}});
}

TEST_CASE("kinds whose pods share their data have one host", "[controller][kinds]") {
  for (const auto& ref :
       {api::TargetRef{"apps/v1", "ReplicaSet", "x"}, api::TargetRef{"v1", "ReplicationController", "x"},
        api::TargetRef{"apps.openshift.io/v1", "DeploymentConfig", "x"}}) {
    TargetWorld target = a_target("BackupConfiguration demo/app-backup", "stash");
    target.ref = ref;
    CHECK(expected_hosts(target) == ExpectedHosts{{"host-0"}});
  }
}

TEST_CASE("a session of a StatefulSet succeeds when every ordinal has", "[controller][kinds]") {
  SessionWorld world = session_of(stateful(2));
  CHECK(hosts_of(step(world)) == Names{"host-0 Pending", "host-1 Pending"});
  CHECK(world.session["status"]["totalHosts"] == 2);
  finish(world.session, 0);
  CHECK(phase_of(step(world)) == "Running");
  finish(world.session, 1);
  CHECK(phase_of(step(world)) == "Succeeded");
}

TEST_CASE("ordinals added while a session runs are left to the next one", "[controller][kinds]") {
  SessionWorld world = session_of(stateful(1));
  step(world);
  world.target = stateful(3);
  CHECK(hosts_of(step(world)) == Names{"host-0 Pending"});
}

TEST_CASE("ordinals added while a restore is not over are restored too, before it has succeeded",
          "[controller][kinds][F45][I13]") {
  RestoreWorld world = restore_of(stateful(1));
  step(world);
  finish(world.session, 0);
  world.target = stateful(3);
  CHECK(hosts_of(step(world)) == Names{"host-0 Succeeded", "host-1 Pending", "host-2 Pending"});
  CHECK(world.session["status"]["totalHosts"] == 3);
  CHECK(phase_of(world.session) == "Running");
  SECTION("they are restored") {
    finish(world.session, 1);
    finish(world.session, 2);
    CHECK(phase_of(step(world)) == "Succeeded");
    world.target = stateful(4);
    CHECK(plan_restore(world) == Plan());
  }
  SECTION("they are scaled away again, and do not hold it up for ever") {
    world.target = stateful(1);
    CHECK(phase_of(step(world)) == "Failed");
    CHECK(hosts_of(world.session) == Names{"host-0 Succeeded", "host-1 Failed", "host-2 Failed"});
  }
}

TEST_CASE("ordinals added after a restore failed are restored only where its init container holds them",
          "[controller][kinds][F45][I13]") {
  RestoreWorld world = restore_of(stateful(1));
  step(world);
  world.session["status"]["stats"][0]["phase"] = "Failed";
  REQUIRE(phase_of(step(world)) == "Failed");
  world.target = stateful(2);
  SECTION("it is in the pods") {
    CHECK(hosts_of(step(world)) == Names{"host-0 Failed", "host-1 Pending"});
    CHECK(phase_of(world.session) == "Running");
  }
  SECTION("it never got there, and does not begin for one more replica") {
    world.injected = "";
    CHECK(hosts_of(step(world)) == Names{"host-0 Failed"});
    CHECK(phase_of(world.session) == "Failed");
  }
}

TEST_CASE("an ordinal that is scaled away before its turn fails the session, and says so",
          "[controller][kinds][F30][I6]") {
  SessionWorld world = session_of(stateful(2));
  step(world);
  finish(world.session, 0);
  world.target = stateful(1);
  CHECK(phase_of(step(world)) == "Failed");
  CHECK(string_at(host_of(world.session, 1), {"error"}) ==
        "StatefulSet db was scaled to 1 while this session waited, so no pod has this host's volumes");
}

TEST_CASE("a StatefulSet without replicas makes the session wait, then fail with the remedy", "[controller][kinds]") {
  SessionWorld world = session_of(stateful(0));
  CHECK(phase_of(step(world)) == "Pending");
  CHECK(condition_of(world.session, "Completed").starts_with("False ScaledToZero: StatefulSet demo/db is scaled to 0"));
  world.now = kCreated + minutes(11);
  CHECK(phase_of(step(world)) == "Failed");
}

TEST_CASE("a session never succeeds with no host at all", "[controller][kinds]") {
  for (const TargetWorld& target : {stateful(0), daemons(0, {})}) {
    SessionWorld world = session_of(target);
    for (int i = 0; i < 20; ++i) {
      CHECK(phase_of(step(world)) != "Succeeded");
      world.now += minutes(1);
    }
    CHECK(phase_of(world.session) == "Failed");
  }
}

TEST_CASE("nodes that get their pod a little later join the session", "[controller][kinds]") {
  SessionWorld world = session_of(daemons(2, {"a"}));
  step(world);
  CHECK(world.session["status"]["totalHosts"] == 2);
  finish(world.session, 0);
  CHECK(phase_of(step(world)) == "Running");
  world.target = daemons(2, {"a", "b"});
  CHECK(hosts_of(step(world)) == Names{"a Succeeded", "b Pending"});
  finish(world.session, 1);
  CHECK(phase_of(step(world)) == "Succeeded");
}

TEST_CASE("a node that never gets its pod fails the session", "[controller][kinds]") {
  SessionWorld world = session_of(daemons(2, {"a"}));
  step(world);
  finish(world.session, 0);
  step(world);
  world.now = kCreated + minutes(11);
  CHECK(phase_of(step(world)) == "Failed");
  CHECK(condition_of(world.session, "Completed").find("1 more of the nodes") != std::string::npos);
}

TEST_CASE("a node that leaves the cluster fails its host, not those of the others", "[controller][kinds][F27][I6]") {
  SessionWorld world = session_of(daemons(2, {"a", "b"}));
  step(world);
  world.target = daemons(1, {"a"});
  step(world);
  CHECK(hosts_of(world.session) == Names{"a Pending", "b Failed"});
}

TEST_CASE("a pod that is being replaced is waited for", "[controller][kinds]") {
  SessionWorld world = session_of(daemons(2, {"a", "b"}));
  step(world);
  world.target = daemons(2, {"a"});
  CHECK(hosts_of(step(world)) == Names{"a Pending", "b Pending"});
}

TEST_CASE("hosts wait for a pod that works for another session", "[controller][kinds]") {
  SessionWorld world = session_of(stateful(1));
  step(world);
  world.target.busy = {{"uid-db-0", "nightly-1"}};
  world.now = kCreated + hours(2);
  CHECK(phase_of(step(world)) == "Pending");
  CHECK(condition_of(world.session, "Completed") == "False PodBusy: pod db-0 works for session nightly-1");
}

TEST_CASE("an ordinal whose pod does not run the sidecar fails with the state of that pod", "[controller][kinds]") {
  SessionWorld world = session_of(stateful(2));
  step(world);
  finish(world.session, 0);
  world.target.pods->back().phase = "Pending";
  world.target.pods->back().runs_container = false;
  world.now = kCreated + minutes(11);
  step(world);
  CHECK(string_at(host_of(world.session, 1), {"error"}) ==
        "no pod took it within 10m0s: pod db-1 is Pending and does not run the container stash");
}

TEST_CASE("a workload whose pods do not follow its template says why", "[controller][kinds]") {
  const auto facts = [](const char* kind, Json spec) {
    return workload_facts(*api::workload_kind("apps", kind), {{"spec", std::move(spec)}}, "stash").held_back;
  };
  CHECK(facts("Deployment", {{"paused", true}}).starts_with("its rollout is paused"));
  CHECK(facts("DaemonSet", {{"updateStrategy", {{"type", "OnDelete"}}}}).starts_with("its updateStrategy is OnDelete"));
  CHECK(facts("StatefulSet", {{"updateStrategy", {{"rollingUpdate", {{"partition", 2}}}}}}).find("below 2") !=
        std::string::npos);
  CHECK(facts("Deployment", {{"replicas", 1}}).empty());
}

TEST_CASE("pods are found by either form of selector", "[controller][kinds]") {
  CHECK(selector_text({{"spec", {{"selector", {{"app", "web"}}}}}}) == "app=web");
  CHECK(selector_text({{"spec", {{"selector", {{"matchLabels", {{"app", "web"}}}}}}}}) == "app=web");
}

TEST_CASE("a DaemonSet's pod has its node before it is scheduled", "[controller][kinds]") {
  const Json pod = {
      {"spec",
       {{"affinity",
         {{"nodeAffinity",
           {{"requiredDuringSchedulingIgnoredDuringExecution",
             {{"nodeSelectorTerms",
               {{{"matchFields", {{{"key", "metadata.name"}, {"operator", "In"}, {"values", {"node-7"}}}}}}}}}}}}}}}}};
  CHECK(pod_facts(pod, "stash").node == "node-7");
}
