#include "controller/restore_phase.h"

#include <catch2/catch.hpp>

#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Texts = std::vector<std::string>;

Json after(const RestoreWorld& world) {
  Json session = world.session;
  carry_out(plan_restore(world), api::kRestoreSessions, session);
  return session;
}

RestoreWorld at_age(RestoreWorld world, seconds age) {
  world.now = kCreated + age;
  return world;
}

/// That it Failed was said by us: older Stash wrote no such condition.
RestoreSessionBuilder failed_session() {
  return a_restore_session().phase("Failed").total_hosts(1).with([](api::RestoreSession& session) {
    session.status.conditions = {{"Completed", "True", "Failed", "host-0: x", 1, kCreated}};
  });
}

api::RestoreRule rule(std::vector<std::string> hosts, std::vector<std::string> snapshots,
                      std::vector<std::string> paths) {
  return {std::move(hosts), "", std::move(snapshots), std::move(paths), {}, {}};
}

std::string complaint(const RestoreSessionBuilder& session) {
  const Json done = after(a_restore_world(session));
  CHECK(phase_of(done) == "Invalid");
  return condition_of(done, "Completed");
}

constexpr const char* kInvalid = "True Invalid: RestoreSession demo/app-restore: ";

}  // namespace

TEST_CASE("a new RestoreSession is accepted as Pending, with the host of its target", "[controller][restore]") {
  const RestoreWorld world = a_restore_world();
  const Json session = after(world);
  CHECK(phase_of(session) == "Pending");
  CHECK(session["status"]["totalHosts"] == 1);
  CHECK(host_of(session) == Json({{"hostname", "host-0"}, {"phase", "Pending"}}));
  CHECK(events_of(plan_restore(world)) == Texts{"RestoreJobCreated: waiting for a pod to restore host-0"});
}

TEST_CASE("a restore is Running once a pod has it and Succeeded once that pod is done", "[controller][restore]") {
  RestoreWorld world =
      at_age(a_restore_world(a_restore_session().phase("Pending").total_hosts(1).host(claimed("host-0", "web-1"))),
             seconds(30));
  CHECK(phase_of(after(world)) == "Running");
  world.session = a_restore_session().phase("Running").total_hosts(1).host("host-0", "Succeeded").json();
  const Json done = after(world);
  CHECK(phase_of(done) == "Succeeded");
  CHECK(done["status"]["sessionDuration"] == "30s");
  CHECK(events_of(plan_restore(world)) == Texts{"RestoreSessionSucceeded: 1 of 1 hosts restored"});
}

TEST_CASE("a restore says whether its target is there and carries the init container", "[controller][restore]") {
  RestoreWorld world = a_restore_world();
  CHECK(condition_of(after(world), "RestoreTargetFound") == "True TargetAvailable: Deployment demo/stash-demo exists");
  CHECK(condition_of(after(world), "StashInitContainerInjected") ==
        "True InitContainerInjectionSucceeded: the init container is in the pod template of Deployment "
        "demo/stash-demo");
  world.injected = "";
  world.target.workload->has_container = false;
  CHECK(condition_of(after(world), "StashInitContainerInjected") ==
        "Unknown InitContainerInjectionPending: waiting for the init container to be injected into Deployment "
        "demo/stash-demo");
  SECTION("the namespace has not opted in") {
    world.target.not_opted_in = "namespace demo has not opted in";
    CHECK(condition_of(after(world), "StashInitContainerInjected") ==
          "False NamespaceNotOptedIn: namespace demo has not opted in");
  }
  SECTION("there is no workload") {
    world.target.workload.reset();
    CHECK(condition_of(after(world), "RestoreTargetFound") ==
          "False TargetNotAvailable: Deployment demo/stash-demo does not exist; create it, or create a RestoreSession "
          "that names another");
    CHECK(condition_of(after(world), "StashInitContainerInjected") ==
          "False TargetNotAvailable: there is no workload to inject into");
  }
  SECTION("one that failed keeps what was said of it") {
    world.session = failed_session().host(failed("host-0", "x")).json();
    CHECK(condition_of(after(world), "StashInitContainerInjected").empty());
  }
}

