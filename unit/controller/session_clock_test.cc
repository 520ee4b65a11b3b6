#include "controller/session_clock.h"

#include <catch2/catch.hpp>

#include "support/fake_clock.h"
#include "unit/controller/worlds.h"

/// What a step of the wall clock does to sessions that are under way: nothing.
namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

/// A controller process that looks at one session, as session_edge.cc does.
struct Machine {
  FakeClock clock{format_time(kCreated)};
  SessionClock sessions{clock};
  SessionWorld world = a_session_world();

  void step(seconds by) { clock.set_wall(format_time(clock.now() + by)); }
  std::string look() {
    world.now = sessions.now("s", "u");
    world.stepped = std::chrono::round<seconds>(clock.now() - world.now);
    carry_out(plan_session(world), api::kBackupSessions, world.session);
    return phase_of(world.session);
  }
  std::string look_after(seconds time) {
    clock.advance(time);
    return look();
  }
  void restart() { sessions.forget("s"); }
  void claim() {
    world.session["status"]["stats"][0]["phase"] = "Running";
    world.session["status"]["stats"][0]["claim"] = {{"podName", "web-1"}, {"podUID", "uid-web-1"}};
  }
};

const auto kSteps = {seconds(hours(1)), seconds(hours(-1)), seconds(hours(24 * 365 * 10))};

}  // namespace

TEST_CASE("a session is as old as the API server's clock says, however far ahead ours is",
          "[controller][clock][F52][I6]") {
  FakeClock clock{format_time(kCreated + hours(24 * 365))};
  SessionClock sessions(clock);
  CHECK(sessions.now("s", "u", hours(24 * 365)) == kCreated);
  clock.advance(minutes(5));
  CHECK(sessions.now("s", "u", seconds(0)) == kCreated + minutes(5));
}

TEST_CASE("a step of the clock does not end a running session, nor does it keep it", "[controller][clock][F52][I6]") {
  for (const seconds step : kSteps) {
    INFO(step.count());
    Machine machine;
    machine.world.configuration->spec.time_out = "30m";
    machine.look_after(seconds(1));
    machine.claim();
    REQUIRE(machine.look_after(minutes(5)) == "Running");
    machine.step(step);
    CHECK(machine.look() == "Running");
    CHECK(machine.look_after(minutes(24)) == "Running");
    CHECK(machine.look_after(minutes(1)) == "Failed");
    CHECK(condition_of(machine.world.session, "DeadlineExceeded") ==
          "True DeadlineExceeded: it did not end within 30m0s; still running: host-0");
    CHECK(machine.world.session["status"]["sessionDuration"] == "30m1s");
  }
}

TEST_CASE("a step of the clock does not end the wait for a pod", "[controller][clock][F52][I6]") {
  for (const seconds step : kSteps) {
    INFO(step.count());
    Machine machine;
    REQUIRE(machine.look_after(seconds(1)) == "Pending");
    machine.step(step);
    CHECK(machine.look_after(minutes(9)) == "Pending");
    CHECK(machine.look_after(minutes(1)) == "Failed");
  }
}

TEST_CASE("a step of the clock does not cut the grace for a BackupConfiguration that comes later",
          "[controller][clock][F52][I6]") {
  for (const seconds step : kSteps) {
    Machine machine;
    machine.world.configuration.reset();
    machine.look_after(seconds(1));
    machine.step(step);
    CHECK(machine.look_after(seconds(10)) != "Failed");
    CHECK(machine.look_after(seconds(5)) == "Failed");
  }
}

TEST_CASE("a step of the clock does not end the wait for what thaws", "[controller][clock][F52][I6]") {
  for (const seconds step : kSteps) {
    Machine machine;
    api::Hook hook;
    hook.exec = api::ExecAction{{"true"}};
    machine.world.configuration->spec.pre_backup = machine.world.configuration->spec.post_backup = hook;
    machine.world.configuration->spec.time_out = "30m";
    machine.look_after(seconds(1));
    machine.claim();
    machine.world.session["status"]["stats"][0]["hook"] = {
        {"action", "preBackup"}, {"phase", "Succeeded"}, {"requestTime", format_time(kCreated)}};
    REQUIRE(machine.look_after(minutes(30)) == "Running");
    REQUIRE(condition_of(machine.world.session, "Completed").starts_with("False RunningPostBackup"));
    machine.step(step);
    CHECK(machine.look_after(seconds(50)) == "Running");
    CHECK(machine.look_after(seconds(10)) == "Failed");
  }
}

TEST_CASE("the time while no controller looked counts, by the wall clock", "[controller][clock][F2][I6]") {
  Machine machine;
  machine.world.configuration->spec.time_out = "30m";
  machine.look_after(seconds(1));
  machine.claim();
  REQUIRE(machine.look_after(minutes(1)) == "Running");
  machine.restart();
  CHECK(machine.look_after(minutes(29)) == "Failed");
}

TEST_CASE("a failed session is repeated by the wall clock, also after a step", "[controller][clock][F52][I7]") {
  Machine machine;
  machine.world.configuration->spec.time_out = "30m";
  machine.world.configuration->spec.retry_config = api::RetryConfig{.max_retry = 1, .delay = "10m"};
  machine.look_after(seconds(1));
  machine.claim();
  machine.look_after(minutes(5));
  machine.step(hours(1));
  REQUIRE(machine.look_after(minutes(25)) == "Failed");
  CHECK(machine.world.session["status"]["nextRetry"] == format_time(machine.clock.now() + minutes(10)));
}
