#include "controller/session_hosts.h"

#include <catch2/catch.hpp>

#include "api/codec.h"
#include "controller/session_results.h"
#include "unit/controller/large_session.h"

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

TEST_CASE("the hosts of a session of many hosts become objects that it owns, before it says so",
          "[controller][session]") {
  Large large;
  large.look();
  REQUIRE(large.objects.size() == kMany);
  CHECK(large.session["status"]["hostObjects"] == true);
  CHECK(large.session["status"]["totalHosts"] == kMany);
  CHECK_FALSE(large.session["status"].contains("stats"));
  CHECK_FALSE(large.session["status"].contains("targets"));
  CHECK(large.plan.writes.back().resource == api::kBackupSessions);
  const auto host = api::decode<api::BackupSessionHost>(large.objects.begin()->second);
  REQUIRE(host);
  CHECK(host->spec.session_uid == string_at(large.session, {"metadata", "uid"}));
  CHECK(host->metadata.owners.front().name == "app-backup-1700000000");
  CHECK(host->status.stats.front().phase == "Pending");
  CHECK(host->status.stats.front().hostname == host->spec.hostname);
}

TEST_CASE("a session of many hosts has objects for them although most have no name at first",
          "[controller][session][F24][I6]") {
  Large large;
  large.world.target.ref.kind = "DaemonSet";
  large.world.configuration->spec.target->ref.kind = "DaemonSet";
  large.world.target.workload->wanted_nodes = kMany;
  for (PodFacts& pod : *large.world.target.pods) pod.node = pod.name;
  const auto all = std::exchange(*large.world.target.pods, {a_pod("stash-demo-0")});
  large.world.target.pods->front().node = "stash-demo-0";
  large.look();
  CHECK(large.session["status"]["hostObjects"] == true);
  CHECK(large.objects.size() == 1);
  large.world.target.pods = all;
  large.look();
  CHECK(large.objects.size() == kMany);
}

TEST_CASE("a session of few hosts keeps them, and so does every session where the kind is not served",
          "[controller][session]") {
  Large few(static_cast<int>(api::kHostsInSession));
  few.look();
  CHECK(few.objects.empty());
  CHECK(few.session["status"]["stats"].size() == api::kHostsInSession);
  Large unserved;
  unserved.world.may_have_host_objects = false;
  unserved.look();
  CHECK(unserved.objects.empty());
  CHECK(unserved.session["status"]["stats"].size() == kMany);
}

TEST_CASE("when the controller died while it made the hosts, the missing ones are made and none twice",
          "[controller][session][F2][I6][I7]") {
  Large large;
  const Json fresh = large.session;
  large.look();
  large.session = fresh;
  large.objects.erase(large.objects.begin());
  large.look();
  CHECK(large.objects.size() == kMany);
  CHECK(large.session["status"]["hostObjects"] == true);
}

TEST_CASE("when the controller died while it made the hosts, the others are missing until they can be named",
          "[controller][session][F2][F20][I5][I11]") {
  Large large;
  const Json fresh = large.session;
  large.look();
  large.session = fresh;
  large.objects.erase(large.objects.begin());
  large.objects.erase(large.objects.begin());
  const auto workload = std::exchange(large.world.target.workload, std::nullopt);
  large.look();
  for (auto& [name, object] : large.objects) object["status"]["stats"][0]["phase"] = "Succeeded";
  large.look();
  CHECK(phase_of(large.session) == "Running");
  large.world.target.workload = workload;
  large.look();
  CHECK(large.objects.size() == kMany);
}

TEST_CASE("progress of hosts is told in the session without their entries, and nothing is written when nothing changed",
          "[controller][session]") {
  Large large;
  large.look();
  large.ends("host-0", "Succeeded");
  large.ends("host-1", "Running");
  large.look();
  CHECK(phase_of(large.session) == "Running");
  CHECK(large.session["status"]["progress"]["hosts"] == fmt::format("1/{}", kMany));
  CHECK_FALSE(large.session["status"].contains("stats"));
  large.look();
  CHECK(large.plan.writes.empty());
}

TEST_CASE("a session of many hosts ends when its hosts and the upkeep of the repository have ended, with all results",
          "[controller][session][I5]") {
  Large large;
  large.look();
  large.all_end("Succeeded");
  large.ends("host-3", "Failed", "wrong password");
  large.look();
  CHECK(phase_of(large.session) == "Running");
  CHECK(large.session["status"]["upkeepHost"] == "host-0");
  const Json upkeep = large.objects.at(api::host_object_ref(large.session, "").name)["spec"]["upkeep"];
  CHECK(upkeep["backedUp"].size() == kMany - 1);
  CHECK(upkeep["leftAlone"] == Json({"host-3"}));
  large.upkeep_ends("Succeeded");
  large.look();
  CHECK(phase_of(large.session) == "Failed");
  CHECK(large.session["status"]["stats"].size() == kMany);
  CHECK(large.completed() == "True Failed: host-3: wrong password");
  CHECK_FALSE(large.session["status"]["targets"][0].contains("stats"));
}

