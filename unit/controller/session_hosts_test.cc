#include "controller/session_hosts.h"

#include <catch2/catch.hpp>

#include "api/backup_session_host.h"
#include "api/codec.h"
#include "controller/session_phase.h"
#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

constexpr int kMany = static_cast<int>(api::kHostsInSession) + 1;

/// A session of many hosts, in a store of its own: the writes of each look are carried out there.
struct Large {
  Json session = a_backup_session().json();
  std::map<std::string, Json> objects;
  SessionWorld world = a_session_world();
  Plan plan;

  explicit Large(int hosts = kMany) {
    world.target.ref.kind = "StatefulSet";
    world.configuration->spec.target->ref.kind = "StatefulSet";
    world.target.workload->replicas = hosts;
    world.may_have_host_objects = true;
    world.target.pods = std::vector<PodFacts>{};
    for (int i = 0; i < hosts; ++i) world.target.pods->push_back(a_pod(fmt::format("stash-demo-{}", i)));
  }

  void look(seconds age = seconds(60)) {
    world.now = kCreated + age;
    world.host_objects.clear();
    for (const auto& [name, object] : objects) world.host_objects.push_back(std::make_shared<const Json>(object));
    world.session = with_host_objects(session, world.host_objects);
    plan = plan_session(world);
    carry_out(plan, api::kBackupSessions, session);
    for (const Write& write : plan.writes) {
      if (write.resource != api::kBackupSessionHosts) continue;
      Json& object = objects[write.ref.name];
      if (write.verb == Write::Verb::create) {
        REQUIRE(object.is_null());
        object = write.body;
        object["metadata"]["resourceVersion"] = "1";
      } else {
        REQUIRE(write.body["metadata"]["resourceVersion"] == object["metadata"]["resourceVersion"]);
        Json patch = write.body;
        patch.erase("metadata");
        object.merge_patch(patch);
      }
    }
  }

  Json& entry(const std::string& host) {
    const std::string uid = string_at(session, {"metadata", "uid"}), name = string_at(session, {"metadata", "name"});
    return objects.at(api::host_object_name(name, uid, host))["status"]["stats"][0];
  }
  void ends(const std::string& host, const std::string& phase, const std::string& error = "") {
    const std::string pod = "stash-demo-" + host.substr(host.rfind('-') + 1);
    entry(host) = {{"hostname", host}, {"phase", phase}, {"claim", {{"podName", pod}, {"podUID", "uid-" + pod}}}};
    if (!error.empty()) entry(host)["error"] = error;
  }
  void all_end(const std::string& phase) {
    for (int i = 0; i < static_cast<int>(world.target.workload->replicas); ++i) ends(fmt::format("host-{}", i), phase);
  }
  void upkeep_ends(const std::string& phase, const std::string& error = "") {
    Json& upkeep = entry("");
    upkeep["phase"] = phase;
    upkeep["error"] = error;
  }
  std::string completed() const { return condition_of(session, "Completed"); }
};

}  // namespace

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
  large.entry("")["phase"] = "Running";
  large.entry("")["claim"] = {{"podName", "stash-demo-0"}, {"podUID", "uid-stash-demo-0"}};
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
    large.entry("")["phase"] = "Running";
    large.entry("")["claim"] = {{"podName", "stash-demo-0"}, {"podUID", "uid-stash-demo-0"}};
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
  CHECK_THAT(condition_of(large.session, "RetentionPolicyApplied"), Catch::Contains(why));
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
