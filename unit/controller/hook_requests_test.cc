#include "controller/hook_requests.h"

#include <catch2/catch.hpp>

#include "api/silence.h"
#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

constexpr const char* kAsked = "2023-11-14T22:13:25Z";

api::Hook exec(std::vector<std::string> command, const std::string& container = "", const std::string& timeout = "") {
  api::Hook hook;
  hook.exec = api::ExecAction{std::move(command)};
  hook.container_name = container;
  hook.timeout = timeout;
  return hook;
}

BackupConfigurationBuilder with_hooks() {
  return a_backup_configuration().with([](api::BackupConfiguration& configuration) {
    configuration.spec.pre_backup = exec({"sh", "-c", "freeze"}, "", "2m");
    configuration.spec.post_backup = exec({"thaw"}, "db", "2m");
  });
}

/// The session with one host, held by web-1, that asks for `action`.
Json asking(const std::string& action, const std::string& phase = "Requested",
            const std::string& host_phase = "Running") {
  Json session = a_backup_session().phase("Running").total_hosts(1).host(claimed("host-0", "web-1")).json();
  Json& host = session["status"]["stats"][0];
  host["phase"] = host_phase;
  host["hook"] = {{"action", action}, {"phase", phase}, {"requestTime", kAsked}};
  return session;
}

/// As the API server has it: the application's containers app and db, and the sidecar of app-backup.
Json the_pod() {
  return {{"metadata", {{"name", "web-1"}, {"namespace", "demo"}, {"uid", "uid-web-1"}}},
          {"spec",
           {{"containers",
             {{{"name", "stash"}, {"args", {"run-backup", "--backup-configuration=app-backup"}}},
              {{"name", "app"}},
              {{"name", "db"}}}}}},
          {"status", {{"phase", "Running"}}}};
}

HookWorld a_hook_world(Json session = asking("preBackup")) {
  HookWorld world;
  world.session = std::move(session);
  world.configuration = with_hooks().build();
  world.workload_uid = "uid-workload";
  world.pods["web-1"] = {the_pod(), {"uid-replica-set", "uid-workload"}};
  return world;
}

HookStep only_step(const HookWorld& world) {
  const std::vector<HookStep> steps = plan_hooks(world);
  REQUIRE(steps.size() == 1);
  return steps[0];
}
std::string refusal(const HookWorld& world) {
  const HookStep step = only_step(world);
  CHECK_FALSE(step.run.has_value());
  return step.refusal;
}

/// What the API server would do with the patch; nullopt when a test of it fails.
std::optional<Json> patched(const Json& session, const Json& operations) {
  Json copy = session;
  for (const Json& operation : operations) {
    const Json::json_pointer pointer(string_at(operation, {"path"}));
    if (string_at(operation, {"op"}) == "test" && (!copy.contains(pointer) || copy[pointer] != operation["value"]))
      return std::nullopt;
  }
  return copy.patch(operations);
}

}  // namespace

TEST_CASE("what is run comes from the BackupConfiguration, in the first container that is not ours",
          "[controller][hooks]") {
  Json session = asking("preBackup");
  session["status"]["stats"][0]["hook"]["command"] = {"rm", "-rf", "/"};
  session["status"]["stats"][0]["hook"]["containerName"] = "db";
  CHECK(only_step(a_hook_world(session)).run ==
        HookCommand{{"demo", "web-1"}, "app", {"sh", "-c", "freeze"}, std::chrono::minutes(2)});
}

TEST_CASE("a program without a timeout may run until its session ends", "[controller][hooks]") {
  HookWorld world = a_hook_world();
  world.configuration->spec.pre_backup->timeout = "";
  CHECK(only_step(world).run->timeout == std::chrono::hours(24));
  world.configuration->spec.time_out = "3h";
  CHECK(only_step(world).run->timeout == std::chrono::hours(3));
  world.configuration->spec.post_backup->timeout = "";
  CHECK(only_step(world).thaw->timeout == kThawLimit);
}

TEST_CASE("with a preBackup goes what thaws, should nobody be left to ask", "[controller][hooks]") {
  HookWorld world = a_hook_world();
  CHECK(only_step(world).thaw == HookCommand{{"demo", "web-1"}, "db", {"thaw"}, kThawLimit});
  world.configuration->spec.post_backup->execution_policy = "OnFailure";
  CHECK_FALSE(only_step(world).thaw);
  CHECK_FALSE(only_step(a_hook_world(asking("postBackup"))).thaw);
}

TEST_CASE("containerName names the container", "[controller][hooks]") {
  CHECK(only_step(a_hook_world(asking("postBackup"))).run ==
        HookCommand{{"demo", "web-1"}, "db", {"thaw"}, std::chrono::minutes(2)});
  HookWorld world = a_hook_world();
  world.configuration->spec.pre_backup->container_name = "nginx";
  CHECK(refusal(world) == "containerName: the pod has no container nginx; it has: app, db");
}

