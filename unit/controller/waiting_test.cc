#include <catch2/catch.hpp>

#include "unit/controller/worlds.h"

/// From when on a session is waited for a pod, and what makes the wait begin anew.
namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

Json look_at(SessionWorld& world, seconds age) {
  world.now = kCreated + age;
  carry_out(plan_session(world), api::kBackupSessions, world.session);
  return world.session;
}

Json look_at(RestoreWorld& world, seconds age) {
  world.now = kCreated + age;
  carry_out(plan_restore(world), api::kRestoreSessions, world.session);
  return world.session;
}

void claim(Json& session, std::size_t host = 0) {
  session["status"]["stats"][host]["phase"] = "Running";
  session["status"]["stats"][host]["claim"] = {{"podName", "web-1"}, {"podUID", "uid-web-1"}};
}

/// As a sidecar does that is told to stop.
void hand_back(Json& session, std::size_t host = 0) {
  session["status"]["stats"][host]["phase"] = "Pending";
  session["status"]["stats"][host].erase("claim");
}

}  // namespace

TEST_CASE("a session that was made while the operator was down is offered before it is judged",
          "[controller][waiting]") {
  SessionWorld world = a_session_world();
  CHECK(phase_of(look_at(world, minutes(30))) == "Pending");
  CHECK(phase_of(look_at(world, minutes(39))) == "Pending");
  CHECK(phase_of(look_at(world, minutes(40))) == "Failed");
}

TEST_CASE("a restore that was made while the operator was down is offered before it is judged",
          "[controller][waiting]") {
  RestoreWorld world = a_restore_world();
  CHECK(phase_of(look_at(world, minutes(30))) == "Pending");
  CHECK(phase_of(look_at(world, minutes(39))) == "Pending");
  CHECK(phase_of(look_at(world, minutes(40))) == "Failed");
}

TEST_CASE("what waited while the operator was down is offered once more by the next one",
          "[controller][waiting][F2][I6]") {
  SessionWorld world = a_session_world();
  look_at(world, seconds(1));
  world.watched_for = seconds(2);
  CHECK(phase_of(look_at(world, hours(2))) == "Pending");
  world.watched_for = minutes(10);
  CHECK(phase_of(look_at(world, hours(2) + minutes(10))) == "Failed");
}

TEST_CASE("a controller whose clock is ahead or behind does not fail a new session", "[controller][waiting][F52][I6]") {
  for (const seconds skew : {seconds(hours(-5)), seconds(hours(5))}) {
    SessionWorld world = a_session_world();
    CHECK(phase_of(look_at(world, skew)) == "Pending");
    CHECK(phase_of(look_at(world, skew + minutes(9))) == "Pending");
    CHECK(phase_of(look_at(world, skew + minutes(10))) == "Failed");
  }
}

TEST_CASE("a host that its stopped pod hands back after long work waits for another pod anew",
          "[controller][waiting]") {
  SessionWorld world = a_session_world();
  look_at(world, seconds(1));
  claim(world.session);
  CHECK(phase_of(look_at(world, seconds(10))) == "Running");
  hand_back(world.session);
  CHECK(phase_of(look_at(world, minutes(40))) == "Pending");
  CHECK(condition_of(world.session, "BackupDisrupted") ==
        "True HandedBack: host-0: the pod that worked on it was stopped; another pod takes over");
  CHECK(condition_of(world.session, "Completed") == "False WaitingForClaim: waiting for a pod to take host-0");
  CHECK(phase_of(look_at(world, minutes(49))) == "Pending");
  CHECK(phase_of(look_at(world, minutes(50))) == "Failed");
}

