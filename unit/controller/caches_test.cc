#include "controller/caches.h"

#include <catch2/catch.hpp>
#include <thread>

#include "controller/session_hosts.h"
#include "unit/support/api_script.h"
#include "unit/support/objects.h"

using namespace stash;
using namespace stash::controller;

namespace {

std::string path_of(const api::Resource& resource) {
  return resource.group.empty() ? fmt::format("/api/{}/{}", resource.version, resource.plural)
                                : fmt::format("/apis/{}/{}/{}", resource.group, resource.version, resource.plural);
}

/// Every list has its objects, and every watch is silent.
struct ClusterScript {
  ApiScript script;

  void has(const api::Resource& resource, const std::vector<Json>& objects) {
    script.on("GET", path_of(resource), "watch=true").always().stream({}).then_hang();
    script.on("GET", path_of(resource)).always().reply(list_of(objects, "100"));
  }
};

bool comes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return condition();
}

/// Its caches are those of a cluster in which there are only sessions and what belongs to them.
struct SessionsOnly {
  ClusterScript cluster;
  Queues queues;
  std::optional<Caches> caches;

  SessionsOnly(const std::vector<Json>& sessions, const std::vector<Json>& hosts) {
    for (const api::Resource& resource :
         {api::kNamespaces, api::kRoles, api::kRoleBindings, api::kRestoreSessions, api::kCronJobs, api::kRepositories,
          api::kBackupConfigurations, api::kBackupBlueprints})
      cluster.has(resource, {});
    for (const api::WorkloadKind& kind : api::workload_kinds()) cluster.has(kind.resource, {});
    cluster.has(api::kBackupSessions, sessions);
    cluster.has(api::kBackupSessionHosts, hosts);
    caches.emplace(cluster.script.config(), queues);
    caches->start();
    REQUIRE(comes_true([&] { return caches->synced(); }));
  }
};

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
  for (const api::Resource& resource :
       {api::kNamespaces, api::kRoles, api::kRoleBindings, api::kRestoreSessions, api::kBackupSessionHosts})
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
}