TEST_CASE("nothing is run in the container of Stash", "[controller][hooks]") {
  HookWorld world = a_hook_world();
  world.configuration->spec.pre_backup->container_name = "stash";
  CHECK(refusal(world) == "containerName is stash, which is Stash's own container; name one of the application's");
  world.configuration->spec.pre_backup->container_name = "";
  world.pods["web-1"].pod["spec"]["containers"].erase(1);
  world.pods["web-1"].pod["spec"]["containers"].erase(1);
  CHECK(refusal(world) == "the pod has no container but Stash's");
}

// F73, F77: who may write a status may still run nothing where the author of the BackupConfiguration did not ask for
// it.
TEST_CASE("a claim that names another pod than one of the target with our sidecar runs nothing",
          "[controller][hooks]") {
  const std::string why =
      "pod web-1 is no pod of the target with a sidecar for this BackupConfiguration, so no program is run in it";
  HookWorld world = a_hook_world();
  SECTION("of another workload") { world.pods["web-1"].makers = {"uid-other", "uid-another"}; }
  SECTION("of nobody") {
    world.pods["web-1"].makers = {"", ""};
    world.workload_uid = "";
  }
  SECTION("without a sidecar") { world.pods["web-1"].pod["spec"]["containers"].erase(0); }
  SECTION("with the sidecar of another BackupConfiguration") {
    world.pods["web-1"].pod["spec"]["containers"][0]["args"][1] = "--backup-configuration=other";
  }
  SECTION("with a container that only has the name of ours") {
    world.pods["web-1"].pod["spec"]["containers"][0]["args"] = {"sleep", "--backup-configuration=app-backup"};
  }
  CHECK(refusal(world) == why);
}

TEST_CASE("a pod that is gone, or was made anew under its name, has nothing to run", "[controller][hooks]") {
  HookWorld world = a_hook_world();
  SECTION("gone") { world.pods["web-1"].pod = nullptr; }
  SECTION("another one") { world.pods["web-1"].pod["metadata"]["uid"] = "uid-web-1-again"; }
  SECTION("ended") { world.pods["web-1"].pod["status"]["phase"] = "Failed"; }
  CHECK(refusal(world) == "pod web-1 is gone");
}

TEST_CASE("a request for what the BackupConfiguration has not, or has no more, is refused", "[controller][hooks]") {
  HookWorld world = a_hook_world();
  std::string why = "the BackupConfiguration has no spec.hooks.preBackup.exec with a command";
  SECTION("no hook") { world.configuration->spec.pre_backup.reset(); }
  SECTION("another action") { world.configuration->spec.pre_backup = api::Hook{.http_get = api::HttpAction{}}; }
  SECTION("no command") { world.configuration->spec.pre_backup->exec->command.clear(); }
  SECTION("a word that is none") {
    world.session = asking("preRestore");
    why = "the BackupConfiguration has no spec.hooks.preRestore.exec with a command";
  }
  SECTION("no BackupConfiguration") {
    world.configuration.reset();
    why = "the BackupConfiguration does not exist any more";
  }
  SECTION("another BackupConfiguration of that name") {
    world.session["metadata"]["ownerReferences"] = {
        {{"kind", "BackupConfiguration"}, {"name", "app-backup"}, {"uid", "uid-of-the-first"}}};
    why = "the BackupConfiguration was deleted and made anew since";
  }
  SECTION("turned off") {
    world.exec_hooks = false;
    why = "the administrator has turned exec hooks off (hooks.exec=false of the chart)";
  }
  SECTION("a timeout that is none") {
    world.configuration->spec.pre_backup->timeout = "soon";
    why = "timeout \"soon\" is no duration such as 30s or 5m, of at most 24h";
  }
  CHECK(refusal(world) == why);
}

TEST_CASE("what is in hand is not begun again, and what has ended not either", "[controller][hooks]") {
  HookWorld world = a_hook_world();
  world.is_in_hand = [](const HookRequest&) { return true; };
  CHECK(plan_hooks(world).empty());
  CHECK(plan_hooks(a_hook_world(asking("preBackup", "Succeeded"))).empty());
  CHECK(plan_hooks(a_hook_world(asking("postBackup", "Failed"))).empty());
}

TEST_CASE("a preBackup that ran in the hands of another controller has failed, a postBackup runs again",
          "[controller][hooks]") {
  CHECK(refusal(a_hook_world(asking("preBackup", "Running"))) ==
        "whether it ran to its end is not known, for the controller that ran it is gone");
  CHECK(only_step(a_hook_world(asking("postBackup", "Running"))).run.has_value());
}