TEST_CASE("a host that its stopped pod hands back while another works is not judged by the time before",
          "[controller][waiting]") {
  auto session = a_backup_session().total_hosts(2).host("host-0", "Pending").host("host-1", "Pending").phase("Pending");
  SessionWorld world = a_session_world(session);
  look_at(world, seconds(1));
  claim(world.session, 0);
  claim(world.session, 1);
  look_at(world, seconds(10));
  hand_back(world.session, 0);
  world.silent_for = {{"host-1", seconds(3)}};
  CHECK(phase_of(look_at(world, minutes(40))) == "Running");
  world.session["status"]["stats"][1] = {{"hostname", "host-1"}, {"phase", "Succeeded"}};
  world.silent_for.clear();
  CHECK(phase_of(look_at(world, minutes(41))) == "Running");
  CHECK(phase_of(look_at(world, minutes(50))) == "Running");
  CHECK(phase_of(look_at(world, minutes(51))) == "Failed");
}

TEST_CASE("a host that waited for a busy pod is not failed the moment that pod is free", "[controller][waiting]") {
  SessionWorld world = a_session_world();
  look_at(world, seconds(1));
  world.target.busy = {{"uid-web-1", "nightly-1"}};
  CHECK(condition_of(look_at(world, hours(1)), "Completed") == "False PodBusy: pod web-1 works for session nightly-1");
  world.target.busy.clear();
  CHECK(phase_of(look_at(world, hours(2))) == "Pending");
  CHECK(phase_of(look_at(world, hours(2) + minutes(10))) == "Failed");
}

TEST_CASE("a restore that waited for others to leave its volumes is not failed the moment it may begin",
          "[controller][waiting][F29][I6]") {
  RestoreWorld world = a_restore_world();
  world.used_by = "BackupSession demo/nightly";
  CHECK(condition_of(look_at(world, seconds(1)), "Completed").starts_with("False VolumesInUse: "));
  look_at(world, hours(1));
  world.used_by = "";
  CHECK(phase_of(look_at(world, hours(3))) == "Pending");
  CHECK(condition_of(world.session, "Completed") == "False WaitingForClaim: waiting for a pod to take host-0");
  CHECK(phase_of(look_at(world, hours(3) + minutes(9))) == "Pending");
  CHECK(phase_of(look_at(world, hours(3) + minutes(10))) == "Failed");
}

TEST_CASE("a restore that a pod takes up again after it failed waits anew when it is handed back",
          "[controller][waiting]") {
  RestoreWorld world = a_restore_world();
  look_at(world, seconds(1));
  look_at(world, minutes(20));
  REQUIRE(phase_of(world.session) == "Failed");
  claim(world.session);
  CHECK(phase_of(look_at(world, minutes(30))) == "Running");
  hand_back(world.session);
  CHECK(phase_of(look_at(world, hours(1))) == "Pending");
  CHECK(phase_of(look_at(world, hours(1) + minutes(9))) == "Pending");
}

TEST_CASE("a session ends in time although its pods may not be looked at, and says so", "[controller][waiting]") {
  SessionWorld world = a_session_world();
  world.target.secret = Presence::unknown;
  world.target.pods.reset();
  const std::string reason = GENERATE("AccessDenied", "PodsUnknown");
  world.target.unseen = Obstacle{reason, "listing pods of demo: forbidden", ""};
  look_at(world, seconds(1));
  CHECK(condition_of(world.session, "Completed") == "False " + reason + ": listing pods of demo: forbidden");
  look_at(world, minutes(11));
  CHECK(phase_of(world.session) == "Failed");
  CHECK(host_of(world.session)["error"] ==
        "no pod took it within 10m0s; why is not known: listing pods of demo: forbidden");
}

TEST_CASE("no backup begins while the same workload is restored", "[controller][waiting][F29][I13]") {
  SessionWorld world = a_session_world();
  look_at(world, seconds(1));
  world.restoring = "app-restore";
  CHECK(phase_of(look_at(world, seconds(20))) == "Skipped");
  CHECK(condition_of(world.session, "BackupSkipped") ==
        "True RestoreInProgress: RestoreSession demo/app-restore restores the same workload and has not ended; backups "
        "go on when it has succeeded or is deleted");
}