TEST_CASE("a deadline ends the hosts first, so that no late result of one is lost",
          "[controller][session][F7][I6][I7]") {
  Large large;
  large.world.configuration->spec.time_out = "10m";
  large.look();
  large.all_end("Succeeded");
  large.ends("host-2", "Running");
  large.look();
  large.look(minutes(11));
  CHECK(phase_of(large.session) == "Running");
  CHECK(string_at(large.entry("host-2"), {"phase"}) == "Failed");
  large.look(minutes(11));
  CHECK(phase_of(large.session) == "Failed");
  CHECK(condition_of(large.session, "DeadlineExceeded").starts_with("True"));
}

TEST_CASE("the host of a pod that is gone is given back in its own object", "[controller][session][F9][I6][I7]") {
  Large large;
  large.look();
  large.ends("host-4", "Running");
  large.world.target.pods->erase(large.world.target.pods->begin() + 4);
  large.look();
  CHECK(string_at(large.entry("host-4"), {"phase"}) == "Pending");
  CHECK_FALSE(large.entry("host-4").contains("claim"));
}

TEST_CASE("the object of a host has another name in a session that was made anew", "[api][F22][I7]") {
  CHECK(api::host_object_name("nightly", "uid-1", "host-0") != api::host_object_name("nightly", "uid-2", "host-0"));
  CHECK(api::host_object_name(std::string(253, 'a'), "uid", "node").size() == 253);
}

TEST_CASE("the results of a session are without what pods and controller told one another", "[controller][session]") {
  Large large;
  large.look();
  large.all_end("Failed");
  large.entry("host-0")["snapshots"] = {{{"name", "c4aff7e4"}, {"path", "/data"}}};
  large.look();
  CHECK(
      host_of(large.session) ==
      Json({{"hostname", "host-0"}, {"phase", "Failed"}, {"snapshots", {{{"name", "c4aff7e4"}, {"path", "/data"}}}}}));
  CHECK(condition_of(large.session, "ResultsShortened").empty());
}

TEST_CASE("a session of thousands of hosts has room for its results in one object, and says what it leaves out",
          "[controller][session][F24][I6]") {
  const auto [phase, left_out] = GENERATE(table<std::string, std::string>(
      {{"Succeeded", "the snapshots of those that succeeded are not listed, and errors are cut after 200 characters"},
       {"Failed", "no snapshots and durations are listed, and errors are cut after 60 characters"}}));
  Large large(5000);
  large.look();
  large.all_end(phase);
  Json snapshots = Json::array();
  for (int i = 0; i < 5; ++i)
    snapshots.push_back({{"name", "c4aff7e4"}, {"path", fmt::format("/data/of/path-{}", i)}, {"totalSize", "1.5 GiB"}});
  for (auto& [name, object] : large.objects) {
    Json& entry = object["status"]["stats"][0];
    entry["duration"] = "1h2m3.4s";
    entry["snapshots"] = snapshots;
    if (phase == "Failed") entry["error"] = std::string(600, 'x');
  }
  large.look();
  if (phase == "Succeeded") {
    large.upkeep_ends("Succeeded");
    large.look();
  }
  CHECK(phase_of(large.session) == phase);
  CHECK(large.session["status"]["stats"].size() == 5000);
  CHECK(dump_json(large.plan.writes.back().body).size() < 1'000'000);
  CHECK(condition_of(large.session, "ResultsShortened") ==
        "True TooLarge: the results of 5000 hosts have no room in one object: " + left_out);
}

TEST_CASE("conditions take of the room that a session has for its results", "[controller][session][F24][I6]") {
  Json stats = Json::array();
  for (int i = 0; i < 1000; ++i) {
    stats.push_back({{"hostname", fmt::format("node-{}", i)}, {"phase", "Failed"}, {"error", std::string(600, 'x')}});
  }
  CHECK(results_that_fit(stats, {}).left_out.empty());
  CHECK_FALSE(results_that_fit(stats, {{"RetentionPolicyApplied", "True", "", std::string(600'000, 'x'), 0, {}}})
                  .left_out.empty());
}

TEST_CASE("objects of a session that keeps its hosts itself are not its hosts", "[controller][session][F20][I6]") {
  Large large;
  large.look();
  Json session = a_backup_session().stamped().json();
  CHECK(hosts_among(session, large.world.host_objects).empty());
}

TEST_CASE("a node that joins late and gets no object stays without a name, and the session ends with the reason",
          "[controller][session][F20][I6]") {
  WithoutOne large;
  large.upkeep_ends("Succeeded");
  PodFacts late = a_pod("stash-demo-late");
  late.node = "node-late";
  large.world.target.pods->push_back(late);
  large.world.objects_refused = "create BackupSessionHost demo/x: exceeded quota";
  large.look(large.upkeep_offered + seconds(10));
  CHECK(large.completed() == "True AccessDenied: create BackupSessionHost demo/x: exceeded quota");
  CHECK(large.session["status"]["stats"].size() == kMany);
}
