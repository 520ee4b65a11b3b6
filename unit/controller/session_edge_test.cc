#include "controller/edges.h"
#include "controller/session_hosts.h"
#include "support/fake_clock.h"
#include "unit/controller/cluster_script.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

/// The session of a StatefulSet of nine pods, in a namespace where the API server makes so many BackupSessionHosts and
/// no more.
struct Refused {
  static constexpr int kHosts = 9;
  static constexpr const char* kSession =
      "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions/app-backup-1700000000";
  static constexpr const char* kHostsPath = "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessionhosts";

  ClusterScript script;
  Queues queues;
  FakeClock clock;
  std::optional<Cluster> cluster;
  Json session = a_backup_session().created(clock.now()).json();

  Json look(const std::vector<Json>& objects, int made) {
    const Json workload = {{"apiVersion", "apps/v1"},
                           {"kind", "StatefulSet"},
                           {"metadata", {{"name", "stash-demo"}, {"namespace", "demo"}, {"uid", "uid-workload"}}},
                           {"spec", {{"replicas", kHosts}, {"selector", {{"matchLabels", {{"app", "demo"}}}}}}}};
    script.has(
        {{"BackupConfiguration", {a_backup_configuration().target({"apps/v1", "StatefulSet", "stash-demo"}).json()}},
         {"Repository", {a_repository().json()}},
         {"StatefulSet", {workload}},
         {"BackupSession", {session}},
         {"BackupSessionHost", objects}});

    ApiScript& api = script.script;
    if (made > 0) api.on("POST", kHostsPath).times(made).reply(201, Json::object());
    api.on("POST", kHostsPath).reply(403, status_of(403, "Forbidden", "exceeded quota: few-objects"));
    api.on("PATCH", std::string(kSession) + "/status").reply(session);
    api.on("PATCH", kSession).always().reply(session);
    api.on("GET", kSession).always().reply(session);
    api.on("GET", "/api/v1/namespaces/demo/secrets/repo-secret").always().reply(403);
    api.on("GET", "/api/v1/namespaces/demo/pods").always().reply(403);
    api.on("POST", "/api/v1/namespaces/demo/events").always().reply(201, Json::object());

    cluster.emplace(api.config(), queues, inject::Settings{}, Limits{}, false, clock);
    cluster->caches.start();
    REQUIRE(comes_true([this] { return cluster->caches.synced(); }));
    kube::Api client(api.config());
    const auto looked = reconcile_session(*cluster, client, {"demo", "app-backup-1700000000"});
    REQUIRE(looked);
    for (const auto& call : api.calls()) {
      if (call.method == "PATCH" && call.path.ends_with("/status")) return call.json()["status"];
    }
    return nullptr;
  }
};

/// What a look at a session of a Deployment asks of the API server, in order; without the one question for the time
/// that each connection begins with.
std::vector<std::string> asked_by_a_look(const Json& session) {
  constexpr std::string_view kNamespace = "/namespaces/demo/";
  const std::string path = "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions/session";
  ClusterScript script;
  const Json workload = {{"apiVersion", "apps/v1"},
                         {"kind", "Deployment"},
                         {"metadata", {{"name", "stash-demo"}, {"namespace", "demo"}, {"uid", "uid-workload"}}},
                         {"spec", {{"replicas", 1}}}};
  script.has({{"BackupConfiguration", {a_backup_configuration().json()}},
              {"Repository", {a_repository().json()}},
              {"Deployment", {workload}},
              {"BackupSession", {session}}});
  ApiScript& api = script.script;
  api.on("GET", path).always().reply(session);
  api.on("PATCH", path).always().reply(session);
  api.on("PATCH", path + "/status").always().reply(session);
  api.on("GET", "/api/v1/namespaces/demo/secrets/repo-secret").always().reply(an_object("repo-secret"));
  api.on("POST", "/api/v1/namespaces/demo/events").always().reply(201, Json::object());
  Queues queues;
  const FakeClock clock;
  Cluster cluster(api.config(), queues, inject::Settings{}, Limits{}, false, clock);
  cluster.caches.start();
  REQUIRE(comes_true([&cluster] { return cluster.caches.synced(); }));
  kube::Api client(api.config());
  REQUIRE(reconcile_session(cluster, client, {"demo", "session"}));
  std::vector<std::string> asked;
  for (const auto& call : api.calls()) {
    const auto ns = call.path.find(kNamespace);
    const bool for_time = call.method == "GET" && call.path == path;
    if (ns != std::string::npos && !for_time)
      asked.push_back(call.method + " " + call.path.substr(ns + kNamespace.size()));
  }
  return asked;
}

}  // namespace

