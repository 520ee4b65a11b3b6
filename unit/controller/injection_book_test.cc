#include "controller/injection_book.h"

#include "controller/edges.h"
#include "support/fake_clock.h"
#include "unit/controller/cluster_script.h"
#include "unit/controller/worlds.h"
#include "unit/support/workloads.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using std::chrono::seconds;

/// A Deployment that no webhook injects into, whatever is written to it, with its BackupConfiguration.
struct Outage {
  static constexpr const char* kPath = "/apis/apps/v1/namespaces/demo/deployments/stash-demo";
  static constexpr const char* kRbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/demo";

  ClusterScript script;
  Queues queues;
  FakeClock clock;
  std::optional<Cluster> cluster;

  Outage() {
    const Json ns = {{"metadata", {{"name", "demo"}, {"labels", {{"stash.appscode.com/injection", "enabled"}}}}}};
    script.has({{"Namespace", {ns}},
                {"BackupConfiguration", {a_backup_configuration().json()}},
                {"Repository", {a_repository().json()}},
                {"Deployment", {a_workload()}}});
    for (const char* path : {"roles", "rolebindings"}) {
      const std::string access = fmt::format("{}/{}/stash-sidecar-deployment-stash-demo", kRbac, path);
      script.script.on("GET", access).always().reply(404);
      script.script.on("PATCH", access).always().reply(Json::object());
    }
    cluster.emplace(script.script.config(), queues, some_settings(), Limits{}, false, clock);
    cluster->caches.start();
    REQUIRE(comes_true([this] { return cluster->caches.synced(); }));
  }

  /// How often the BackupConfiguration was woken by looks at the workload every five seconds.
  int woken(int looks) {
    kube::Api api(script.script.config());
    int count = 0;
    for (int i = 0; i < looks; ++i, clock.advance(seconds(5))) {
      std::ignore = reconcile_workload(*cluster, api, *api::workload_ref("Deployment demo/stash-demo"));
      if (queues.configurations.size() == 0) continue;
      ++count;
      queues.configurations.done(*queues.configurations.next());
    }
    return count;
  }
};

}  // namespace

TEST_CASE("that a workload still waits for its sidecar is no news", "[controller][books][F60][I20]") {
  InjectionBook book;
  CHECK_FALSE(book.is_news("demo/web", {.up_to_date = true}));
  CHECK(book.is_news("demo/web", {}));
  CHECK_FALSE(book.is_news("demo/web", {}));
  CHECK(book.is_news("demo/other", {}));
  CHECK(book.is_news("demo/web", {.asked_in_vain = true}));
  CHECK(book.is_news("demo/web", {.asked_in_vain = true, .error = "denied"}));
  CHECK_FALSE(book.is_news("demo/web", {.asked_in_vain = true, .error = "denied"}));
  CHECK(book.is_news("demo/web", {.up_to_date = true}));
  CHECK_FALSE(book.is_news("demo/web", {.up_to_date = true}));
  CHECK(book.is_news("demo/web", {}));
  book.gone("demo/web");
  CHECK(book.is_news("demo/web", {}));
}

TEST_CASE("in an outage of the webhook the BackupConfigurations are looked at when something changes, not all the time",
          "[controller][workload][F60][I8][I20]") {
  Outage outage;
  outage.script.script.on("PATCH", Outage::kPath).always().reply(a_workload().json());
  CHECK(outage.woken(60) == 2);  // asked, and asked in vain
}

TEST_CASE("each time the API server refuses to let the webhook inject, its BackupConfigurations are told",
          "[controller][workload][F66][I8]") {
  Outage outage;
  // And as it is, too, so it is not for what is injected.
  outage.script.script.on("PATCH", Outage::kPath).times(2).reply(403, status_of(403, "Forbidden", "denied by policy"));
  CHECK(outage.woken(1) == 1);
  CHECK(outage.cluster->nudges.look("Deployment demo/stash-demo").error.ends_with("denied by policy"));
  outage.script.script.on("PATCH", Outage::kPath).times(2).reply(403, status_of(403, "Forbidden", "denied by policy"));
  CHECK(outage.woken(1) == 1);
}
