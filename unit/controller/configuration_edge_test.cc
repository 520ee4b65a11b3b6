#include "controller/edges.h"
#include "support/fake_clock.h"
#include "unit/controller/cluster_script.h"
#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

/// The API server has all that the controller makes for a BackupConfiguration.
struct Made {
  static constexpr const char* kAccount = "/api/v1/namespaces/demo/serviceaccounts/stash-backup-app-backup";
  static constexpr const char* kConfiguration =
      "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupconfigurations/app-backup";

  const ConfigurationWorld world = a_configuration_world();
  std::atomic<bool> has_account = true, is_foreign = false;
  ClusterScript script;
  Queues queues;
  FakeClock clock;
  std::optional<Cluster> cluster;

  explicit Made(std::string_view missing = "") {
    std::map<std::string, std::vector<Json>> objects = {{"BackupConfiguration", {world.configuration}}};
    Json account;
    for (const Write& write : plan_configuration(world, settings()).writes) {
      if (write.verb != Write::Verb::apply || write.resource.kind == missing) continue;
      if (write.resource == api::kServiceAccounts) account = write.body;
      objects[std::string(write.resource.kind)] = {write.body};
    }
    script.has(objects);
    ApiScript& api = script.script;
    api.on("GET", kAccount).always().reply_with([this, account](const ApiScript::Call&) {
      const Json foreign = {{"metadata", {{"name", "stash-backup-app-backup"}, {"namespace", "demo"}}}};
      return has_account ? ApiScript::Reply{.body = dump_json(is_foreign ? foreign : account)}
                         : ApiScript::Reply{404, dump_json(status_of(404, "NotFound", "no such account"))};
    });
    const auto echo = [](const ApiScript::Call& call) { return ApiScript::Reply{.body = call.body}; };
    api.on("PATCH", kAccount).always().reply_with(echo);
    const std::string cron_job = "/apis/batch/v1/namespaces/demo/cronjobs/stash-backup-app-backup";
    api.on("GET", cron_job).always().reply(404);
    api.on("PATCH", cron_job).always().reply_with(echo);
    api.on("PATCH", std::string(kConfiguration) + "/status").always().reply(world.configuration);
    api.on("POST", "/api/v1/namespaces/demo/events").always().reply(201, Json::object());
    cluster.emplace(api.config(), queues, settings(), Limits{}, false, clock);
    cluster->caches.start();
    REQUIRE(comes_true([this] { return cluster->caches.synced(); }));
  }

  static inject::Settings settings() {
    inject::Settings settings = some_settings();
    settings.opt_in = false;
    return settings;
  }
  std::chrono::seconds look() {
    kube::Api client(script.script.config());
    const auto looked = reconcile_configuration(*cluster, client, {"demo", "app-backup"});
    REQUIRE(looked);
    return looked->value_or(hours(24));
  }
  std::ptrdiff_t calls(std::string_view method) {
    return std::ranges::count_if(script.script.calls(), [method](const ApiScript::Call& call) {
      return call.method == method && call.path == kAccount;
    });
  }
};

}  // namespace

TEST_CASE("the ServiceAccount of a CronJob is read once in ten minutes, however often a workload changes",
          "[controller][configuration][F24][I20]") {
  Made made;
  for (int i = 0; i < 5; ++i) {
    CHECK(made.look() <= minutes(10) - i * minutes(1));
    made.clock.advance(minutes(1));
  }
  CHECK(made.calls("GET") == 1);
  made.clock.advance(minutes(5));
  made.look();
  CHECK(made.calls("GET") == 2);
  CHECK(made.calls("PATCH") == 0);
}

TEST_CASE("a ServiceAccount that somebody removes is there again ten minutes later",
          "[controller][configuration][F20][I19]") {
  Made made;
  made.look();
  made.has_account = false;
  made.clock.advance(minutes(9));
  CHECK(made.look() <= minutes(1));
  made.clock.advance(minutes(1));
  CHECK(made.calls("PATCH") == 0);
  made.look();
  CHECK(made.calls("PATCH") == 1);
  // It was written, so what was read before is no more true.
  made.has_account = true;
  made.look();
  CHECK(made.calls("GET") == 3);
  CHECK(made.calls("PATCH") == 1);
}

TEST_CASE("a ServiceAccount of somebody else that is in the way is missed as soon as it is removed",
          "[controller][configuration][F83][I19]") {
  Made made;
  made.is_foreign = true;
  made.look();
  CHECK(made.calls("PATCH") == 0);
  made.has_account = false;
  made.look();
  CHECK(made.calls("PATCH") == 1);
}

TEST_CASE("a CronJob that is made anew has its ServiceAccount from the first moment on",
          "[controller][configuration][F82][I19]") {
  Made made("CronJob");
  made.look();
  made.has_account = false;
  made.look();
  CHECK(made.calls("PATCH") == 1);
}

TEST_CASE("what the Pushgateway tells of a BackupConfiguration goes with it, although its sessions went before",
          "[controller][configuration][metrics]") {
  ClusterScript script;
  script.has({});
  Queues queues;
  FakeClock clock;
  inject::Settings settings;
  settings.pushgateway_url = script.script.config().server;
  Cluster cluster(script.script.config(), queues, settings, Limits{}, false, clock);
  cluster.caches.start();
  REQUIRE(comes_true([&cluster] { return cluster.caches.synced(); }));
  const Json group = {{"labels", {{"job", "stash-backup"}, {"namespace", "demo"}, {"invoker", "app-backup"}}},
                      {"stash_backup_session_success", Json::object()}};
  script.script.on("GET", "/api/v1/metrics").times(2).reply({{"data", Json::array({group})}});
  script.script.on("DELETE", "/metrics/job/stash-backup/namespace/demo/invoker/app-backup").reply(202);
  HttpClient pushgateway({});
  // The round after its last session went: it is there still.
  CHECK(cluster.pushes.send(pushgateway, [] { return Living{.configurations = {"demo/app-backup"}}; }));
  kube::Api client(script.script.config());
  REQUIRE(reconcile_configuration(cluster, client, {"demo", "app-backup"}));
  CHECK(cluster.pushes.send(pushgateway, [&cluster] { return cluster.living(); }));
}