TEST_CASE("a session costs no more requests than it has steps", "[controller][session][F24][I20]") {
  using Asked = std::vector<std::string>;
  const FakeClock clock;
  const auto session = [&clock] { return a_backup_session("session").created(clock.now()); };
  CHECK(asked_by_a_look(session().json()) == Asked{"GET secrets/repo-secret", "PATCH backupsessions/session",
                                                   "PATCH backupsessions/session/status", "POST events"});
  const auto done = [&session] { return session().total_hosts(1).host("host-0", "Succeeded"); };
  CHECK(asked_by_a_look(done().phase("Running").json()) ==
        Asked{"PATCH backupsessions/session", "PATCH backupsessions/session/status", "POST events"});
  CHECK(asked_by_a_look(done().phase("Succeeded").json()).empty());
}

TEST_CASE("a session keeps its hosts where the API server makes no objects for them, or not for all",
          "[controller][session][F20][I6]") {
  Refused refused;
  const int made = GENERATE(0, 3);
  const Json status = refused.look({}, made);
  CHECK(status["stats"].size() == Refused::kHosts);
  CHECK_FALSE(status.contains("hostObjects"));
}

TEST_CASE("a session ends without the upkeep where the API server makes no object for it",
          "[controller][session][F20][I6][I8]") {
  Refused refused;
  refused.session["status"] = {{"hostObjects", true}, {"totalHosts", Refused::kHosts}, {"phase", "Running"}};
  std::vector<Json> objects;
  for (int i = 0; i < Refused::kHosts; ++i) {
    const std::string host = fmt::format("host-{}", i), pod = fmt::format("stash-demo-{}", i);
    objects.push_back(host_object(
        refused.session, host, {{"hostname", host}},
        {{"hostname", host}, {"phase", "Succeeded"}, {"claim", {{"podName", pod}, {"podUID", "uid-" + pod}}}}));
  }
  const Json status = refused.look(objects, 0);
  CHECK(status["phase"] == "Succeeded");
  CHECK(status["stats"].size() == Refused::kHosts);
  CHECK_THAT(dump_json(status["conditions"]),
             Catch::Contains("RetentionPolicyApplied") && Catch::Contains("exceeded quota: few-objects"));
}

TEST_CASE("a new node's metrics stay at the Pushgateway while its first session runs, also one of many hosts",
          "[controller][session][F16][I8]") {
  Json done = a_backup_session("nightly-1").created(kCreated).phase("Succeeded").host("node-1", "Succeeded").json();
  Json running = a_backup_session("nightly-2").created(kCreated + std::chrono::hours(1)).phase("Running").json();
  running["metadata"]["uid"] = "uid-2";
  running["status"]["hostObjects"] = true;
  const Json host = host_object(running, "node-2", {{"hostname", "node-2"}}, {{"hostname", "node-2"}});
  ClusterScript script;
  script.has({{"BackupSession", {done, running}}, {"BackupSessionHost", {host}}});
  Queues queues;
  const FakeClock clock;
  Cluster cluster(script.script.config(), queues, inject::Settings{}, Limits{}, false, clock);
  cluster.caches.start();
  REQUIRE(comes_true([&cluster] { return cluster.caches.synced(); }));
  CHECK(cluster.living().hosts.at("demo/app-backup") == std::set<std::string>{"node-1", "node-2"});
}
