#include "controller/edges.h"
#include "support/fake_clock.h"
#include "unit/controller/cluster_script.h"

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

TEST_CASE("a Repository that is not deleted yet is not told what its namespace loses when that goes",
          "[controller][repository][F23][I18]") {
  const bool is_going = GENERATE(true, false);
  Json ns = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "demo"}}}};
  if (is_going) ns["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  const Json repository = a_repository().json();
  ClusterScript script;
  script.has({{"Namespace", {ns}}, {"Repository", {repository}}});
  ApiScript& api = script.script;
  api.on("GET", "/api/v1/namespaces/demo/secrets/repo-secret").always().reply(404);
  api.on("PATCH", "/apis/stash.appscode.com/v1alpha1/namespaces/demo/repositories/repo/status")
      .always()
      .reply(repository);
  api.on("POST", "/api/v1/namespaces/demo/events").always().reply(201, Json::object());
  Queues queues;
  const FakeClock clock;
  Cluster cluster(api.config(), queues, inject::Settings{}, Limits{}, false, clock);
  cluster.caches.start();
  REQUIRE(comes_true([&cluster] { return cluster.caches.synced(); }));
  kube::Api client(api.config());
  REQUIRE(reconcile_repository(cluster, client, {"demo", "repo"}));
  const bool told = std::ranges::any_of(api.calls(), [](const auto& call) { return call.method == "POST"; });
  CHECK(told == !is_going);
}
