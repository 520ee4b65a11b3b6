#include "controller/session_upkeep.h"

#include <catch2/catch.hpp>

#include "unit/controller/large_session.h"

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

TEST_CASE("nothing is kept of the repository's upkeep when no host has succeeded", "[controller][session][I11]") {
  Large large;
  large.look();
  large.all_end("Failed");
  large.look();
  CHECK(phase_of(large.session) == "Failed");
  CHECK(large.objects.size() == kMany);
}

TEST_CASE("the upkeep goes to another host when the pod that had it is gone, and its locks are known to be dead",
          "[controller][session][F9][I6][I12]") {
  Large large;
  large.look();
  large.all_end("Succeeded");
  large.look();
  large.upkeep_begins();
  large.look();
  CHECK(large.session["status"]["upkeepHost"] == "host-0");
  large.world.target.pods->erase(large.world.target.pods->begin());
  large.look();
  CHECK(large.session["status"]["upkeepHost"] == "host-1");
  CHECK(large.entry("") == Json({{"hostname", "host-1"}, {"phase", "Pending"}}));
  CHECK(large.session["status"]["lostPods"][0]["podUID"] == "uid-stash-demo-0");
}

TEST_CASE("an upkeep that fails, that nobody takes or that stalls fails no host, and says so",
          "[controller][session][I6][I8]") {
  Large large;
  large.world.configuration->spec.retention_policy.keep_last = 1;
  large.look();
  large.all_end("Succeeded");
  large.look();
  std::string why;
  SECTION("failed") {
    large.upkeep_ends("Failed", "the repository is locked");
    large.look();
    why = "host-0: the repository is locked";
  }
  SECTION("nobody takes it") {
    large.look(seconds(60) + large.world.limits.claim);
    why = "no pod took the upkeep";
  }
  SECTION("it stalls") {
    large.upkeep_begins();
    large.world.upkeep_silent_for = large.world.limits.stall;
    large.look();
    why = "host-0 showed no progress";
  }
  SECTION("all pods are gone") {
    large.world.target.pods = std::vector<PodFacts>{};
    large.look();
    why = "no pod was left";
  }
  CHECK(phase_of(large.session) == "Succeeded");
  CHECK_THAT(large.retention(), Catch::Contains(why));
}

TEST_CASE("the upkeep is told how many hosts are missing, so that it leaves their snapshots alone",
          "[controller][session][F28][I11]") {
  WithoutOne large;
  const Json upkeep = large.objects.at(api::host_object_ref(large.session, "").name)["spec"]["upkeep"];
  CHECK(upkeep["backedUp"].size() == kMany);
  CHECK(upkeep["leftAlone"].empty());
  CHECK(upkeep["unnamed"] == 1);
}

TEST_CASE("a node without a pod is waited for before the upkeep, and not again after it", "[controller][session][I6]") {
  WithoutOne large;
  CHECK(large.completed().starts_with("False WaitingForUpkeep"));
  SECTION("it is done") {
    large.upkeep_ends("Succeeded");
    large.look(large.upkeep_offered + seconds(10));
  }
  SECTION("nobody takes it") {
    large.look(large.upkeep_offered + seconds(10));
    CHECK(large.plan.writes.empty());
    large.look(large.upkeep_offered + large.world.limits.claim);
    CHECK_THAT(large.retention(), Catch::Contains("no pod took the upkeep"));
  }
  CHECK(phase_of(large.session) == "Failed");
  CHECK(large.completed().starts_with("True NoPod: 1 more of the nodes"));
}

TEST_CASE("a session that ends while its upkeep goes on, or waits, takes it from the pod first",
          "[controller][session][F27][I6][I11]") {
  Large large;
  large.world.configuration->spec.time_out = "1h";
  large.world.configuration->spec.retention_policy.keep_last = 1;
  large.look();
  large.all_end("Succeeded");
  large.look();
  std::string phase = "Succeeded";
  SECTION("at its deadline") {
    large.upkeep_begins();
    large.look();
    large.look(hours(1) + seconds(1));
    CHECK_THAT(large.retention(), Catch::Contains("the time of the session was over"));
  }
  SECTION("when no pod takes it") { large.look(seconds(60) + large.world.limits.claim); }
  SECTION("when its configuration is deleted") {
    large.upkeep_begins();
    large.world.configuration.reset();
    large.look();
    phase = "Failed";
  }
  CHECK(phase_of(large.session) == phase);
  CHECK(string_at(large.entry(""), {"phase"}) == "Failed");
  CHECK_THAT(string_at(large.entry(""), {"error"}), Catch::Contains("the session ended before"));
  REQUIRE(large.plan.writes.size() == 2);
  CHECK(large.plan.writes.front().ref == api::host_object_ref(large.session, ""));
  CHECK(large.plan.writes.back().resource == api::kBackupSessions);
}

TEST_CASE("the upkeep goes to a pod without other work, and waits where all have some", "[controller][session][I6]") {
  Large large;
  large.look();
  large.all_end("Succeeded");
  large.world.target.busy = {{"uid-stash-demo-0", "nightly-1"}};
  large.look();
  CHECK(large.upkeep_host() == "host-1");
  for (const PodFacts& pod : *large.world.target.pods) large.world.target.busy[pod.uid] = "nightly-1";
  large.look(seconds(70));
  CHECK(large.upkeep_host() == "host-1");
  CHECK(large.completed() ==
        "False PodBusy: all hosts have ended; host-1 does the upkeep of the repository when its pod is done with "
        "session nightly-1");
  large.look(hours(2));
  CHECK(large.plan.writes.empty());
  SECTION("another is free first") {
    large.world.target.busy.erase("uid-stash-demo-4");
    large.look(hours(2));
    CHECK(large.upkeep_host() == "host-4");
    CHECK(large.entry("") == Json({{"hostname", "host-4"}, {"phase", "Pending"}}));
  }
  SECTION("its own is free, and has its time") {
    large.world.target.busy.clear();
    large.look(hours(2));
    large.look(hours(2) + seconds(10));
    CHECK(phase_of(large.session) == "Running");
    large.look(hours(2) + large.world.limits.claim);
    CHECK(phase_of(large.session) == "Succeeded");
  }
}

TEST_CASE("an upkeep that a stopped pod gave back goes to another, however long it went on",
          "[controller][session][F9][I6]") {
  Large large;
  large.look();
  large.all_end("Succeeded");
  large.look();
  large.upkeep_begins();
  large.look();
  large.look(minutes(25));
  large.entry("") = {{"hostname", "host-0"}, {"phase", "Pending"}};
  SECTION("where its pod is gone") {
    large.world.target.pods->erase(large.world.target.pods->begin());
    large.look(minutes(25));
    CHECK(large.upkeep_host() == "host-1");
  }
  SECTION("or to the same, where it is not") {
    large.look(minutes(25));
    CHECK(large.upkeep_host() == "host-0");
  }
  CHECK(phase_of(large.session) == "Running");
  CHECK(large.completed().starts_with("False WaitingForUpkeep"));
}

TEST_CASE("a thaw that failed is told once, when the session ends", "[controller][session][I6][I20]") {
  Large large;
  large.look();
  large.all_end("Succeeded");
  large.ends("host-3", "Failed", "it stalled");
  large.entry("host-3")["hook"] = {{"action", "postBackup"}, {"phase", "Failed"}, {"error", "exit code 1"}};
  large.look();
  large.look();
  CHECK(large.plan.writes.empty());
  large.upkeep_ends("Succeeded");
  large.look();
  CHECK(large.completed() ==
        "True Failed: host-3: it stalled; the hook postBackup, run by the controller, failed: exit code 1");
}
