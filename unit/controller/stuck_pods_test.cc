#include "controller/edges.h"
#include "controller/sidecar_access.h"
#include "support/fake_clock.h"
#include "unit/controller/cluster_script.h"
#include "unit/inject/scene.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

/// StatefulSet demo/stash-demo with the sidecar as its BackupConfiguration wants it, no verdict spoken, and web-0,
/// which is of an older template.
struct Mended {
  BackupConfigurationBuilder configuration =
      a_backup_configuration().with([](auto& it) { it.spec.target->ref.kind = "StatefulSet"; });
  inject::Settings settings;
  Json workload, pod;

  explicit Mended(const Json& sidecar_state) {
    Scene scene;
    scene.kind("StatefulSet").backup(configuration).with_settings([this](const auto& all) { settings = all; });
    workload = scene.injected(a_workload());
    workload["kind"] = "StatefulSet";
    workload["metadata"].update({{"uid", "uid-web"}, {"generation", 2}, {"resourceVersion", "5"}});
    workload["status"] = {{"observedGeneration", 2}, {"replicas", 1}, {"updateRevision", "web-2"}};
    pod = {{"metadata",
            {{"name", "web-0"},
             {"namespace", "demo"},
             {"uid", "uid-web-0"},
             {"labels", {{"controller-revision-hash", "web-1"}}},
             {"annotations", {{api::names::kAppliedBackupHash, "older"}}},
             {"ownerReferences", {{{"controller", true}, {"uid", "uid-web"}}}}}},
           {"spec", workload["spec"]["template"]["spec"]},
           {"status", {{"phase", "Pending"}, {"containerStatuses", {{{"name", "stash"}, {"state", sidecar_state}}}}}}};
  }

  bool evicts() const {
    const Json ns = {{"metadata", {{"name", "demo"}, {"labels", {{"stash.appscode.com/injection", "enabled"}}}}}};
    ClusterScript cluster;
    cluster.has({{"Namespace", {ns}},
                 {"Repository", {a_repository().json()}},
                 {"BackupConfiguration", {configuration.json()}},
                 {"StatefulSet", {workload}}});
    ApiScript& script = cluster.script;
    script.on("GET", "/api/v1/namespaces/demo/pods").always().reply(list_of({pod}, "100"));
    const std::string eviction = "/api/v1/namespaces/demo/pods/web-0/eviction";
    script.on("POST", eviction).always().reply(201, Json::object());
    const api::WorkloadKind* kind = api::workload_kind("apps", "StatefulSet");
    const std::string role = sidecar_role_name(*kind, "stash-demo");
    for (const std::string_view plural : {api::kRoles.plural, api::kRoleBindings.plural}) {
      const std::string path = fmt::format("/apis/rbac.authorization.k8s.io/v1/namespaces/demo/{}/{}", plural, role);
      script.on("GET", path).always().reply(404);
      script.on("PATCH", path).always().reply(201, Json::object());
    }
    const FakeClock clock;
    Queues queues;
    Cluster all(script.config(), queues, settings, Limits{}, false, clock);
    all.caches.start();
    REQUIRE(comes_true([&] { return all.caches.synced(); }));
    kube::Api client(script.config());
    REQUIRE(reconcile_workload(all, client, {kind, {"demo", "stash-demo"}}));
    const auto calls = script.calls();
    return std::ranges::any_of(calls, [&](const auto& call) { return call.path == eviction; });
  }
};

const Json kCannotStart = {{"waiting", {{"reason", "CreateContainerConfigError"}}}};
const Json kIsMade = {{"waiting", {{"reason", "ContainerCreating"}}}};

}  // namespace

TEST_CASE("a StatefulSet's pod whose old sidecar cannot start makes way for the mended one, without a verdict",
          "[controller][stale][F86][I1]") {
  Mended mended(kCannotStart);
  CHECK(mended.evicts());
  mended.workload["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = 1;
  CHECK_FALSE(mended.evicts());  // it would be made anew as it was
  CHECK_FALSE(Mended(kIsMade).evicts());
}

TEST_CASE("below its partition a StatefulSet makes a pod anew as it was, so none is evicted there",
          "[controller][stale][F66][I1]") {
  Mended mended(kIsMade);
  mended.configuration = mended.configuration.with([](api::BackupConfiguration& configuration) {
    configuration.status.withdrawal =
        api::Withdrawal{.phase = "Withdrawn", .reason = "WorkloadRefused", .observed_generation = 1};
  });
  CHECK(mended.evicts());
  mended.workload["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = 1;
  CHECK_FALSE(mended.evicts());
  mended.pod["metadata"]["name"] = "web-1";
  mended.workload["spec"]["ordinals"]["start"] = 1;
  CHECK_FALSE(mended.evicts());
}
