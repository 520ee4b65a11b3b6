#include "unit/controller/kind_worlds.h"

/// Nodes that shall run a pod of a DaemonSet and have none.
namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

}  // namespace

TEST_CASE("a node without a pod stays missing while pods or workload are not known, and the session never succeeds",
          "[controller][kinds][F16][F20][I5][I8][I11]") {
  SessionWorld world = session_of(daemons(2, {"a"}));
  step(world);
  const bool workload_known = GENERATE(true, false);
  world.target.pods.reset();
  if (!workload_known) world.target.workload.reset();
  step(world);
  CHECK(world.session["status"]["totalHosts"] == 2);
  finish(world.session, 0);
  CHECK(phase_of(step(world)) == "Running");
  world.now = kCreated + minutes(11);
  CHECK(phase_of(step(world)) == "Failed");
  CHECK(world.session["status"]["totalHosts"] == 2);
}

TEST_CASE("a session that waits for a thaw after its deadline does not forget a node without a pod",
          "[controller][kinds][F16][I5][I9]") {
  SessionWorld world = session_of(daemons(2, {"a"}));
  world.configuration->spec.time_out = "5m";
  step(world);
  finish(world.session, 0);
  Json& host = world.session["status"]["stats"][0];
  host["claim"] = {{"podName", "agent-a"}, {"podUID", "uid-agent-a"}};
  host["hook"] = {{"action", "postBackup"}, {"phase", "Running"}};
  world.now = kCreated + minutes(6);
  CHECK(phase_of(step(world)) == "Running");
  world.session["status"]["stats"][0]["hook"]["phase"] = "Succeeded";
  CHECK(phase_of(step(world)) == "Failed");
  CHECK(condition_of(world.session, "Completed") == "True DeadlineExceeded: it did not end within 5m0s");
}

TEST_CASE("a restore does not succeed while a node without a pod is not looked for", "[controller][kinds][F16][I13]") {
  RestoreWorld world = restore_of(daemons(2, {"a"}));
  step(world);
  world.target.pods.reset();
  step(world);
  finish(world.session, 0);
  CHECK(phase_of(step(world)) == "Running");
  CHECK(world.session["status"]["totalHosts"] == 2);
}

TEST_CASE("a restore that its time has ended stays so while a node has no pod, and goes on when it has one",
          "[controller][kinds][F16][I6][I13]") {
  RestoreWorld world = restore_of(daemons(2, {"a"}));
  world.session["spec"]["timeOut"] = "5m";
  step(world);
  finish(world.session, 0);
  world.now = kCreated + minutes(6);
  CHECK(phase_of(step(world)) == "Failed");
  world.target.pods.reset();
  CHECK(plan_restore(world) == Plan());
  CHECK(condition_of(world.session, "Completed").starts_with("True DeadlineExceeded"));
  world.target = daemons(2, {"a", "b"});
  CHECK(phase_of(step(world)) == "Running");
  finish(world.session, 1);
  CHECK(phase_of(step(world)) == "Succeeded");
}
