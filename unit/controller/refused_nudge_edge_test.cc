#include "controller/edges.h"
#include "support/fake_clock.h"
#include "unit/controller/cluster_script.h"
#include "unit/support/workloads.h"

/// What follows when the API server refuses a nudge.
namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

constexpr const char* kWorkload = "/apis/apps/v1/namespaces/demo/deployments/stash-demo";
constexpr const char* kRbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/demo/";

ApiScript::Reply refusal(int code, const char* reason, const std::string& sentence) {
  return {.status = code, .body = dump_json(status_of(code, reason, sentence))};
}

/// The field managers of the writes to the workload, and whom the last nudge's refusal is blamed on.
struct Outcome {
  std::vector<std::string> managers, blamed;
  bool failed = false;
};

Outcome nudge(const std::function<ApiScript::Reply(const std::string& manager)>& answer) {
  ClusterScript cluster;
  FakeClock clock;
  Json workload = a_workload();
  workload["metadata"]["uid"] = "uid-web";
  workload["metadata"]["resourceVersion"] = "41";
  Json ns = {{"metadata", {{"name", "demo"}}}};
  ns["metadata"]["labels"]["stash.appscode.com/injection"] = "enabled";
  cluster.has({{"Namespace", {ns}},
               {"Repository", {a_repository().json()}},
               {"BackupConfiguration", {a_backup_configuration().json()}},
               {"Deployment", {workload}}});
  ApiScript& script = cluster.script;
  for (const char* kind : {"roles", "rolebindings"}) {
    const std::string path = std::string(kRbac) + kind + "/stash-sidecar-deployment-stash-demo";
    script.on("GET", path).always().reply(404);
    script.on("PATCH", path).always().reply(Json::object());
  }
  script.on("PATCH", kWorkload).always().reply_with([&](const ApiScript::Call& call) {
    const auto manager = call.query.find("fieldManager");
    return answer(manager == call.query.end() ? "" : manager->second);
  });
  Queues queues;
  inject::Settings settings;
  settings.image = "stash:1";
  settings.allowed_host_paths = {"/"};
  controller::Cluster all(script.config(), queues, settings, Limits{}, false, clock);
  all.caches.start();
  REQUIRE(comes_true([&] { return all.caches.synced(); }));
  kube::Api client(script.config());
  const api::WorkloadRef ref{api::workload_kind("apps", "Deployment"), {"demo", "stash-demo"}};
  Outcome outcome;
  outcome.failed = !reconcile_workload(all, client, ref).has_value();
  outcome.blamed = all.nudges.look(to_string(ref)).blamed;
  for (const auto& call : script.calls()) {
    if (call.method == "PATCH" && call.path == kWorkload) outcome.managers.push_back(call.query.at("fieldManager"));
  }
  return outcome;
}

using Names = std::vector<std::string>;
const std::string kDenied = "ValidatingAdmissionPolicy 'p' with binding 'p' denied request: no";

}  // namespace

TEST_CASE("a nudge that a policy refuses, while the workload is taken as it is, is blamed on what it brings",
          "[controller][refused][F66][I1]") {
  const Outcome outcome = nudge([](const std::string& manager) {
    return manager == "stash-as-it-is" ? ApiScript::Reply{.status = 200, .body = "{}"}
                                       : refusal(422, "Invalid", kDenied);
  });
  CHECK(outcome.managers == Names{"stash", "stash-as-it-is"});
  CHECK(outcome.blamed == Names{"BackupConfiguration demo/app-backup"});
  CHECK_FALSE(outcome.failed);
}

TEST_CASE("a nudge that is refused like the workload itself, or could not be compared with it, is blamed on nothing",
          "[controller][refused][F66][F17][I8]") {
  const bool comparable = GENERATE(true, false);
  const Outcome outcome = nudge([&](const std::string& manager) {
    if (manager == "stash-as-it-is" && !comparable) return refusal(409, "Conflict", "somebody was faster");
    return refusal(422, "Invalid", kDenied);
  });
  CHECK(outcome.managers == Names{"stash", "stash-as-it-is"});
  CHECK(outcome.blamed.empty());
  CHECK(outcome.failed);
}

TEST_CASE("a nudge for which we lack the right is not compared with anything", "[controller][refused][F20][I18]") {
  const Outcome outcome = nudge([](const std::string&) {
    return refusal(403, "Forbidden",
                   R"(User "stash-operator" cannot patch resource "deployments" in API group "apps")");
  });
  CHECK(outcome.managers == Names{"stash"});
  CHECK(outcome.blamed.empty());
}
