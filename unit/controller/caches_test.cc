#include "controller/caches.h"

#include <future>

#include "api/names.h"
#include "controller/session_hosts.h"
#include "unit/controller/cluster_script.h"

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

namespace {

/// The caches of a leader who has dealt with all that there is, when one object changes.
struct Changed {
  std::atomic<bool> leads = false;
  ClusterScript cluster;
  Queues queues;
  std::optional<Caches> caches;

  Changed(const api::Resource& resource, Json after, const std::map<std::string, std::vector<Json>>& before) {
    after["metadata"]["resourceVersion"] = "7";
    cluster.script.on("GET", path_of(resource), "watch=true")
        .stream_events({{"MODIFIED", after}})
        .then_hang()
        .before([this] { comes_true([this] { return leads.load(); }); });
    cluster.has(before);
    caches.emplace(cluster.script.config(), queues);
    caches->start();
    REQUIRE(comes_true([this] { return caches->synced(); }));
    caches->start_waking();
    for (kube::WorkQueue* queue : queues.all()) {
      while (queue->size() > 0) queue->done(*queue->next());
    }
    leads = true;
  }
  /// How many keys are there, and how many of them are due now.
  static std::pair<std::size_t, std::size_t> in(const kube::WorkQueue& queue) { return {queue.size(), queue.due()}; }
};

using InQueue = std::pair<std::size_t, std::size_t>;
constexpr InQueue kNone{0, 0}, kLater{1, 0}, kNow{1, 1};

}  // namespace

TEST_CASE("who does not lead remembers no name that comes by, and looks at all that exists when it begins to lead",
          "[controller][caches][F24][I19]") {
  ClusterScript cluster;
  Json owned = an_object("stash-backup-app", "7");
  owned["metadata"]["ownerReferences"] = {
      {{"apiVersion", "stash.appscode.com/v1beta1"}, {"kind", "BackupConfiguration"}, {"name", "app-backup"}}};
  const Json session = test::a_backup_session().json();
  cluster.script.on("GET", path_of(api::kBackupSessions), "watch=true")
      .always()
      .stream_events(
          {{"ADDED", test::a_backup_session("passing").json()}, {"DELETED", test::a_backup_session("passing").json()}})
      .then_hang();
  for (const api::Resource& resource : {api::kNamespaces, api::kRoles, api::kRoleBindings, api::kServiceAccounts,
                                        api::kRestoreSessions, api::kBackupSessionHosts})
    cluster.has(resource, {});
  cluster.has(api::kCronJobs, {owned});
  cluster.has(api::kBackupSessions, {session});
  cluster.has(api::kRepositories, {an_object("repo", "3")});
  cluster.has(api::kBackupConfigurations, {an_object("app-backup", "4")});
  cluster.has(api::kBackupBlueprints, {an_object("all", "5")});
  for (const api::WorkloadKind& kind : api::workload_kinds()) {
    const bool deployments = kind.resource.kind == "Deployment";
    cluster.has(kind.resource, deployments ? std::vector<Json>{an_object("app", "6")} : std::vector<Json>());
  }
  Queues queues;
  Caches caches(cluster.script.config(), queues);
  caches.start();
  REQUIRE(comes_true([&] { return caches.synced(); }));
  CHECK(queues.sessions.size() == 0);
  CHECK(queues.workloads.size() == 0);
  caches.start_waking();
  CHECK(queues.sessions.size() >= 1);
  CHECK(queues.configurations.size() == 1);
  CHECK(queues.repositories.size() == 1);
  CHECK(queues.blueprints.size() == 1);
  CHECK(queues.workloads.size() == 1);
  CHECK(queues.restores.size() == 0);
  // What comes now does not wait behind all that.
  queues.configurations.add("demo/new");
  CHECK(queues.configurations.next() == "demo/new");
}

TEST_CASE("who owned an object of ours is woken when somebody takes its owner away", "[controller][caches][F20][I19]") {
  ClusterScript cluster;
  Json owned = an_object("stash-backup-app", "7");
  owned["metadata"]["ownerReferences"] = {
      {{"apiVersion", "stash.appscode.com/v1beta1"}, {"kind", "BackupConfiguration"}, {"name", "app-backup"}}};
  std::promise<void> waking;
  cluster.script.on("GET", path_of(api::kRoles), "watch=true")
      .stream_events({{"MODIFIED", an_object("stash-backup-app", "101")}})
      .then_hang()
      .before([&] { waking.get_future().wait_for(std::chrono::seconds(10)); });
  cluster.has({{"Role", {owned}}});
  Queues queues;
  Caches caches(cluster.script.config(), queues);
  caches.start();
  REQUIRE(comes_true([&] { return caches.synced(); }));
  caches.start_waking();
  REQUIRE(queues.configurations.size() == 1);  // for all that exists is looked at
  queues.configurations.done(*queues.configurations.next());
  waking.set_value();
  CHECK(comes_true([&] { return queues.configurations.size() == 1; }));
}

