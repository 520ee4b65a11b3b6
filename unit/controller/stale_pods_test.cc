#include "controller/stale_pods.h"

#include <catch2/catch.hpp>

#include "api/names.h"
#include "controller/trimmed_pod.h"

namespace {

using namespace stash;
using namespace stash::controller;

Json sidecar() { return {{"name", "stash"}, {"args", {"run-backup", "--backup-configuration=b"}}}; }

/// ReplicaSet demo/web with two replicas, whose template carries the sidecar.
Json a_replica_set() {
  return {{"metadata", {{"name", "web"}, {"namespace", "demo"}, {"uid", "uid-web"}}},
          {"spec",
           {{"replicas", 2},
            {"template",
             {{"metadata", {{"annotations", {{api::names::kAppliedBackupHash, "7"}}}}},
              {"spec", {{"containers", {{{"name", "app"}}, sidecar()}}}}}}}}};
}

Json a_pod(const std::string& name, bool fresh, bool ready = true, const std::string& owner = "uid-web") {
  Json pod = {
      {"metadata",
       {{"name", name},
        {"namespace", "demo"},
        {"uid", "uid-" + name},
        {"ownerReferences", {{{"controller", true}, {"uid", owner}}}}}},
      {"spec", {{"containers", {{{"name", "app"}}}}}},
      {"status", {{"phase", "Running"}, {"conditions", {{{"type", "Ready"}, {"status", ready ? "True" : "False"}}}}}}};
  if (fresh) {
    pod["metadata"]["annotations"] = {{api::names::kAppliedBackupHash, "7"}};
    pod["spec"]["containers"].push_back(sidecar());
  }
  return pod;
}

std::vector<std::string> evicted(std::vector<Json> pods) {
  for (Json& pod : pods) pod = trimmed_pod(pod);  // as the edge hands them over
  Plan plan;
  replace_stale_pods(plan, a_replica_set(), pods);
  std::vector<std::string> names;
  for (const Write& write : plan.writes) {
    REQUIRE(write.verb == Write::Verb::evict);
    CHECK(write.uid == "uid-" + write.ref.name);
    names.push_back(write.ref.name);
  }
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("of the pods without the sidecar one is evicted at a time", "[controller][stale]") {
  CHECK(evicted({a_pod("a", false), a_pod("b", false)}) == Names{"a"});
  CHECK(evicted({a_pod("a", true), a_pod("b", false)}) == Names{"b"});
  CHECK(evicted({a_pod("a", true), a_pod("b", true)}).empty());
}

TEST_CASE("nothing is evicted while another pod is not ready or not there", "[controller][stale]") {
  CHECK(evicted({a_pod("a", true, false), a_pod("b", false)}).empty());
  CHECK(evicted({a_pod("b", false)}).empty());
  Json going = a_pod("a", false);
  going["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z";
  CHECK(evicted({going, a_pod("b", false)}).empty());
}

TEST_CASE("a stale pod that does not serve goes at once", "[controller][stale]") {
  CHECK(evicted({a_pod("a", false), a_pod("b", false, false)}) == Names{"b"});
}

TEST_CASE("a pod with another configuration's sidecar is stale", "[controller][stale]") {
  Json pod = a_pod("a", true);
  pod["metadata"]["annotations"][std::string(api::names::kAppliedBackupHash)] = "6";
  CHECK(evicted({pod, a_pod("b", true)}) == Names{"a"});
}

TEST_CASE("a pod made for a RestoreSession of that name which is gone is stale", "[controller][stale][F22][I13]") {
  Json pod = a_pod("a", true);
  pod["metadata"]["annotations"][std::string(api::names::kAppliedRestoreUid)] = "first";
  CHECK(evicted({pod, a_pod("b", true)}) == Names{"a"});
}

TEST_CASE("pods of others and what else differs from the template are let be", "[controller][stale]") {
  Json other_image = a_pod("a", true);
  other_image["spec"]["containers"][0]["image"] = "older";
  CHECK(evicted({other_image, a_pod("b", true), a_pod("stray", false, true, "uid-other")}).empty());
}

TEST_CASE("a StatefulSet's pod that never started with another sidecar is evicted, for nothing else replaces it",
          "[controller][stale]") {
  const auto released = [](const Json& pod, const Json& workload) {
    Plan plan;
    release_stuck_pods(plan, workload, {trimmed_pod(pod)});
    return plan.writes.size();
  };
  Json without = a_replica_set();
  without["spec"]["template"]["spec"]["containers"].erase(1);
  without["spec"]["template"].erase("metadata");
  Json stuck = a_pod("a", true, false);
  CHECK(released(stuck, without) == 0);  // it runs, so it is the StatefulSet's
  stuck["status"]["phase"] = "Pending";
  CHECK(released(stuck, without) == 1);
  CHECK(released(stuck, a_replica_set()) == 0);
  stuck["spec"]["containers"][1]["image"] = "stash:old";
  CHECK(released(stuck, a_replica_set()) == 1);
  stuck["metadata"]["ownerReferences"][0]["uid"] = "uid-other";
  CHECK(released(stuck, without) == 0);
}

TEST_CASE("a StatefulSet's pod whose image something rewrote is not evicted over and over",
          "[controller][stale][F61][I1]") {
  const auto released = [](const std::string& image, const std::string& revision) {
    Json workload = a_replica_set();
    workload["spec"]["template"]["spec"]["containers"][1]["image"] = "reg.example/stash:1";
    workload["status"]["updateRevision"] = "web-2";
    Json pod = a_pod("a", true, false);
    pod["status"]["phase"] = "Pending";
    pod["metadata"]["labels"]["controller-revision-hash"] = revision;
    pod["spec"]["containers"][1]["image"] = image;
    Plan plan;
    release_stuck_pods(plan, workload, {trimmed_pod(pod)});
    return plan.writes.size();
  };
  CHECK(released("mirror.example/flat-stash:1", "web-2") == 0);  // made from the template as it is
  CHECK(released("mirror.example/flat-stash:1", "web-1") == 1);
  for (const char* same :
       {"reg.example/stash:1", "mirror.example:5000/reg.example/stash:1", "reg.example/stash:1@sha256:ab"}) {
    CHECK(released(same, "web-1") == 0);
  }
  CHECK(released("reg.example/stash:0", "web-1") == 1);
}