TEST_CASE("a preBackup that is Running and of which we know that nothing has been run is run",
          "[controller][hooks][F19][I7]") {
  Json session = asking("preBackup", "Running");
  session["status"]["stats"][0]["hook"]["takenBy"] = "us";
  HookWorld world = a_hook_world(session);
  world.is_taken_unbegun = [](const HookRequest& request) { return request.taken_by == "us"; };
  const HookStep step = only_step(world);
  CHECK(step.run.has_value());
  CHECK(patched(session, take_operations(step.request, "us")));
  session["status"]["stats"][0]["hook"]["takenBy"] = "another";
  CHECK_FALSE(patched(session, take_operations(step.request, "us")));
  CHECK_FALSE(only_step(a_hook_world(session)).run.has_value());
}

TEST_CASE("a host that has ended is thawed, in less time, but never frozen", "[controller][hooks]") {
  CHECK(only_step(a_hook_world(asking("postBackup", "Requested", "Failed"))).run->timeout == kThawLimit);
  CHECK(plan_hooks(a_hook_world(asking("preBackup", "Requested", "Failed"))).empty());
}

TEST_CASE("a session that is over, or a host that nobody holds, asks for nothing", "[controller][hooks]") {
  Json session = asking("preBackup");
  SECTION("final") { session["status"]["phase"] = "Failed"; }
  SECTION("being deleted") { session["metadata"]["deletionTimestamp"] = kAsked; }
  SECTION("free host") { session["status"]["stats"][0].erase("claim"); }
  CHECK(open_hooks(session).empty());
}

TEST_CASE("requests beyond the room wait for their turn, and thaws have a room of their own", "[controller][hooks]") {
  std::vector<HookRequest> open;
  for (const auto& [host, action] : {std::pair("host-0", kPreBackup), std::pair("host-1", kPreBackup),
                                     std::pair("host-2", kPostBackup), std::pair("host-3", kPostBackup)}) {
    HookRequest request = open_hooks(asking(std::string(action))).at(0);
    request.host = host;
    open.push_back(std::move(request));
  }
  const HookTurns turns = take_turns(open, {.pre_backup = 1, .post_backup = 1});
  CHECK(turns.begin == std::vector{open[0], open[2]});
  CHECK(turns.wait == std::vector{open[1], open[3]});
}

TEST_CASE("a pod whose hook waits is told so, again and again, and it is run in its turn", "[controller][hooks]") {
  const TimePoint now = parse_time("2023-11-14T22:15:00Z").value();
  const Json session = asking("preBackup");
  const HookRequest request = open_hooks(session).at(0);
  CHECK(is_sign_due(request, now));
  const auto told = patched(session, queue_operations(request, now));
  REQUIRE(told);
  const HookRequest queued = open_hooks(*told).at(0);
  CHECK(queued.phase == "Queued");
  CHECK(is_same_request(queued, request));
  CHECK_FALSE(is_sign_due(queued, now + api::kQueueSign - std::chrono::seconds(1)));
  CHECK(is_sign_due(queued, now + api::kQueueSign));
  CHECK(is_sign_due(queued, now - std::chrono::hours(1)));
  CHECK(only_step(a_hook_world(*told)).run.has_value());
  const auto taken = patched(*told, take_operations(queued, "us"));
  REQUIRE(taken);
  CHECK_FALSE(is_sign_due(open_hooks(*taken).at(0), now + api::kQueueSign));
  CHECK_FALSE(patched(*taken, queue_operations(queued, now)));
}

TEST_CASE("a request is taken once, and its outcome is written only where it still stands", "[controller][hooks]") {
  const Json session = asking("preBackup");
  const HookRequest request = open_hooks(session).at(0);
  const auto taken = patched(session, take_operations(request, "us"));
  REQUIRE(taken);
  CHECK(host_of(*taken)["hook"]["phase"] == "Running");
  CHECK(host_of(*taken)["hook"]["takenBy"] == "us");
  CHECK_FALSE(patched(*taken, take_operations(request, "us")));

  HookRequest running = request;
  running.phase = "Running";
  const auto failed = patched(*taken, outcome_operations(running, "exit code 3"));
  REQUIRE(failed);
  CHECK(host_of(*failed)["hook"]["phase"] == "Failed");
  CHECK(host_of(*failed)["hook"]["error"] == "exit code 3");
  CHECK(host_of(*patched(*taken, outcome_operations(running, "")))["hook"]["phase"] == "Succeeded");

  Json other = *taken;
  SECTION("another request") { other["status"]["stats"][0]["hook"]["requestTime"] = "2023-11-14T22:14:00Z"; }
  SECTION("another hook") { other["status"]["stats"][0]["hook"]["action"] = "postBackup"; }
  SECTION("another pod") { other["status"]["stats"][0]["claim"]["podUID"] = "uid-web-2"; }
  SECTION("nobody's") { other["status"]["stats"][0].erase("claim"); }
  SECTION("another host there") { other["status"]["stats"][0]["hostname"] = "host-1"; }
  CHECK_FALSE(patched(other, outcome_operations(running, "")));
}