TEST_CASE("the Repositories that await their wipe-out are found without a look at all",
          "[controller][caches][F24][I20]") {
  Json going = test::a_repository().gcs("bucket", "/x").json();
  going["metadata"]["name"] = "going";
  going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  going["metadata"]["finalizers"] = {std::string(api::names::kWipeOutFinalizer)};
  going["spec"]["wipeOut"] = true;
  ClusterScript cluster;
  cluster.has({{"Repository", {test::a_repository().json(), going}}});
  Queues queues;
  Caches caches(cluster.script.config(), queues);
  caches.start();
  REQUIRE(comes_true([&] { return caches.synced(); }));
  REQUIRE(caches.awaiting_wipe_out().size() == 1);
  CHECK(*caches.awaiting_wipe_out().front() == going);
}

TEST_CASE("a pod that does the upkeep of a repository works for its session", "[controller][caches][F28][I6]") {
  Json session = test::a_backup_session().json();
  session["status"]["hostObjects"] = true;
  const Json claim = {{"podName", "web-0"}, {"podUID", "uid-web-0"}};
  const Json done = {{"hostname", "host-0"}, {"phase", "Succeeded"}, {"claim", claim}};
  const Json upkeep = {{"hostname", "host-0"}, {"phase", "Running"}, {"claim", claim}};
  const SessionsOnly only({session}, {host_object(session, "host-0", {{"hostname", "host-0"}}, done),
                                      host_object(session, "", {{"upkeep", Json::object()}}, upkeep)});
  CHECK(only.caches->host_entries(session) == Json::array({done, upkeep}));
  const auto found = only.caches->sessions_of_pod("demo", "uid-web-0");
  REQUIRE(found.size() == 1);
  CHECK(*found.front() == session);
}

TEST_CASE("a session gives work to the pods that hold its hosts, until it has ended", "[controller][caches][F28][I7]") {
  const Json entry = {
      {"hostname", "host-0"}, {"phase", "Running"}, {"claim", {{"podName", "web-0"}, {"podUID", "uid-web-0"}}}};
  Json session = test::a_backup_session().json();
  session["status"] = {{"phase", GENERATE(as<std::string>(), "Pending", "Failed")}, {"stats", {entry}}};
  const SessionsOnly only({session, test::a_backup_session("idle").json()}, {});
  CHECK(only.caches->sessions_of_pod("demo", "uid-web-0").size() == (session["status"]["phase"] == "Failed" ? 0 : 1));
  CHECK(only.caches->sessions_of_pod("demo", "uid-web-1").empty());
  CHECK(only.caches->sessions_of_pod("demo", "").empty());
}

TEST_CASE("an object that says it is another host than its name does is no host of the session",
          "[controller][caches][F77][I16]") {
  Json session = test::a_backup_session().json();
  session["status"]["hostObjects"] = true;
  const Json entry = {{"hostname", "host-0"}, {"phase", "Running"}, {"claim", {{"podUID", "uid-web-0"}}}};
  const Json other = test::a_backup_session("another").json();
  Json forged = host_object(other, "host-1", {{"hostname", "host-1"}}, entry);
  forged["spec"]["backupSession"]["uid"] = session["metadata"]["uid"];
  Json renamed = host_object(session, "host-2", {{"hostname", "host-2"}}, entry);
  const SessionsOnly only({session},
                          {forged, renamed, host_object(session, "host-0", {{"hostname", "host-0"}}, entry)});
  CHECK(only.caches->host_entries(session) == Json::array({entry}));
  CHECK(only.caches->sessions_of_pod("demo", "uid-web-0").size() == 1);
}

TEST_CASE(
    "pods that come up one by one wake the BackupConfiguration of a workload once in a while, its template at once",
    "[controller][caches][F24][I20]") {
  const auto kind = GENERATE(as<std::string>(), "status", "template");
  INFO(kind);
  Json workload = an_object("stash-demo", "6");
  workload["metadata"]["generation"] = 1;
  workload["status"] = {{"desiredNumberScheduled", 1}};
  Json changed = workload;
  changed["metadata"]["resourceVersion"] = "7";
  changed["metadata"]["generation"] = kind == "template" ? 2 : 1;
  changed["status"] = {{"desiredNumberScheduled", 2}};
  std::atomic<bool> leads = false;
  ClusterScript cluster;
  cluster.script.on("GET", path_of(api::workload_kind("apps", "DaemonSet")->resource), "watch=true")
      .stream_events({{"MODIFIED", changed}})
      .then_hang()
      .before([&leads] { comes_true([&leads] { return leads.load(); }); });
  cluster.has(
      {{"DaemonSet", {workload}},
       {"BackupConfiguration", {a_backup_configuration().target({"apps/v1", "DaemonSet", "stash-demo"}).json()}}});
  Queues queues;
  Caches caches(cluster.script.config(), queues);
  caches.start();
  REQUIRE(comes_true([&] { return caches.synced(); }));
  caches.start_waking();
  for (kube::WorkQueue* queue : {&queues.configurations, &queues.workloads}) {
    const auto key = queue->next();
    REQUIRE(key);
    queue->done(*key);
    REQUIRE(queue->size() == 0);
  }
  leads = true;
  CHECK(comes_true([&] { return queues.workloads.due() == 1 && queues.configurations.size() == 1; }));
  CHECK(queues.configurations.due() == (kind == "template" ? 1 : 0));
}

