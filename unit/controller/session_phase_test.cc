#include "controller/session_phase.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Texts = std::vector<std::string>;

/// The session after the plan of its world has been carried out.
Json after(const SessionWorld& world) {
  Json session = world.session;
  carry_out(plan_session(world), api::kBackupSessions, session);
  return session;
}

SessionWorld at_age(SessionWorld world, seconds age) {
  world.now = kCreated + age;
  return world;
}

/// A world in which the session can go on, for sessions that exist since ten seconds.
SessionWorld running_world(const BackupSessionBuilder& session) {
  return at_age(a_session_world(session), seconds(60));
}

}  // namespace

TEST_CASE("a new session is stamped with the host that its target has, as Pending", "[controller][session]") {
  const SessionWorld world = a_session_world();
  const Json session = after(world);
  CHECK(phase_of(session) == "Pending");
  CHECK(session["status"]["totalHosts"] == 1);
  CHECK(host_of(session) == Json({{"hostname", "host-0"}, {"phase", "Pending"}}));
  CHECK(condition_of(session, "Completed") == "False WaitingForClaim: waiting for a pod to take host-0");
  CHECK(events_of(plan_session(world)) == Texts{"BackupSessionJobCreated: waiting for a pod to back up host-0"});
}

TEST_CASE("a claimed host makes its session Running", "[controller][session]") {
  auto session = a_backup_session().phase("Pending").total_hosts(1).host(claimed("host-0", "web-1"));
  const Json done = after(running_world(session));
  CHECK(phase_of(done) == "Running");
  CHECK(host_of(done)["claim"]["podName"] == "web-1");
  CHECK(condition_of(done, "Completed") == "False Running: a pod works on host-0");
}

TEST_CASE("a session whose hosts all succeeded is Succeeded, with its duration", "[controller][session]") {
  const SessionWorld world = at_age(
      a_session_world(a_backup_session().phase("Running").total_hosts(1).host("host-0", "Succeeded")), seconds(65));
  const Json session = after(world);
  CHECK(phase_of(session) == "Succeeded");
  CHECK(session["status"]["sessionDuration"] == "1m5s");
  CHECK(condition_of(session, "Completed") == "True Succeeded: 1 of 1 hosts succeeded");
  CHECK(events_of(plan_session(world)) == Texts{"SuccessfulBackup: 1 of 1 hosts succeeded"});
  CHECK_FALSE(plan_session(world).look_again_in);
}

TEST_CASE("one failed host fails its session, but only when all hosts have ended", "[controller][session]") {
  auto session = a_backup_session().phase("Running").total_hosts(2).host(failed("host-0", "wrong password"));
  CHECK(phase_of(after(running_world(BackupSessionBuilder(session).host(claimed("host-1", "web-1"))))) == "Running");
  // Contract Q36: the one that reports last does not hide the failure of another.
  const SessionWorld world = running_world(session.host("host-1", "Succeeded"));
  CHECK(phase_of(after(world)) == "Failed");
  CHECK(events_of(plan_session(world)) == Texts{"BackupSessionFailedToExecute: host-0: wrong password"});
}

