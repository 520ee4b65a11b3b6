#include <atomic>

#include "controller/edges.h"
#include "support/fake_clock.h"
#include "unit/controller/cluster_script.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

constexpr const char* kRestores = "/apis/stash.appscode.com/v1beta1/namespaces/demo/restoresessions";

api::HostStats failed_host(int attempts) {
  api::HostStats host;
  host.hostname = "host-0";
  host.phase = "Failed";
  host.error = "attempt 1 of 5: no";
  host.attempts = attempts;
  return host;
}

Json failed_restore(int attempts) {
  return a_restore_session("older")
      .created(kCreated)
      .phase("Failed")
      .total_hosts(1)
      .host(failed_host(attempts))
      .with([](api::RestoreSession& session) {
        session.status.conditions = {{"Completed", "True", "Failed", "host-0: no", 1, kCreated}};
      })
      .json();
}
Json newer_restore(TimePoint created = kCreated + std::chrono::minutes(1)) {
  return a_restore_session("newer").created(created).json();
}

Json deployment_with(const std::string& restore) {
  Json workload = {{"apiVersion", "apps/v1"},
                   {"kind", "Deployment"},
                   {"metadata", {{"name", "stash-demo"}, {"namespace", "demo"}, {"uid", "uid-workload"}}},
                   {"spec", {{"replicas", 1}, {"selector", {{"matchLabels", {{"app", "demo"}}}}}}}};
  workload["metadata"]["generation"] = restore == "older" ? 1 : 2;
  workload["spec"]["template"]["spec"]["initContainers"] = {
      {{"name", "stash-init"}, {"image", "stash"}, {"args", {"restore", "--restore-session=" + restore}}}};
  return workload;
}

