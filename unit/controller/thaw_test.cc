#include "controller/thaw.h"

#include <catch2/catch.hpp>

#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Texts = std::vector<std::string>;

api::Hook exec(const std::string& policy = "") {
  api::Hook hook;
  hook.exec = api::ExecAction{{"true"}};
  hook.execution_policy = policy;
  return hook;
}

BackupConfigurationBuilder with_hooks() {
  return a_backup_configuration().time_out("30m").with([](api::BackupConfiguration& configuration) {
    configuration.spec.pre_backup = exec();
    configuration.spec.post_backup = exec();
  });
}

BackupSessionBuilder held_after(const std::string& action, const std::string& phase) {
  api::HostStats host = claimed("host-0", "web-1");
  if (!action.empty()) host.hook = api::HookStatus{action, phase, "", kCreated};
  return a_backup_session().phase("Running").total_hosts(1).host(host);
}

SessionWorld a_world(const BackupSessionBuilder& session,
                     const BackupConfigurationBuilder& configuration = with_hooks()) {
  SessionWorld world = a_session_world(session, configuration);
  world.now = kCreated + minutes(31);
  return world;
}

/// Carries out the plan, in the world too.
Plan go_on(SessionWorld& world) {
  const Plan plan = plan_session(world);
  carry_out(plan, api::kBackupSessions, world.session);
  return plan;
}

/// What the controller's runner writes.
void hook_ends(SessionWorld& world, const std::string& phase, const std::string& error = "") {
  Json& hook = world.session["status"]["stats"][0]["hook"];
  hook["phase"] = phase;
  if (!error.empty()) hook["error"] = error;
}

const Json kThaw = {{"action", "postBackup"}, {"phase", "Requested"}, {"requestTime", "2023-11-14T22:44:20Z"}};

}  // namespace

// I9: the sidecar that froze the application can no longer ask for its thaw.
TEST_CASE("a deadline after a preBackup thaws the application before the session ends", "[controller][thaw]") {
  const std::string phase = GENERATE("Requested", "Running", "Succeeded", "Failed");
  SessionWorld world = a_world(held_after("preBackup", phase));
  CHECK(go_on(world).notes.empty());
  CHECK(phase_of(world.session) == "Running");
  CHECK(host_of(world.session)["phase"] == "Failed");
  CHECK(host_of(world.session)["hook"] == kThaw);
  CHECK(host_of(world.session)["claim"]["podName"] == "web-1");
  CHECK(condition_of(world.session, "Completed") ==
        "False RunningPostBackup: the hosts have ended; the controller runs postBackup for host-0");
  CHECK(go_on(world).empty());

  hook_ends(world, "Succeeded");
  CHECK(events_of(go_on(world)) ==
        Texts{"BackupSessionFailedToExecute: host-0: it did not end within 30m0s; still running: host-0"});
  CHECK(phase_of(world.session) == "Failed");
  CHECK(condition_of(world.session, "Completed") ==
        "True DeadlineExceeded: host-0: it did not end within 30m0s; still running: host-0");
}

TEST_CASE("a stalled sidecar's application is thawed", "[controller][thaw]") {
  SessionWorld world = a_world(held_after("preBackup", "Succeeded"), with_hooks().time_out(""));
  world.silent_for["host-0"] = minutes(16);
  CHECK(events_of(go_on(world)).size() == 1);
  CHECK(host_of(world.session)["hook"] == kThaw);
  CHECK(phase_of(world.session) == "Running");
}

TEST_CASE("a thaw that failed is told with the host's error", "[controller][thaw]") {
  SessionWorld world = a_world(held_after("preBackup", "Succeeded"));
  go_on(world);
  hook_ends(world, "Failed", "container app: exit code 1");
  go_on(world);
  CHECK(string_at(host_of(world.session), {"error"}) ==
        "it did not end within 30m0s; still running: host-0; the hook postBackup, run by the controller, failed: "
        "container app: exit code 1");
}