TEST_CASE("a backup that began before the restore goes on until pods can restore, and is then asked to stop",
          "[controller][waiting][F29][I11][I13]") {
  SessionWorld world = a_session_world();
  look_at(world, seconds(1));
  claim(world.session);
  world.restoring = "app-restore";
  CHECK(phase_of(look_at(world, seconds(20))) == "Running");
  CHECK_FALSE(host_of(world.session)["claim"].contains("stop"));
  world.restore_injected = true;
  CHECK(phase_of(look_at(world, seconds(30))) == "Running");
  const std::string why = "RestoreSession demo/app-restore restores the same workload, and began before this was done";
  CHECK(host_of(world.session)["claim"]["stop"] == why);
  // So that no other pod takes what this one gives back.
  CHECK(world.session["status"]["reason"] == "RestoreInProgress");
  // Asked once.
  CHECK(plan_session(world).writes.empty());

  // The pod has given it back: nothing has come of it.
  world.session["status"]["stats"][0] = {{"hostname", "host-0"}, {"phase", "Pending"}};
  CHECK(phase_of(look_at(world, seconds(40))) == "Skipped");
}

TEST_CASE("a backup that made way for a restore that is deleted then is offered anew",
          "[controller][waiting][F30][I6]") {
  SessionWorld world = a_session_world();
  look_at(world, seconds(1));
  claim(world.session);
  world.restoring = "app-restore";
  world.restore_injected = true;
  look_at(world, minutes(20));
  world.restoring = "";
  hand_back(world.session);
  CHECK(phase_of(look_at(world, minutes(21))) == "Pending");
  CHECK(condition_of(world.session, "Completed") == "False WaitingForClaim: waiting for a pod to take host-0");
}

TEST_CASE("a backup of which a part was made before a restore began fails, and says why",
          "[controller][waiting][F29][I5]") {
  SessionWorld world = a_session_world();
  world.target.ref.kind = "StatefulSet";
  world.target.workload->replicas = 2;
  look_at(world, seconds(1));
  world.session["status"]["stats"][0]["phase"] = "Succeeded";
  world.restoring = "app-restore";
  world.restore_injected = true;
  CHECK(phase_of(look_at(world, seconds(20))) == "Failed");
  CHECK(string_at(world.session["status"]["stats"][1], {"error"}) ==
        "RestoreSession demo/app-restore restores the same workload, and began before this was done");
}

TEST_CASE("a backup whose snapshots are made is not asked to stop", "[controller][waiting][F29][I13]") {
  SessionWorld world = a_session_world();
  look_at(world, seconds(1));
  claim(world.session);
  world.session["status"]["stats"][0]["backedUp"] = true;
  world.restoring = "app-restore";
  world.restore_injected = true;
  CHECK(phase_of(look_at(world, seconds(20))) == "Running");
  CHECK_FALSE(host_of(world.session)["claim"].contains("stop"));
}

TEST_CASE("a backup whose time is over while a restore waits for it ends when its pods have ended",
          "[controller][waiting][F29][I6][I13]") {
  SessionWorld world = a_session_world();
  look_at(world, seconds(1));
  claim(world.session);
  world.restoring = "app-restore";
  CHECK(phase_of(look_at(world, hours(24))) == "Running");
  const std::string message = "it did not end within 24h0m0s; still running: host-0";
  CHECK(host_of(world.session)["claim"]["stop"] == message);
  CHECK(condition_of(world.session, "Completed") == "False RestoreInProgress: " + message);
  CHECK(plan_session(world).writes.empty());
  seconds then = hours(24) + seconds(30);
  SECTION("and gave the host back") { hand_back(world.session); }
  SECTION("or vanished") { world.target.pods = std::vector{a_pod("web-2")}; }
  SECTION("or cannot but have ended by now") {
    CHECK(phase_of(look_at(world, hours(24) + minutes(14))) == "Running");
    then = hours(24) + minutes(15);
  }
  CHECK(phase_of(look_at(world, then)) == "Failed");
  CHECK(condition_of(world.session, "Completed") == "True DeadlineExceeded: " + message);
  CHECK(host_of(world.session)["error"] == message);
}