/// What the controller writes into the status of the RestoreSession `name`; null for nothing.
Json status_written(const std::string& name, const Json& older, const std::string& injected,
                    const std::vector<Json>& pods = {}, std::chrono::seconds age = std::chrono::hours(1)) {
  ClusterScript cluster;
  FakeClock clock;
  const Json newer = newer_restore(clock.now() - age);
  cluster.has({{"Repository", {a_repository().json()}},
               {"Deployment", {deployment_with(injected)}},
               {"RestoreSession", {older, newer}}});
  ApiScript& script = cluster.script;
  const std::string path = fmt::format("{}/{}", kRestores, name);
  script.on("GET", path).always().reply(newer);
  script.on("PATCH", path + "/status").always().reply(newer);
  script.on("GET", "/api/v1/namespaces/demo/secrets/repo-secret").always().reply(403);
  script.on("GET", "/api/v1/namespaces/demo/pods").always().reply(list_of(pods, "100"));
  script.on("POST", "/api/v1/namespaces/demo/events").always().reply(201, Json::object());
  Queues queues;
  Cluster all(script.config(), queues, inject::Settings{}, Limits{}, false, clock);
  all.caches.start();
  REQUIRE(comes_true([&] { return all.caches.synced(); }));
  kube::Api client(script.config());
  REQUIRE(reconcile_restore(all, client, {"demo", name}));
  for (const auto& call : script.calls()) {
    if (call.method == "PATCH" && call.path == path + "/status") return call.json()["status"];
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a restore waits while pods may take up an older one that failed, until that is told it is superseded",
          "[controller][restore_edge][F44][I13]") {
  const std::string injected = GENERATE("older", "newer");
  CAPTURE(injected);
  const Json waiting = status_written("newer", failed_restore(1), injected);
  CHECK(waiting["reason"] == "VolumesInUse");
  CHECK_FALSE(waiting.contains("stats"));
  CHECK(array_at(status_written("newer", failed_restore(api::kRestoreAttempts), injected), {"stats"}).size() == 1);

  const Json superseded = status_written("older", failed_restore(1), "newer");
  CHECK(superseded["reason"] == "Superseded");
  Json told = failed_restore(1);
  told["status"] = superseded;
  CHECK(array_at(status_written("newer", told, injected), {"stats"}).size() == 1);
}

TEST_CASE("a restore waits a moment for pods of one that was deleted or replaced",
          "[controller][restore_edge][F22][I13]") {
  Json pod = an_object("stash-demo-1", "8");
  pod["metadata"]["annotations"] = {{api::names::kAppliedRestoreUid, "uid-replaced"}};
  pod["status"] = {{"phase", "Pending"},
                   {"initContainerStatuses", {{{"name", "stash-init"}, {"state", {{"running", Json::object()}}}}}}};
  const auto status = [&pod](std::chrono::seconds age) {
    return status_written("newer", failed_restore(api::kRestoreAttempts), "newer", {pod}, age);
  };
  const std::chrono::seconds at_once(5);
  SECTION("until they have seen it") {
    CHECK(status(at_once)["reason"] == "VolumesInUse");
    CHECK(array_at(status(std::chrono::seconds(60)), {"stats"}).size() == 1);
  }
  SECTION("longer where it ends upon that and has not, for it may be cut off from the API server") {
    const auto works_for = [&pod](const char* session) {
      const std::string argument = fmt::format("--restore-session={}", session);
      pod["spec"]["initContainers"] = {{{"name", "stash-init"}, {"args", {"restore", argument}}}};
    };
    works_for("gone");
    CHECK(status(std::chrono::minutes(14))["reason"] == "VolumesInUse");
    CHECK(array_at(status(std::chrono::minutes(15)), {"stats"}).size() == 1);
    // This one waits for the very session that would wait for it.
    works_for("newer");
    CHECK(array_at(status(std::chrono::minutes(1)), {"stats"}).size() == 1);
    works_for("gone");
    pod["status"]["initContainerStatuses"][0]["state"] = {{"terminated", {{"exitCode", 0}}}};
    CHECK(array_at(status(std::chrono::minutes(1)), {"stats"}).size() == 1);
  }
  SECTION("not for those that have ended") {
    pod["status"]["initContainerStatuses"][0]["state"] = {{"terminated", {{"exitCode", 1}}}};
    CHECK(array_at(status(at_once), {"stats"}).size() == 1);
  }
  SECTION("nor for its own and those of others, which are known otherwise") {
    pod["metadata"]["annotations"] = {{api::names::kAppliedRestoreUid, GENERATE("uid-newer", "uid-older")}};
    CHECK(array_at(status(at_once), {"stats"}).size() == 1);
  }
}

TEST_CASE("a failed restore that may be tried again is looked at when a newer one comes, or gets its place",
          "[controller][restore_edge][F16][I13]") {
  const bool newer_comes = GENERATE(true, false);
  CAPTURE(newer_comes);
  ClusterScript cluster;
  std::atomic<bool> at_rest = false;
  cluster.script
      .on("GET",
          newer_comes ? path_of(api::kRestoreSessions) : path_of(api::workload_kind("apps", "Deployment")->resource),
          "watch=true")
      .before([&at_rest] { comes_true([&at_rest] { return at_rest.load(); }); })
      .stream_events({newer_comes ? std::pair<std::string, Json>("ADDED", newer_restore())
                                  : std::pair<std::string, Json>("MODIFIED", deployment_with("newer"))})
      .then_hang();
  cluster.has({{"Deployment", {deployment_with("older")}}, {"RestoreSession", {failed_restore(1)}}});
  Queues queues;
  Caches caches(cluster.script.config(), queues);
  caches.start();
  REQUIRE(comes_true([&] { return caches.synced(); }));
  caches.start_waking();
  while (queues.restores.due() > 0) queues.restores.done(*queues.restores.next());
  at_rest = true;
  const std::size_t expected = newer_comes ? 2 : 1;
  REQUIRE(comes_true([&] { return queues.restores.due() >= expected; }));
  std::vector<std::string> woken;
  while (queues.restores.due() > 0) woken.push_back(*queues.restores.next());
  CHECK(std::ranges::count(woken, "demo/older") == 1);
}