TEST_CASE("status.targets repeats finished hosts only, for readers that take any entry for a result",
          "[controller][session]") {
  const auto running = after(running_world(a_backup_session().stamped()));
  CHECK(running["status"]["targets"][0]["stats"] == Json::array());
  const auto done =
      after(running_world(a_backup_session().phase("Running").total_hosts(1).host("host-0", "Succeeded")));
  CHECK(done["status"]["targets"] ==
        Json::array({{{"ref", {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", "stash-demo"}}},
                      {"totalHosts", 1},
                      {"phase", "Succeeded"},
                      {"stats", {{{"hostname", "host-0"}, {"phase", "Succeeded"}}}}}}));
}

TEST_CASE("fields of a host that this version does not know survive", "[controller][session]") {
  SessionWorld world =
      running_world(a_backup_session().phase("Running").total_hosts(1).host(claimed("host-0", "web-9")));
  world.session["status"]["stats"][0]["fromTheFuture"] = 7;
  const Json session = after(world);
  CHECK(host_of(session)["phase"] == "Pending");
  CHECK(host_of(session)["fromTheFuture"] == 7);
}

TEST_CASE("a session made by hand gets both label sets and its owner before its hosts are offered",
          "[controller][session]") {
  auto by_hand = a_backup_session("by-hand").with([](api::BackupSession& session) {
    session.metadata.labels = {{"mine", "yes"}};
    session.spec.backup_configuration = "";
  });
  const SessionWorld world = a_session_world(by_hand);
  const Plan plan = plan_session(world);
  REQUIRE(plan.writes.size() == 2);
  CHECK(plan.writes[0].subresource.empty());
  const Json session = after(world);
  CHECK(session["metadata"]["labels"] == Json({{"mine", "yes"},
                                               {"app.kubernetes.io/component", "stash-backup"},
                                               {"app.kubernetes.io/managed-by", "stash.appscode.com"},
                                               {"stash.appscode.com/backup-configuration", "app-backup"},
                                               {"stash.appscode.com/invoker-type", "BackupConfiguration"},
                                               {"stash.appscode.com/invoker-name", "app-backup"}}));
  CHECK(session["metadata"]["ownerReferences"] == Json::array({{{"apiVersion", "stash.appscode.com/v1beta1"},
                                                                {"kind", "BackupConfiguration"},
                                                                {"name", "app-backup"},
                                                                {"uid", "uid-app-backup"},
                                                                {"blockOwnerDeletion", false}}}));
  CHECK(phase_of(session) == "Pending");
}

TEST_CASE("an owner that somebody else put on a session stays", "[controller][session]") {
  SessionWorld world = a_session_world();
  world.session["metadata"]["ownerReferences"] = {{{"kind", "Other"}, {"name", "x"}, {"uid", "u"}}};
  CHECK(after(world)["metadata"]["ownerReferences"].size() == 2);
}

TEST_CASE("a session of a BackupBatch is left alone", "[controller][session]") {
  auto session = a_backup_session().with([](api::BackupSession& batch) { batch.spec.invoker_kind = "BackupBatch"; });
  CHECK(plan_session(a_session_world(session)) == Plan());
}

TEST_CASE("a session whose names contradict one another fails and says which", "[controller][session]") {
  auto session = a_backup_session().with([](api::BackupSession& both) { both.spec.invoker_name = "other"; });
  SessionWorld world = a_session_world(session);
  world.configuration.reset();
  const Plan plan = plan_session(world);
  CHECK(phase_of(after(world)) == "Failed");
  REQUIRE(plan.notes.size() == 1);
  CHECK(plan.notes[0].warning);
  CHECK(plan.notes[0].message.find("other") != std::string::npos);
  CHECK(plan.notes[0].message.find("app-backup") != std::string::npos);
}

TEST_CASE("a session that names nothing fails", "[controller][session]") {
  auto session = a_backup_session().with([](api::BackupSession& nothing) {
    nothing.spec = {};
    nothing.metadata.labels.clear();
  });
  CHECK(phase_of(after(a_session_world(session))) == "Failed");
}

TEST_CASE("a session whose BackupConfiguration does not exist fails after a grace", "[controller][session]") {
  SessionWorld world = a_session_world();
  world.configuration.reset();
  const Plan waiting = plan_session(world);
  CHECK(waiting.empty());
  CHECK(waiting.look_again_in == seconds(10));
  world = at_age(world, seconds(15));
  CHECK(phase_of(after(world)) == "Failed");
  CHECK(condition_of(after(world), "Completed") ==
        "True BackupConfigurationNotAvailable: BackupConfiguration demo/app-backup does not exist; create it, then "
        "create "
        "a new session");
}

TEST_CASE("a session of a BackupConfiguration that was made anew fails", "[controller][session][F22][I7]") {
  SessionWorld world = a_session_world();
  world.session["metadata"]["ownerReferences"] = {
      {{"kind", "BackupConfiguration"}, {"name", "app-backup"}, {"uid", "uid-of-the-old-one"}}};
  CHECK(phase_of(after(world)) == "Failed");
}

TEST_CASE("a paused BackupConfiguration skips a new session and leaves a running one alone",
          "[controller][session][F29][I7]") {
  SessionWorld world = a_session_world(a_backup_session(), a_backup_configuration().paused());
  const Json skipped = after(world);
  CHECK(phase_of(skipped) == "Skipped");
  CHECK(condition_of(skipped, "BackupSkipped") ==
        "True Paused: BackupConfiguration demo/app-backup is paused; set spec.paused to false to back up again");
  CHECK_FALSE(skipped["status"].contains("stats"));
  CHECK(
      events_of(plan_session(world)) ==
      Texts{"BackupSessionSkipped: BackupConfiguration demo/app-backup is paused; set spec.paused to false to back up "
            "again"});
  world.session = a_backup_session().phase("Running").total_hosts(1).host(claimed("host-0", "web-1")).json();
  CHECK(phase_of(after(world)) == "Running");
}

TEST_CASE("a session that comes while an older one has not ended is Skipped and names it",
          "[controller][session][F29][I7][I8]") {
  SessionWorld world = a_session_world();
  world.siblings = {a_backup_session("older").created(kCreated - minutes(5)).phase("Running")};
  CHECK(phase_of(after(world)) == "Skipped");
  CHECK(condition_of(after(world), "BackupSkipped") ==
        "True SkippedTakingNewBackup: session older of the same BackupConfiguration has not ended yet");
  world.siblings = {a_backup_session("older").created(kCreated - minutes(5)).phase("Succeeded")};
  CHECK(phase_of(after(world)) == "Pending");
  world.siblings = {a_backup_session("younger").created(kCreated + minutes(5)).phase("Running")};
  CHECK(phase_of(after(world)) == "Pending");
  world.siblings = {a_backup_session("older").created(kCreated - minutes(5)).phase("Running").being_deleted()};
  CHECK(phase_of(after(world)) == "Pending");
}

TEST_CASE("of two sessions of the same second exactly one is skipped", "[controller][session][F29][I7]") {
  const auto a = a_backup_session("a"), b = a_backup_session("b");
  SessionWorld first = a_session_world(a), second = a_session_world(b);
  first.siblings = {b};
  second.siblings = {a};
  CHECK(phase_of(after(first)) == "Pending");
  CHECK(phase_of(after(second)) == "Skipped");
}

TEST_CASE("a configuration that no backup can follow fails its session at once", "[controller][session]") {
  const auto message = [](const BackupConfigurationBuilder& configuration) {
    return condition_of(after(a_session_world(a_backup_session(), configuration)), "Completed");
  };
  CHECK(
      message(a_backup_configuration().no_target()) ==
      "True Invalid: BackupConfiguration demo/app-backup has no target; set spec.target.ref (backups by a Task are not "
      "supported by this version)");
  CHECK(message(a_backup_configuration().target({"v1", "PersistentVolumeClaim", "db"})) ==
        "True Invalid: BackupConfiguration demo/app-backup targets PersistentVolumeClaim db of v1, which this version "
        "does not support; supported: " +
            api::workload_kind_names());
  CHECK(message(a_backup_configuration().with([](auto& c) { c.spec.driver = "Kopia"; })) ==
        "True Invalid: BackupConfiguration demo/app-backup has the driver Kopia, which this version does not support; "
        "remove spec.driver for Restic");
  CHECK(message(a_backup_configuration().paths({})) ==
        "True Invalid: BackupConfiguration demo/app-backup names nothing to back up; set spec.target.paths");
  CHECK(message(a_backup_configuration().time_out("soon")) ==
        "True Invalid: BackupConfiguration demo/app-backup has spec.timeOut \"soon\", which is no duration above zero "
        "such "
        "as 30m or 2h");
}

TEST_CASE("a missing Repository or Secret fails a session soon, not after the claim deadline",
          "[controller][session]") {
  SessionWorld world = a_session_world(a_backup_session().stamped());
  world.target.repository_found.reset();
  CHECK(phase_of(after(world)) == "Pending");
  const std::string message =
      "Repository demo/repo does not exist; create it, or correct spec.repository.name of BackupConfiguration "
      "demo/app-backup";
  CHECK(condition_of(after(world), "Completed") == "False RepositoryNotAvailable: " + message);
  world = at_age(world, seconds(15));
  CHECK(phase_of(after(world)) == "Failed");
  CHECK(host_of(after(world))["error"] == message);
  CHECK(events_of(plan_session(world)) ==
        Texts{"FailedHostBackup: host-0: " + message, "BackupSessionFailedToExecute: host-0: " + message});

  world = a_session_world(a_backup_session().stamped());
  world.target.secret = Presence::absent;
  CHECK(host_of(after(at_age(world, seconds(15))))["error"] ==
        "Secret demo/repo-secret of Repository demo/repo does not exist; create it with the key RESTIC_PASSWORD");
}

TEST_CASE("a session that nobody can take waits as Pending, then fails with cause and remedy",
          "[controller][session]") {
  SessionWorld world = a_session_world(a_backup_session().stamped());
  world.target.not_opted_in = "the namespace has not opted in";
  world.target.workload->has_container = false;
  const std::string message = "the namespace has not opted in";
  CHECK(condition_of(after(world), "Completed") == "False NamespaceNotOptedIn: " + message);
  CHECK(phase_of(after(at_age(world, minutes(9)))) == "Pending");
  CHECK(plan_session(at_age(world, minutes(9) + seconds(55))).look_again_in == seconds(5));
  CHECK(phase_of(after(at_age(world, minutes(10)))) == "Failed");
  CHECK(condition_of(after(at_age(world, minutes(10))), "Completed") == "True Failed: host-0: " + message);
}

TEST_CASE("a host that running pods do not take fails with a hint at their log", "[controller][session]") {
  const SessionWorld world = at_age(a_session_world(a_backup_session().stamped()), minutes(10));
  CHECK(host_of(after(world))["error"] ==
        "no pod took it within 10m0s although the container stash runs; see its log: kubectl -n demo logs "
        "deployment/stash-demo -c stash");
}

TEST_CASE("a host whose pod is gone is free again, and its wait starts anew", "[controller][session]") {
  const auto session = a_backup_session().phase("Running").total_hosts(1).host(claimed("host-0", "web-1"));
  SessionWorld world = at_age(a_session_world(session), minutes(30));
  world.target.pods = std::vector{a_pod("web-2")};
  const Json freed = after(world);
  CHECK(phase_of(freed) == "Pending");
  CHECK(host_of(freed) == Json({{"hostname", "host-0"}, {"phase", "Pending"}}));
  CHECK(condition_of(freed, "BackupDisrupted") ==
        "True PodGone: host-0: pod web-1 is gone before it was done; another pod takes over");

  world.session = freed;
  CHECK(phase_of(after(at_age(world, minutes(39)))) == "Pending");
  CHECK(phase_of(after(at_age(world, minutes(40)))) == "Failed");
}

TEST_CASE("pods that vanished with a host are told to those who meet their locks", "[controller][session][I12]") {
  SessionWorld world =
      running_world(a_backup_session().phase("Running").total_hosts(1).host(claimed("host-0", "web-1")));
  world.target.pods = std::vector<PodFacts>{};
  Json session = after(world);
  CHECK(session["status"]["lostPods"] ==
        Json::array({{{"podName", "web-1"}, {"podUID", "uid-web-1"}, {"heartbeatTime", "2023-11-14T22:13:20Z"}}}));
  SECTION("each once, the newest last, and not for ever") {
    for (int i = 0; i < 25; ++i) {
      const std::string pod = "web-" + std::to_string(i);
      session["status"]["stats"] = {
          {{"hostname", "host-0"}, {"phase", "Running"}, {"claim", {{"podName", pod}, {"podUID", "uid-" + pod}}}}};
      world.session = session;
      session = after(world);
    }
    CHECK(session["status"]["lostPods"].size() == 20);
    CHECK(session["status"]["lostPods"].back()["podUID"] == "uid-web-24");
  }
  SECTION("the name of a numbered pod comes back, so it is none to know one by") {
    world.target.ref.kind = "StatefulSet";
    CHECK(after(world)["status"]["lostPods"] ==
          Json::array({{{"podUID", "uid-web-1"}, {"heartbeatTime", "2023-11-14T22:13:20Z"}}}));
  }
  SECTION("not those that live") {
    world.target.pods = std::vector{a_pod("web-1")};
    CHECK_FALSE(after(world)["status"].contains("lostPods"));
  }
}

TEST_CASE("a pod that ended, or another pod of its name, has lost its claim", "[controller][session][F22][I7]") {
  SessionWorld world =
      running_world(a_backup_session().phase("Running").total_hosts(1).host(claimed("host-0", "web-1")));
  for (const PodFacts& pod :
       {PodFacts{"web-1", "uid-web-1", "Succeeded", false, ""}, PodFacts{"web-1", "uid-web-1", "Failed", false, ""},
        PodFacts{"web-1", "uid-of-a-later-one", "Running", true, ""}}) {
    world.target.pods = std::vector{pod};
    CHECK(phase_of(after(world)) == "Pending");
  }
}

TEST_CASE("no claim is given back while the pods are not known", "[controller][session]") {
  SessionWorld world =
      running_world(a_backup_session().phase("Running").total_hosts(1).host(claimed("host-0", "web-1")));
  world.target.pods.reset();
  CHECK(phase_of(after(world)) == "Running");
}

TEST_CASE("a living pod without a sign of progress for 15 minutes has stalled, and loses its claim",
          "[controller][session]") {
  SessionWorld world =
      running_world(a_backup_session().phase("Running").total_hosts(1).host(claimed("host-0", "web-1")));
  world.silent_for["host-0"] = minutes(15) - seconds(1);
  CHECK(phase_of(after(world)) == "Running");
  world.silent_for["host-0"] = minutes(15);
  CHECK(phase_of(after(world)) == "Failed");
  CHECK_FALSE(host_of(after(world)).contains("claim"));
}

TEST_CASE("spec.timeOut ends a session and names the silent host", "[controller][session][F3][I6]") {
  SessionWorld world =
      a_session_world(a_backup_session().phase("Running").total_hosts(1).host(claimed("host-0", "web-1")),
                      a_backup_configuration().time_out("30m"));
  CHECK(phase_of(after(at_age(world, minutes(29)))) == "Running");
  const Json session = after(at_age(world, minutes(30)));
  CHECK(phase_of(session) == "Failed");
  CHECK(condition_of(session, "DeadlineExceeded") ==
        "True DeadlineExceeded: it did not end within 30m0s; still running: host-0");
  CHECK_FALSE(host_of(session).contains("claim"));
}

TEST_CASE("without spec.timeOut a session ends after a day", "[controller][session]") {
  SessionWorld world =
      a_session_world(a_backup_session().phase("Running").total_hosts(1).host(claimed("host-0", "web-1")));
  CHECK(phase_of(after(at_age(world, hours(24) - seconds(1)))) == "Running");
  CHECK(phase_of(after(at_age(world, hours(24)))) == "Failed");
}

TEST_CASE("a session whose hosts succeeded before anyone looked is Succeeded even after its deadline",
          "[controller][session]") {
  const auto session = a_backup_session().phase("Running").total_hosts(1).host("host-0", "Succeeded");
  CHECK(phase_of(after(at_age(a_session_world(session), hours(48)))) == "Succeeded");
}

TEST_CASE("a finished session is never changed, whatever became of its world", "[controller][session]") {
  for (const char* phase : {"Succeeded", "Failed", "Skipped", "Unknown"}) {
    SessionWorld world = a_session_world(a_backup_session().phase(phase).total_hosts(1).host("host-0", "Running"));
    world.configuration.reset();
    CHECK(plan_session(at_age(world, hours(100))) == Plan());
  }
}

TEST_CASE("a finished session removes what is beyond the history limit", "[controller][session]") {
  SessionWorld world =
      a_session_world(a_backup_session().phase("Succeeded"), a_backup_configuration().history_limit(2));
  world.siblings = {a_backup_session("s1").created(kCreated - hours(1)).phase("Succeeded"),
                    a_backup_session("s2").created(kCreated - hours(2)).phase("Failed")};
  const Plan plan = plan_session(world);
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].verb == Write::Verb::remove);
  CHECK(plan.writes[0].ref == api::ObjectRef{"demo", "s2"});
  CHECK(plan.writes[0].uid == "uid-s2");
}