TEST_CASE("a failed restore says so, and that its pod tries again", "[controller][restore]") {
  const RestoreWorld world =
      a_restore_world(a_restore_session().phase("Running").total_hosts(1).host(failed("host-0", "no snapshot")));
  CHECK(condition_of(after(world), "Completed") ==
        "True Failed: host-0: no snapshot; a pod that waits for it tries again");
  CHECK(events_of(plan_restore(world)) ==
        Texts{"RestoreSessionFailedToExecute: host-0: no snapshot; a pod that waits for it tries again"});
}

TEST_CASE("a restore that has been tried often enough does not promise another try", "[controller][restore]") {
  RestoreWorld world =
      a_restore_world(a_restore_session().phase("Running").total_hosts(1).host(failed("host-0", "attempt 5 of 5")));
  world.session["status"]["stats"][0]["attempts"] = api::kRestoreAttempts;
  CHECK(condition_of(after(world), "Completed") == "True Failed: host-0: attempt 5 of 5");
}

TEST_CASE("a restore that failed before it got into the pod says that nothing was restored, and what to do",
          "[controller][restore]") {
  RestoreWorld world =
      a_restore_world(a_restore_session().phase("Pending").total_hosts(1).host(failed("host-0", "no Repository")));
  world.injected = "";
  CHECK(condition_of(after(world), "Completed") ==
        "True Failed: host-0: no Repository; nothing was restored: remove the cause, then delete this RestoreSession "
        "and create it again");
}

TEST_CASE("a message about a RestoreSession never asks to correct its spec, which cannot be changed",
          "[controller][restore]") {
  RestoreWorld world = a_restore_world();
  world.target.repository_found.reset();
  CHECK(condition_of(after(world), "Completed") ==
        "False RepositoryNotAvailable: Repository demo/repo does not exist; create it");
  world = a_restore_world();
  world.target.workload.reset();
  CHECK(condition_of(after(world), "Completed") ==
        "False TargetNotAvailable: Deployment demo/stash-demo does not exist; create it");
}

TEST_CASE("a restore whose place in the pod a newer one has taken is ended, so that only one of them writes",
          "[controller][restore]") {
  RestoreWorld world =
      a_restore_world(a_restore_session().phase("Running").total_hosts(1).host(claimed("host-0", "web-1")));
  world.injected = "another-restore";
  world.superseded_by = "another-restore";
  const std::string message =
      "superseded by RestoreSession demo/another-restore, which is newer and restores the same workload";
  const Json asked = after(world);
  CHECK(phase_of(asked) == "Running");
  CHECK(asked["status"]["reason"] == "Superseded");
  CHECK(host_of(asked)["phase"] == "Running");
  CHECK(host_of(asked)["claim"]["stop"] == message);

  // Its pod is gone without having given it back.
  world.session = asked;
  world.target.pods = std::vector{a_pod("web-2")};
  CHECK(phase_of(after(world)) == "Failed");

  // It has given it back.
  world.session = a_restore_session().phase("Running").total_hosts(1).host("host-0", "Pending").json();
  const Json ended = after(world);
  CHECK(phase_of(ended) == "Failed");
  CHECK(host_of(ended)["error"] == message);
  CHECK(condition_of(ended, "Completed") == "True Superseded: " + message);

  world.session = a_restore_session().phase("Running").total_hosts(1).host("host-0", "Succeeded").json();
  CHECK(phase_of(after(world)) == "Succeeded");
}

TEST_CASE("a restore offers no host while pods of another session use the volumes",
          "[controller][restore][F29][F44][I11][I13]") {
  RestoreWorld world = a_restore_world();
  world.used_by = "BackupSession demo/nightly";
  const Json waiting = after(world);
  CHECK(phase_of(waiting) == "Pending");
  CHECK_FALSE(waiting["status"].contains("stats"));
  CHECK(condition_of(waiting, "Completed") ==
        "False VolumesInUse: BackupSession demo/nightly still works on the volumes of this workload; waiting for its "
        "end");
  CHECK(plan_restore(world).look_again_in);
  world.session = waiting;
  world.used_by = "";
  CHECK(host_of(after(world))["phase"] == "Pending");
}

