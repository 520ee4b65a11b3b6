#include "controller/hook_edge.h"

#include <catch2/catch.hpp>

#include "support/fake_clock.h"
#include "unit/controller/worlds.h"
#include "unit/support/api_script.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

}  // namespace

TEST_CASE("while as many programs run as may in a namespace, a pod is told that its own waits, and is left alone",
          "[controller][hook_edge][F28][I6][I20]") {
  const std::string sessions = "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions/";
  ApiScript silent, script;
  silent.on("PATCH", sessions + "busy/status").always().stream({}).then_hang();
  Queues queues;
  const FakeClock clock;
  Cluster cluster(silent.config(), queues, inject::Settings{}, Limits{}, false, clock);
  const std::size_t room = cluster.hooks.room("demo").pre_backup;
  for (std::size_t i = 0; i < room; ++i) {
    HookStep step;
    step.request = {.session = {"demo", "busy"}, .session_uid = "uid-busy", .host = "node-" + std::to_string(i)};
    step.request.action = kPreBackup;
    step.request.place.ref = step.request.session;
    step.run = HookCommand{{"demo", "busy"}, "app", {"dump"}, std::chrono::minutes(10)};
    cluster.hooks.start(std::move(step));
  }
  REQUIRE(cluster.hooks.room("demo").pre_backup == 0);

  api::HostStats host = claimed("host-0", "web-1");
  host.hook = api::HookStatus{"preBackup", "Requested", "", clock.now()};
  const Json session = a_backup_session().phase("Running").host(host).json();
  Json told;
  script.on("PATCH", sessions + "app-backup-1700000000/status").reply_with([&](const ApiScript::Call& call) {
    told = session.patch(call.json());
    return ApiScript::Reply{.body = dump_json(told)};
  });
  kube::Api api(script.config());
  REQUIRE(start_hooks(cluster, api, session, a_backup_configuration().build()));
  CHECK(host_of(told)["hook"]["phase"] == "Queued");
  CHECK(host_of(told)["hook"]["queuedTime"] == format_time(clock.now()));
  // Once is enough for now.
  REQUIRE(start_hooks(cluster, api, told, a_backup_configuration().build()));
}