TEST_CASE("the numbers that each backup writes to its Repository wake none of those who use it",
          "[controller][caches][F24][I20]") {
  const auto changes = GENERATE(as<std::string>(), "numbers", "conditions");
  INFO(changes);
  Json repository = a_repository().json();
  Json after = repository;
  after["status"] = changes == "numbers" ? Json{{"snapshotCount", 7}} : Json{{"conditions", {{{"type", "Ready"}}}}};
  const Changed changed(api::kRepositories, after,
                        {{"Repository", {repository}}, {"BackupConfiguration", {a_backup_configuration().json()}}});
  REQUIRE(comes_true([&] { return changed.queues.repositories.size() == 1; }));
  const bool news = changes == "conditions";
  CHECK(comes_true([&] { return Changed::in(changed.queues.configurations) == (news ? kNow : kNone); }));
  CHECK(comes_true([&] { return Changed::in(changed.queues.workloads) == (news ? kNow : kNone); }));
  CHECK(Changed::in(changed.queues.repositories) == (news ? kNow : kLater));
}

TEST_CASE("what the controller writes to a BackupConfiguration's status wakes neither its sessions nor its workload",
          "[controller][caches][F24][I20]") {
  const auto changes = GENERATE(as<std::string>(), "lastSuccessfulTime", "withdrawal");
  INFO(changes);
  const Json configuration = a_backup_configuration().json();
  Json after = configuration;
  after["status"][changes] = changes == "withdrawal" ? Json{{"phase", "Withdrawn"}} : Json("2026-01-01T00:00:00Z");
  const Changed changed(
      api::kBackupConfigurations, after,
      {{"BackupConfiguration", {configuration}}, {"BackupSession", {test::a_backup_session().json()}}});
  REQUIRE(comes_true([&] { return changed.queues.configurations.size() == 1; }));
  const bool news = changes == "withdrawal";
  CHECK(comes_true([&] { return Changed::in(changed.queues.workloads) == (news ? kNow : kNone); }));
  CHECK(comes_true([&] { return Changed::in(changed.queues.sessions) == (news ? kNow : kNone); }));
  CHECK(Changed::in(changed.queues.configurations) == (news ? kNow : kLater));
}

TEST_CASE("a host that has ended wakes its session at once, one that goes on a little later",
          "[controller][caches][F24][I6][I20]") {
  const auto phase = GENERATE(as<std::string>(), "Running", "Succeeded");
  INFO(phase);
  const Json session = test::a_backup_session().phase("Running").host("host-0", "Running").json();
  Json after = session;
  after["status"]["stats"][0]["phase"] = phase;
  after["status"]["stats"][0]["progress"] = {{"percentDone", 100}};
  const Changed changed(api::kBackupSessions, after, {{"BackupSession", {session}}});
  const auto& queue = changed.queues.sessions;
  REQUIRE(comes_true([&] { return queue.size() == 1; }));
  CHECK(queue.due() == (phase == "Succeeded" ? 1 : 0));
}

TEST_CASE("a session in which a hook is asked for is looked at at once, whatever it was that changed",
          "[controller][caches][F58][I6]") {
  Json session = test::a_backup_session().phase("Running").host("host-0", "Running").json();
  Json& host = session["status"]["stats"][0];
  host["claim"] = {{"podName", "web-0"}, {"podUID", "uid-web-0"}};
  host["hook"] = {{"action", "postBackup"}, {"phase", "Requested"}};
  Json after = session;
  after["status"]["stats"][0]["progress"] = {{"percentDone", 100}};
  const Changed changed(api::kBackupSessions, after, {{"BackupSession", {session}}});
  CHECK(comes_true([&] { return Changed::in(changed.queues.sessions) == kNow; }));
}

TEST_CASE("what was let alone in a namespace that went is looked at when there is another one of its name",
          "[controller][caches][F20][I19]") {
  const auto ns = [](const char* uid) {
    return Json{{"metadata", {{"name", "demo"}, {"uid", uid}, {"resourceVersion", "1"}}}};
  };
  Json going = ns("uid-old");
  going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  const Changed changed(api::kNamespaces, ns("uid-new"),
                        {{"Namespace", {going}},
                         {"Repository", {a_repository().json()}},
                         {"BackupConfiguration", {a_backup_configuration().json()}}});
  CHECK(comes_true([&] { return Changed::in(changed.queues.configurations) == kNow; }));
  CHECK(comes_true([&] { return Changed::in(changed.queues.repositories) == kNow; }));
}