TEST_CASE("of a history that is far too long some sessions are removed at a time, and by the newest one only",
          "[controller][session][F24][I6]") {
  SessionWorld world = a_session_world(a_backup_session().phase("Succeeded"));
  for (int i = 1; i <= 500; ++i) {
    world.siblings.push_back(a_backup_session(fmt::format("s{}", i)).created(kCreated - minutes(i)).phase("Succeeded"));
  }
  CHECK(plan_session(world).writes.size() == 50);
  CHECK(plan_session(world).look_again_in == seconds(1));
  world.siblings.resize(50);
  CHECK(plan_session(world).writes.size() == 50);
  CHECK_FALSE(plan_session(world).look_again_in);
  world.followed = true;
  CHECK(plan_session(world).empty());
}

TEST_CASE("an unfinished session of an older Stash, started but without hosts, is taken over",
          "[controller][session]") {
  const Json session = after(a_session_world(a_backup_session().phase("Running").total_hosts(1)));
  CHECK(phase_of(session) == "Pending");
  CHECK(host_of(session)["phase"] == "Pending");
}

TEST_CASE("a session that is being deleted only loses the finalizer of older Stash", "[controller][session]") {
  const auto session = a_backup_session().being_deleted().finalizer("stash.appscode.com").finalizer("other");
  const Plan plan = plan_session(a_session_world(session));
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].body["metadata"]["finalizers"] == Json::array({"other"}));
}

TEST_CASE("a deleted session that cannot be read loses the finalizer of older Stash",
          "[controller][session][F84][I6]") {
  SessionWorld world = a_session_world(a_backup_session().being_deleted().finalizer("stash.appscode.com"));
  world.session["spec"]["invoker"]["name"] = 5;
  const Plan plan = plan_session(world);
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].body["metadata"]["finalizers"] == Json::array());
}

TEST_CASE("a session that cannot be read fails with the place of the mistake", "[controller][session]") {
  SessionWorld world = a_session_world();
  world.session["spec"]["invoker"]["name"] = 5;
  const Json session = after(world);
  CHECK(phase_of(session) == "Failed");
  CHECK(condition_of(session, "Completed").find("/spec/invoker/name") != std::string::npos);
}
