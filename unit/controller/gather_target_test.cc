#include "controller/edges.h"
#include "controller/gather.h"
#include "controller/session_hosts.h"
#include "support/fake_clock.h"
#include "unit/controller/cluster_script.h"

/// What is asked of the API server about the pods of a session's target.
namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using std::chrono::hours;

const api::TargetRef kAgents{"apps/v1", "DaemonSet", "stash-demo"};
constexpr const char* kSessionPath =
    "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions/app-backup-1700000000";
constexpr const char* kRestorePath = "/apis/stash.appscode.com/v1beta1/namespaces/demo/restoresessions/app-restore";
constexpr const char* kPodsPath = "/api/v1/namespaces/demo/pods";

/// A DaemonSet that shall run a pod on each of so many nodes.
struct Agents {
  ClusterScript script;
  Queues queues;
  FakeClock clock;
  std::optional<Cluster> cluster;
  int nodes = 2;

  /// The last status that was written.
  Json written() const {
    Json status;
    for (const auto& call : script.script.calls()) {
      if (call.method == "PATCH" && call.path.ends_with("/status")) status = call.json()["status"];
    }
    return status;
  }

  void look(const std::map<std::string, std::vector<Json>>& sessions,
            const std::function<Result<LookAgain>(Cluster&, kube::Api&)>& reconcile) {
    const Json workload = {{"apiVersion", "apps/v1"},
                           {"kind", "DaemonSet"},
                           {"metadata", {{"name", kAgents.name}, {"namespace", "demo"}, {"uid", "uid-workload"}}},
                           {"spec", {{"selector", {{"matchLabels", {{"app", "demo"}}}}}}},
                           {"status", {{"desiredNumberScheduled", nodes}}}};
    std::map<std::string, std::vector<Json>> all = {
        {"BackupConfiguration", {a_backup_configuration().target(kAgents).json()}},
        {"Repository", {a_repository().json()}},
        {"DaemonSet", {workload}}};
    all.insert(sessions.begin(), sessions.end());
    script.has(all);
    ApiScript& api = script.script;
    for (const auto& [kind, path] : {std::pair("BackupSession", kSessionPath), {"RestoreSession", kRestorePath}}) {
      if (!sessions.contains(kind)) continue;
      const Json& session = sessions.at(kind).front();
      for (const char* method : {"GET", "PATCH"}) api.on(method, path).always().reply(session);
      api.on("PATCH", std::string(path) + "/status").always().reply(session);
    }
    api.on("GET", "/api/v1/namespaces/demo/secrets/repo-secret").always().reply(403);
    api.on("POST", "/api/v1/namespaces/demo/events").always().reply(201, Json::object());
    cluster.emplace(api.config(), queues, inject::Settings{}, Limits{}, false, clock);
    cluster->caches.start();
    REQUIRE(comes_true([this] { return cluster->caches.synced(); }));
    kube::Api client(api.config());
    REQUIRE(reconcile(*cluster, client));
  }
  void look(const Json& session) {
    look({{"BackupSession", {session}}},
         [](Cluster& all, kube::Api& api) { return reconcile_session(all, api, {"demo", "app-backup-1700000000"}); });
  }
  void look(const BackupSessionBuilder& session) { look(session.json()); }
  void look(const RestoreSessionBuilder& session) {
    look({{"RestoreSession", {session.json()}}},
         [](Cluster& all, kube::Api& api) { return reconcile_restore(all, api, {"demo", "app-restore"}); });
  }
};

Json pod_on(const std::string& node) {
  return {{"metadata",
           {{"name", "stash-demo-" + node},
            {"namespace", "demo"},
            {"uid", "uid-" + node},
            {"ownerReferences", {{{"kind", "DaemonSet"}, {"uid", "uid-workload"}, {"controller", true}}}}}},
          {"spec", {{"nodeName", node}}},
          {"status", {{"phase", "Running"}}}};
}

}  // namespace

TEST_CASE("pods are looked at as long as a node has none, whatever its other hosts do",
          "[controller][session][F16][I5][I13]") {
  Agents agents;
  agents.script.script.on("GET", kPodsPath).reply(list_of(std::vector<Json>(), "100"));
  SECTION("of a backup") {
    agents.look(
        a_backup_session().created(agents.clock.now()).phase("Pending").total_hosts(2).host("node-0", "Succeeded"));
  }
  SECTION("of a restore") {
    agents.look(a_restore_session()
                    .target(kAgents)
                    .created(agents.clock.now())
                    .phase("Running")
                    .total_hosts(2)
                    .host("node-0", "Succeeded"));
  }
}