TEST_CASE("a thaw that does not end is waited for a minute", "[controller][thaw]") {
  SessionWorld world = a_world(held_after("preBackup", "Succeeded"));
  go_on(world);
  hook_ends(world, "Running");
  world.now += seconds(59);
  CHECK(go_on(world).look_again_in == seconds(1));
  CHECK(phase_of(world.session) == "Running");
  world.now += seconds(1);
  go_on(world);
  CHECK(phase_of(world.session) == "Failed");
  CHECK(string_at(host_of(world.session), {"error"})
            .ends_with("; the hook postBackup, run by the controller, has not ended"));
}

TEST_CASE("with the pod its freeze is gone", "[controller][thaw]") {
  SessionWorld world = a_world(held_after("preBackup", "Succeeded"));
  SECTION("before the end") { world.target.pods = std::vector<PodFacts>(); }
  SECTION("while the thaw is waited for") {
    go_on(world);
    world.target.pods = std::vector{a_pod("web-1", "Failed")};
  }
  go_on(world);
  CHECK(phase_of(world.session) == "Failed");
}

TEST_CASE("nothing is thawed that was not frozen, or is thawed already", "[controller][thaw]") {
  const auto ends_at_once = [](const BackupSessionBuilder& session, const BackupConfigurationBuilder& configuration) {
    SessionWorld world = a_world(session, configuration);
    go_on(world);
    return phase_of(world.session) == "Failed" && !host_of(world.session).contains("claim");
  };
  const auto frozen = held_after("preBackup", "Succeeded");
  CHECK(ends_at_once(held_after("", ""), with_hooks()));
  CHECK(ends_at_once(held_after("postBackup", "Succeeded"), with_hooks()));
  CHECK(ends_at_once(held_after("postBackup", "Failed"), with_hooks()));
  const auto change = [&](auto&& what) { return with_hooks().with(what); };
  CHECK(ends_at_once(frozen, change([](auto& c) { c.spec.post_backup.reset(); })));
  CHECK(ends_at_once(frozen, change([](auto& c) { c.spec.pre_backup.reset(); })));
  CHECK(ends_at_once(frozen, change([](auto& c) { c.spec.post_backup = exec("OnSuccess"); })));
  CHECK(ends_at_once(
      frozen, change([](auto& c) { c.spec.post_backup = api::Hook{.http_get = api::HttpAction{.port = "80"}}; })));
}

TEST_CASE("a freeze by HTTP, of which only the sidecar knows, is thawed by the program", "[controller][thaw]") {
  SessionWorld world = a_world(held_after("", ""), with_hooks().with([](auto& c) {
    c.spec.pre_backup = api::Hook{.http_get = api::HttpAction{.port = "80"}};
  }));
  go_on(world);
  CHECK(host_of(world.session)["hook"] == kThaw);
}

TEST_CASE("a postBackup that the sidecar has asked for stays the one request", "[controller][thaw]") {
  SessionWorld world = a_world(held_after("postBackup", "Running"));
  go_on(world);
  CHECK(host_of(world.session)["phase"] == "Failed");
  CHECK(host_of(world.session)["hook"]["requestTime"] == format_time(kCreated));
  CHECK(phase_of(world.session) == "Running");
}

TEST_CASE("a postBackup that the sidecar gave up waiting for is still waited for", "[controller][thaw]") {
  api::HostStats host = claimed("host-0", "web-1");
  host.phase = "Failed";
  host.error = "the controller is silent";
  host.hook = api::HookStatus{"postBackup", "Requested", "", kCreated};
  SessionWorld world = a_world(a_backup_session().phase("Running").total_hosts(1).host(host));
  go_on(world);
  CHECK(phase_of(world.session) == "Running");
  hook_ends(world, "Succeeded");
  go_on(world);
  CHECK(phase_of(world.session) == "Failed");
}

TEST_CASE("a host that is given back forgets the hook of its last pod", "[controller][thaw]") {
  SessionWorld world = a_world(held_after("preBackup", "Running"), with_hooks().time_out(""));
  world.target.pods = std::vector{a_pod("web-2")};
  go_on(world);
  CHECK(host_of(world.session) == Json({{"hostname", "host-0"}, {"phase", "Pending"}}));
}
