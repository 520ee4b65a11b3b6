#include "controller/rollout_edge.h"

#include "controller/trimmed_pod.h"
#include "support/fake_clock.h"
#include "unit/controller/cluster_script.h"
#include "unit/inject/scene.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

constexpr const char* kDemoPods = "/api/v1/namespaces/demo/pods";

/// A DaemonSet with the sidecar, whose pods are to run on so many nodes and do on none.
struct Rollout {
  ApiScript api;
  Queues queues;
  FakeClock clock;
  int nodes;
  Json workload = Scene()
                      .kind("DaemonSet")
                      .backup(a_backup_configuration().target({"apps/v1", "DaemonSet", "stash-demo"}))
                      .injected(a_workload());

  explicit Rollout(int the_nodes) : nodes(the_nodes) {
    workload["spec"].erase("replicas");
    workload["status"] = {{"desiredNumberScheduled", nodes}};
    api.on("GET", "/api/v1/namespaces/demo/events").always().reply(list_of(std::vector<Json>(), "100"));
  }

  Json pod(const std::string& name, const Json& sidecar_state) const {
    Json pod = {{"metadata",
                 {{"name", name},
                  {"namespace", "demo"},
                  {"uid", "uid-" + name},
                  {"creationTimestamp", format_time(clock.now() - std::chrono::hours(1))}}},
                {"spec", workload["spec"]["template"]["spec"]},
                {"status", {{"phase", "Pending"}}}};
    pod["metadata"]["annotations"] = workload["spec"]["template"]["metadata"]["annotations"];
    pod["status"]["containerStatuses"] = {{{"name", "stash"}, {"state", sidecar_state}}};
    return pod;
  }

  RolloutFacts look() {
    Cluster cluster(api.config(), queues, inject::Settings{}, Limits{}, false, clock);
    WorkloadWorld world;
    world.kind = api::workload_kind("apps", "DaemonSet");
    world.inject.workload = &workload;
    world.inject.ns = "demo";
    world.inject.repository = [](const std::string&) { return nullptr; };
    kube::Api client(api.config());
    const auto facts = gather_rollout(cluster, client, world, a_backup_configuration(), true);
    REQUIRE(facts);
    return *facts;
  }
};

}  // namespace

TEST_CASE("the pods of a rollout over hundreds of nodes are read page by page, and trouble on the last page is found",
          "[controller][rollout][F50][F24][I1][I20]") {
  const int nodes = GENERATE(500, 501);
  Rollout rollout(nodes);
  const Json well = rollout.pod("a", {{"running", Json::object()}});
  const Json stuck = rollout.pod("b", {{"waiting", {{"reason", "ImagePullBackOff"}, {"message", "no such image"}}}});
  if (nodes == 501) {
    rollout.api.on("GET", kDemoPods, "limit=500&continue=more").reply(list_of({stuck}, "100"));
    rollout.api.on("GET", kDemoPods, "limit=500").reply(list_of({well}, "100", "more"));
  } else {
    rollout.api.on("GET", kDemoPods, "resourceVersion=0").reply(list_of({well, stuck}, "100"));
  }
  CHECK(rollout.look().trouble == PodTrouble{inject::Reason::image_pull_failed, "ImagePullBackOff: no such image"});
}

TEST_CASE("of a pod nothing is kept that only its application needs", "[controller][rollout][F24][I20]") {
  const Rollout rollout(1);
  Json pod = rollout.pod("a", {{"running", Json::object()}});
  const std::size_t size = dump_json(trimmed_pod(pod)).size();
  pod["metadata"]["managedFields"] = {{{"manager", std::string(10000, 'x')}}};
  pod["spec"]["containers"][0]["env"] = {{{"name", "X"}, {"value", std::string(10000, 'x')}}};
  pod["status"]["hostIP"] = "10.0.0.1";
  CHECK(dump_json(trimmed_pod(pod)).size() == size);
  CHECK_NOTHROW(trimmed_pod({{"metadata", 5}, {"spec", {{"containers", "x"}}}, {"status", Json::array()}}));
}