TEST_CASE("the pods of hundreds of nodes are read page by page, those of fewer from the API server's memory",
          "[controller][session][F24][I20]") {
  Agents agents;
  ApiScript& api = agents.script.script;
  agents.nodes = GENERATE(500, 501);
  if (agents.nodes == 501) {
    api.on("GET", kPodsPath, "limit=500&continue=more").always().reply(list_of({pod_on("b")}, "100"));
    api.on("GET", kPodsPath, "limit=500").always().reply(list_of({pod_on("a")}, "100", "more"));
  } else {
    api.on("GET", kPodsPath, "resourceVersion=0").always().reply(list_of({pod_on("a"), pod_on("b")}, "100"));
  }
  agents.look(a_restore_session().target(kAgents).created(agents.clock.now()));
  CHECK(agents.written()["stats"].size() == 2);
  CHECK(agents.written()["totalHosts"] == agents.nodes);
}

TEST_CASE("a session whose pods cannot be looked at ends in time", "[controller][session][F21][F24][I6]") {
  Agents agents;
  agents.script.script.on("GET", kPodsPath).always().reply(500);
  const auto session = [&agents](hours age) {
    return a_backup_session()
        .created(agents.clock.now() - age)
        .phase("Running")
        .total_hosts(2)
        .host("a", "Succeeded")
        .host("b", "Pending");
  };
  SECTION("and goes on until then") {
    agents.look(session(hours(1)));
    CHECK_FALSE(agents.written().contains("phase"));
  }
  SECTION("when its time is over") {
    agents.look(session(hours(24)));
    CHECK(agents.written()["phase"] == "Failed");
    CHECK(agents.written()["reason"] == "DeadlineExceeded");
  }
}

TEST_CASE("of pods that a list lacks only those are asked for by name on whose life something depends",
          "[controller][session][F16][F24][I7][I20]") {
  Agents agents;
  ApiScript& api = agents.script.script;
  api.on("GET", kPodsPath).reply(list_of(std::vector<Json>(), "100"));
  const auto host = [](const std::string& name, const std::string& phase, const Json& more = Json::object()) {
    Json entry = {{"hostname", name},
                  {"phase", phase},
                  {"claim", {{"podName", "stash-demo-" + name}, {"podUID", "uid-" + name}}}};
    entry.update(more);
    return entry;
  };
  Json session = a_backup_session().created(agents.clock.now()).phase("Running").total_hosts(4).json();
  session["status"]["upkeepHost"] = "of-upkeep";
  session["status"]["stats"] = {host("ended", "Succeeded"), host("at-work", "Running"), host("of-upkeep", "Succeeded"),
                                host("thawing", "Failed", {{"hook", {{"action", "postBackup"}, {"phase", "Running"}}}}),
                                host("thawed", "Failed", {{"hook", {{"action", "postBackup"}, {"phase", "Failed"}}}})};
  for (const char* asked : {"at-work", "of-upkeep", "thawing"})
    api.on("GET", fmt::format("{}/stash-demo-{}", kPodsPath, asked)).reply(pod_on(asked));
  agents.look(session);
  CHECK_FALSE(agents.written().contains("stats"));
}

TEST_CASE("a session whose hosts have all ended is not kept by its target, nor asks for it",
          "[controller][session][F24][I6][I20]") {
  Agents agents;
  const auto session = a_backup_session().total_hosts(2).phase("Running").host("a", "Succeeded");
  SECTION("well, long after it began") {
    agents.look(BackupSessionBuilder(session).created(agents.clock.now() - hours(1)).host("b", "Succeeded"));
    CHECK(agents.written()["phase"] == "Succeeded");
  }
  SECTION("or not") {
    agents.look(BackupSessionBuilder(session).created(agents.clock.now()).host("b", "Failed"));
    CHECK(agents.written()["phase"] == "Failed");
  }
  for (const auto& call : agents.script.script.calls()) CHECK(call.path.find("/secrets/") == std::string::npos);
}

TEST_CASE("a workload is in session as soon as a pod has taken a host, before the session's phase says so",
          "[controller][upgrade][F84][I6]") {
  const bool taken = GENERATE(true, false), apart = GENERATE(true, false);
  Json session = a_backup_session().phase("Pending").host("host-0", taken ? "Running" : "Pending").json();
  Json& entry = session["status"]["stats"][0];
  if (taken) entry["claim"] = {{"podName", "web-0"}, {"podUID", "uid-web-0"}};
  std::vector<Json> hosts;
  if (apart) {
    session["status"]["hostObjects"] = true;
    hosts = {host_object(session, "host-0", {{"hostname", "host-0"}}, entry)};
    session["status"].erase("stats");
  }
  const Json workload = an_object("stash-demo");
  ClusterScript script;
  script.has({{"BackupConfiguration", {a_backup_configuration().json()}},
              {"BackupSession", {session}},
              {"BackupSessionHost", hosts}});
  Queues queues;
  const FakeClock clock;
  inject::Settings settings;
  settings.upgrade_at_once = true;
  Cluster cluster(script.script.config(), queues, settings, Limits{}, false, clock);
  cluster.caches.start();
  REQUIRE(comes_true([&cluster] { return cluster.caches.synced(); }));
  const api::WorkloadRef ref{api::workload_kind("apps", "Deployment"), {"demo", "stash-demo"}};
  CHECK(gather_workload(cluster, ref, workload).upgrade.in_session == taken);
}