TEST_CASE("what spec.timeOut has ended while the volumes were in use stays Failed until a pod may take a host",
          "[controller][restore][F44][I6]") {
  RestoreWorld world =
      a_restore_world(a_restore_session().with([](api::RestoreSession& restore) { restore.spec.time_out = "10m"; }));
  world.used_by = "BackupSession demo/nightly";
  world.session = after(world);
  world.session = after(at_age(world, minutes(10)));
  CHECK(phase_of(world.session) == "Failed");
  CHECK(plan_restore(at_age(world, minutes(11))).writes.empty());
  world.used_by = "";
  SECTION("nor while it is not known whose hosts it has") {
    world.target.ref.kind = "DaemonSet";
    world.target.pods.reset();
    CHECK(phase_of(after(at_age(world, minutes(12)))) == "Failed");
  }
  SECTION("and is offered then") { CHECK(host_of(after(at_age(world, minutes(12))))["phase"] == "Pending"); }
}

TEST_CASE("a restore names the fields that it does not act on", "[controller][restore]") {
  RestoreWorld world = a_restore_world();
  CHECK(condition_of(after(world), "FieldsHonoured") == "True AllFieldsHonoured: every field of spec is acted on");
  world.session["spec"]["target"]["args"] = Json::array({"--verify"});
  world.session["spec"]["repositry"] = "x";
  CHECK(condition_of(after(world), "FieldsHonoured") ==
        "False FieldsIgnored: not acted on by this version: /spec/target/args; unknown, perhaps misspelt: "
        "/spec/repositry");
}

TEST_CASE("a failed restore goes back to Running when a pod takes it again, and may succeed", "[controller][restore]") {
  RestoreWorld world = a_restore_world(failed_session().host(claimed("host-0", "web-1")));
  world.session["status"]["sessionDuration"] = "5s";
  const Json running = after(world);
  CHECK(phase_of(running) == "Running");
  CHECK_FALSE(running["status"].contains("sessionDuration"));
  CHECK(condition_of(running, "Completed") == "False Running: a pod works on host-0");
  world.session = failed_session().host("host-0", "Succeeded").json();
  CHECK(phase_of(after(world)) == "Succeeded");
}

TEST_CASE("a restore that succeeded is never touched again", "[controller][restore]") {
  RestoreWorld world =
      a_restore_world(a_restore_session().phase("Succeeded").total_hosts(1).host("host-0", "Succeeded"));
  world.target.workload.reset();
  CHECK(plan_restore(at_age(world, hours(1000))) == Plan());
}

TEST_CASE("a restore that failed under an older Stash is left as it is: its application runs",
          "[controller][restore][F84][I13]") {
  const RestoreWorld world =
      a_restore_world(a_restore_session().phase("Failed").total_hosts(1).host(failed("host-0", "x")));
  CHECK(plan_restore(world) == Plan());
}

TEST_CASE("a restore says which volumes each pod has for itself", "[controller][restore]") {
  RestoreWorld world = a_restore_world();
  world.target.remarks = {
      {inject::Reason::volume_not_shared, "RestoreSession demo/app-restore", "each pod has its own"}};
  CHECK(condition_of(after(world), "FieldsHonoured") == "False FieldsIgnored: each pod has its own");
}

TEST_CASE("a restore that nobody takes fails with its cause", "[controller][restore]") {
  RestoreWorld world = a_restore_world(a_restore_session().phase("Pending").total_hosts(1).host("host-0", "Pending"));
  world.target.secret = Presence::absent;
  world.session = after(world);
  CHECK(phase_of(world.session) == "Pending");
  CHECK(host_of(after(at_age(world, seconds(20))))["error"] ==
        "Secret demo/repo-secret of Repository demo/repo does not exist; create it with the key RESTIC_PASSWORD");
}

TEST_CASE("the host of a vanished restoring pod is free again", "[controller][restore]") {
  RestoreWorld world =
      a_restore_world(a_restore_session().phase("Running").total_hosts(1).host(claimed("host-0", "web-0")));
  CHECK(phase_of(after(world)) == "Pending");
  CHECK(condition_of(after(world), "RestoreDisrupted") ==
        "True PodGone: host-0: pod web-0 is gone before it was done; another pod takes over");
}

