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

  enum class Account { watched, missing, foreign, not_to_be_listed };
  ConfigurationWorld world = a_configuration_world();
  ClusterScript script;
  Queues queues;
  FakeClock clock;
  std::optional<Cluster> cluster;

  explicit Made(Account account = Account::watched, const std::string& named = "") {
    if (!named.empty()) {
      world.configuration["spec"]["runtimeSettings"]["pod"]["serviceAccountName"] = named;
    }
    std::map<std::string, std::vector<Json>> objects = {{"BackupConfiguration", {world.configuration}}};
    Json live = {{"metadata", {{"name", "stash-backup-app-backup"}, {"namespace", "demo"}}}};
    for (const Write& write : plan_configuration(world, settings()).writes) {
      if (write.verb != Write::Verb::apply) continue;
      const bool is_account = write.resource == api::kServiceAccounts;
      if (is_account && account != Account::foreign) live = write.body;
      if (!is_account || account == Account::watched) objects[std::string(write.resource.kind)] = {write.body};
    }
    ApiScript& api = script.script;
    if (account == Account::not_to_be_listed) api.on("GET", path_of(api::kServiceAccounts)).always().reply(403);
    script.has(objects);
    if (account == Account::missing) {
      api.on("GET", kAccount).always().reply(404);
    } else {
      api.on("GET", kAccount).always().reply(live);
    }
    const auto echo = [](const ApiScript::Call& call) { return ApiScript::Reply{.body = call.body}; };
    api.on("PATCH", kAccount).always().reply_with(echo);
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
  LookAgain look() {
    kube::Api client(script.script.config());
    const auto looked = reconcile_configuration(*cluster, client, {"demo", "app-backup"});
    REQUIRE(looked);
    return *looked;
  }
  std::ptrdiff_t calls(std::string_view method) {
    return std::ranges::count_if(script.script.calls(), [method](const ApiScript::Call& call) {
      return call.method == method && call.path == kAccount;
    });
  }
};

}  // namespace

TEST_CASE("what is made for a BackupConfiguration is watched, so that looks ask for none of it",
          "[controller][configuration][F24][I20]") {
  Made made;
  // That a slot passed without a Job is told by no event.
  CHECK(made.look() <= minutes(10));
  CHECK(made.look() <= minutes(10));
  CHECK(made.calls("GET") == 0);
  CHECK(made.calls("PATCH") == 0);
}

TEST_CASE("of a BackupConfiguration that names its own ServiceAccount none of ours is asked for",
          "[controller][configuration][F24][I20]") {
  Made made(Made::Account::missing, "its-own");
  made.look();
  CHECK(made.calls("GET") == 0);
  CHECK(made.calls("PATCH") == 0);
}

TEST_CASE("a ServiceAccount that somebody removes is made again by the next look, which its removal wakes",
          "[controller][configuration][F20][I19]") {
  Made made(Made::Account::missing);
  made.look();
  CHECK(made.calls("PATCH") == 1);
}

TEST_CASE("a ServiceAccount of somebody else that is in the way is looked for again, for no event tells when it goes",
          "[controller][configuration][F83][I19]") {
  Made made(Made::Account::foreign);
  CHECK(made.look() <= minutes(10));
  CHECK(made.calls("PATCH") == 0);
}

TEST_CASE("ServiceAccounts that may not be listed, as with the roles of an older chart, are read one by one",
          "[controller][configuration][F20][F84][I19]") {
  Made made(Made::Account::not_to_be_listed);
  CHECK(made.look() <= minutes(10));
  CHECK(made.calls("GET") == 1);
  CHECK(made.calls("PATCH") == 0);
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