TEST_CASE("spec.timeOut fails a restore once; a later try may still succeed", "[controller][restore][F44][I6][I13]") {
  const auto session = a_restore_session()
                           .phase("Running")
                           .total_hosts(1)
                           .host(claimed("host-0", "web-1"))
                           .with([](api::RestoreSession& restore) { restore.spec.time_out = "10m"; });
  RestoreWorld world = a_restore_world(session);
  CHECK(phase_of(after(at_age(world, minutes(9)))) == "Running");
  const std::string message = "it did not end within spec.timeOut, 10m0s";
  SECTION("when its pod, which is asked to stop, has given the host back") {
    world.session = after(at_age(world, minutes(10)));
    CHECK(host_of(world.session)["claim"]["stop"] == message);
    CHECK(condition_of(world.session, "Completed") ==
          "False DeadlineExceeded: " + message + "; waiting for the pod that works on host-0");
    CHECK(phase_of(world.session) == "Running");
    world.session["status"]["stats"][0] = {{"hostname", "host-0"}, {"phase", "Pending"}, {"attempts", 1}};
    world.session = after(at_age(world, minutes(10) + seconds(20)));
  }
  SECTION("or does not within a minute") { world.session = after(at_age(world, minutes(11))); }
  CHECK(phase_of(world.session) == "Failed");
  CHECK(host_of(world.session)["error"] == message);
  world.session["status"]["stats"] = a_restore_session().host(claimed("host-0", "web-1")).json()["status"]["stats"];
  CHECK(phase_of(after(at_age(world, minutes(12)))) == "Running");
}

TEST_CASE("a RestoreSession that cannot be carried out is Invalid, with the reason", "[controller][restore]") {
  CHECK(complaint(a_restore_session().with([](api::RestoreSession& s) { s.spec.target.reset(); })) ==
        std::string(kInvalid) +
            "it has no target; set spec.target.ref (restores by a Task are not supported by this version); create a "
            "new one");
  CHECK(complaint(a_restore_session().with([](api::RestoreSession& s) { s.spec.driver = "VolumeSnapshotter"; })) ==
        std::string(kInvalid) +
            "the driver VolumeSnapshotter is not supported by this version; leave spec.driver out for Restic; create a "
            "new "
            "one");
  CHECK(complaint(a_restore_session().target({"apps/v1", "Job", "agent"})) ==
        std::string(kInvalid) + "its target Job agent of apps/v1 is not supported by this version; supported: " +
            api::workload_kind_names() + "; create a new one");
  CHECK(complaint(a_restore_session().with([](api::RestoreSession& s) {
          s.spec.pre_restore = api::Hook{.exec = api::ExecAction{.command = {"sync"}}};
        })) ==
        std::string(kInvalid) +
            "spec.hooks.preRestore.exec cannot be run: the application's containers start after the restore; create a "
            "new one");
  CHECK(complaint(a_restore_session().rules({})) ==
        std::string(kInvalid) +
            "it has no rules, so nothing would be restored; set spec.rules[0].paths; create a new one");
  CHECK(complaint(a_restore_session().rules({rule({}, {}, {})})) ==
        std::string(kInvalid) +
            "rule[0] has neither paths nor snapshots, so it would restore nothing; create a new one");
  CHECK(complaint(a_restore_session().rules({rule({}, {"abc"}, {"/data"})})) ==
        std::string(kInvalid) + "rule[0] has both paths and snapshots; only one of them is possible; create a new one");
  CHECK(complaint(a_restore_session().rules({rule({}, {}, {"/a"}), rule({}, {}, {"/b"})})) ==
        std::string(kInvalid) +
            "rule[0] and rule[1] both have no targetHosts; only one rule can be for all others; create a new one");
  CHECK(complaint(a_restore_session().rules({rule({"host-0"}, {}, {"/a"}), rule({"host-0"}, {}, {"/b"})})) ==
        std::string(kInvalid) + "rule[0] and rule[1] both name the host host-0; create a new one");
  CHECK(complaint(a_restore_session().rules({rule({"host-7"}, {}, {"/a"})})) ==
        std::string(kInvalid) +
            "no rule is for host-0, the host of its target; leave rules[0].targetHosts out, or name host-0 there; "
            "create a "
            "new one");
}

TEST_CASE("a deleted RestoreSession that cannot be read loses the finalizer of older Stash",
          "[controller][restore][F84][I6]") {
  RestoreWorld world = a_restore_world(a_restore_session().being_deleted().finalizer("stash.appscode.com"));
  world.session["spec"]["repository"]["namespace"] = "other";
  const Plan plan = plan_restore(world);
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].body["metadata"]["finalizers"] == Json::array());
}

TEST_CASE("a RestoreSession of which every attempt would fail is Invalid before it stops the application",
          "[controller][restore]") {
  const auto complaint_of = [](auto change) { return complaint(a_restore_session().with(change)); };
  const auto with_rule = [](api::RestoreRule rule) { return complaint(a_restore_session().rules({std::move(rule)})); };
  CHECK(with_rule(rule({}, {}, {"/source/data/a", "/source/database"})) ==
        std::string(kInvalid) +
            "rule[0] names the path /source/database, which lies in none of the volumes of spec.target.volumeMounts "
            "(/source/data); correct the path, or mount the volume where it was when it was backed up; create a new "
            "one");
  CHECK(with_rule(rule({}, {}, {"source/data"})) ==
        std::string(kInvalid) + "rule[0] names the path \"source/data\", which is not absolute; create a new one");
  CHECK(with_rule({{}, "", {}, {"/source/data"}, {"*.sql"}, {"*.tmp"}}) ==
        std::string(kInvalid) +
            "rule[0] has both include and exclude, of which restic takes only one; create a new one");
  CHECK(complaint_of([](api::RestoreSession& s) { s.spec.target->volume_mounts.clear(); }) ==
        std::string(kInvalid) +
            "spec.target.volumeMounts is empty, so nothing would reach the workload; name the volumes to restore into, "
            "where they were when they were backed up; create a new one");
  CHECK(complaint_of([](api::RestoreSession& s) {
          s.spec.post_restore = api::Hook{.tcp_socket = api::TcpAction{"mysql", "db"}};
        }) ==
        std::string(kInvalid) +
            "spec.hooks.postRestore.tcpSocket.port: \"mysql\" is no number from 1 to 65535; the container's names of "
            "ports are not known here, so give the number; create a new one");
}

TEST_CASE("a path at, below or above a volume of the RestoreSession can be restored", "[controller][restore]") {
  for (const char* path : {"/source/data", "/source//data/", "/source/data/sub", "/source", "/"}) {
    CAPTURE(path);
    CHECK(phase_of(after(a_restore_world(a_restore_session().rules({rule({}, {}, {path})})))) == "Pending");
  }
}

TEST_CASE("a RestoreSession that pods have begun by the rules of an earlier release is not made Invalid",
          "[controller][restore][F84][I13]") {
  const auto impossible = [](RestoreSessionBuilder session) {
    return a_restore_world(session.rules({rule({}, {}, {"/elsewhere"})}));
  };
  CHECK(phase_of(after(impossible(a_restore_session()))) == "Invalid");
  CHECK(phase_of(after(impossible(a_restore_session().phase("Pending").host("host-0", "Pending")))) == "Invalid");
  api::HostStats begun{"host-0", "Pending", {}, {}, "", ""};
  begun.attempts = 1;
  CHECK(phase_of(after(impossible(a_restore_session().phase("Pending").total_hosts(1).host(begun)))) == "Pending");
  api::HostStats at_work = claimed("host-0", "web-1");
  at_work.attempts = 1;
  CHECK(phase_of(after(impossible(a_restore_session().phase("Running").total_hosts(1).host(at_work)))) == "Running");
  CHECK(phase_of(after(impossible(failed_session().host(failed("host-0", "x"))))) == "Failed");
}

TEST_CASE("a restore by jobs is Invalid", "[controller][restore]") {
  RestoreWorld world = a_restore_world();
  world.session["spec"]["target"]["replicas"] = 3;
  CHECK(phase_of(after(world)) == "Invalid");
}

TEST_CASE("the plan after a restore's plan writes nothing", "[controller][restore]") {
  std::vector<RestoreWorld> worlds;
  for (const char* phase : {"", "Pending", "Running", "Failed", "Succeeded"}) {
    for (const char* host : {"", "Pending", "Running", "Failed", "Succeeded"}) {
      auto session = phase == std::string("Failed") ? failed_session() : a_restore_session().phase(phase);
      if (*host)
        session.host(std::string(host) == "Running" ? claimed("host-0", "web-1")
                                                    : api::HostStats{"host-0", host, {}, {}, "", ""});
      for (const seconds age : {seconds(1), seconds(20), seconds(3600), seconds(100000)}) {
        worlds.push_back(at_age(a_restore_world(session), age));
        worlds.push_back(worlds.back());
        worlds.back().target.repository_found.reset();
        worlds.push_back(worlds.back());
        worlds.back().target.pods = std::vector<PodFacts>{};
      }
    }
  }
  for (RestoreWorld& world : worlds) {
    world.session = after(world);
    INFO(dump_json(world.session) << render_plan(plan_restore(world)));
    CHECK(plan_restore(world).empty());
  }
}
