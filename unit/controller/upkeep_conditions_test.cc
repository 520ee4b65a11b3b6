#include "controller/upkeep_conditions.h"

#include <catch2/catch.hpp>

#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

api::Condition said(std::string type, std::string status, std::string reason, std::string message, seconds at) {
  return {std::move(type), std::move(status), std::move(reason), std::move(message), 0, kCreated + at};
}

api::HostStats host(std::string name, std::string phase, std::vector<api::Condition> conditions = {}) {
  api::HostStats stats;
  stats.hostname = std::move(name);
  stats.backed_up = phase == "Succeeded";
  stats.phase = std::move(phase);
  stats.conditions = std::move(conditions);
  return stats;
}

Json after(const std::vector<api::HostStats>& hosts,
           const BackupConfigurationBuilder& configuration = a_backup_configuration()) {
  auto session = a_backup_session().phase("Running").total_hosts(static_cast<int>(hosts.size()));
  for (const api::HostStats& one : hosts) session.host(one);
  SessionWorld world = a_session_world(session, configuration);
  world.now = kCreated + seconds(60);
  Json done = world.session;
  carry_out(plan_session(world), api::kBackupSessions, done);
  return done;
}

const api::Condition kFound =
    said("BackendRepositoryInitialized", "True", "BackendRepositoryFound", "there", seconds(30));

}  // namespace

TEST_CASE("what a pod tells of the repository becomes conditions of the session", "[controller][upkeep]") {
  const Json session = after(
      {host("host-0", "Succeeded",
            {kFound, said("RetentionPolicyApplied", "True", "SuccessfullyAppliedRetentionPolicy", "done", seconds(30)),
             said("RepositoryIntegrityVerified", "False", "FailedToVerifyRepositoryIntegrity", "damage", seconds(30)),
             said("RepositoryMetricsPushed", "True", "SuccessfullyPushedRepositoryMetrics", "pushed", seconds(30))})});
  CHECK(condition_of(session, "BackendRepositoryInitialized") == "True BackendRepositoryFound: there");
  CHECK(condition_of(session, "RetentionPolicyApplied") == "True SuccessfullyAppliedRetentionPolicy: done");
  CHECK(condition_of(session, "RepositoryIntegrityVerified") == "False FailedToVerifyRepositoryIntegrity: damage");
  CHECK(condition_of(session, "RepositoryMetricsPushed") == "True SuccessfullyPushedRepositoryMetrics: pushed");
  // Readers of targets[] know nothing of how they got here.
  CHECK_FALSE(session["status"]["targets"][0]["stats"][0].contains("conditions"));
  CHECK_FALSE(session["status"]["targets"][0]["stats"][0].contains("backedUp"));
}

TEST_CASE("where several hosts speak the last one holds, and is named", "[controller][upkeep]") {
  const auto applied = [](seconds at, std::string status) {
    return said("RetentionPolicyApplied", std::move(status), "R", "m", at);
  };
  const Json session = after({host("host-0", "Succeeded", {kFound, applied(seconds(50), "False")}),
                              host("host-1", "Succeeded", {kFound, applied(seconds(40), "True")})});
  CHECK(condition_of(session, "RetentionPolicyApplied") == "False R: host-0: m");
}

TEST_CASE("a repository that one host found is there, whatever kept another from it", "[controller][upkeep]") {
  const auto missed =
      said("BackendRepositoryInitialized", "False", "FailedToInitializeBackendRepository", "the network", seconds(50));
  CHECK(condition_of(after({host("host-0", "Succeeded", {kFound}), host("host-1", "Failed", {missed})}),
                     "BackendRepositoryInitialized") == "True BackendRepositoryFound: host-0: there");
  CHECK(condition_of(after({host("host-0", "Failed", {missed})}), "BackendRepositoryInitialized") ==
        "False FailedToInitializeBackendRepository: the network");
}

TEST_CASE("a session whose policy no pod applied says so", "[controller][upkeep]") {
  const std::string missed =
      "False FailedToApplyRetentionPolicy: no pod applied it: none was left after the last hosts of this session had "
      "ended, or the one that had to failed, as its host says; the next session does";
  const std::vector<api::HostStats> hosts{host("host-0", "Succeeded"), failed("host-1", "no pod took it")};
  CHECK(condition_of(after(hosts), "RetentionPolicyApplied") == missed);
  SECTION("not without a policy") {
    CHECK(condition_of(after(hosts, a_backup_configuration().retention({})), "RetentionPolicyApplied").empty());
  }
  SECTION("not when nothing was backed up, for then there is nothing to forget for") {
    CHECK(condition_of(after({failed("host-0", "x"), failed("host-1", "x")}), "RetentionPolicyApplied").empty());
  }
  SECTION("not when a sidecar of an older release may have applied it") {
    api::HostStats old = host("host-0", "Succeeded");
    old.backed_up.reset();
    CHECK(condition_of(after({old, failed("host-1", "x")}), "RetentionPolicyApplied").empty());
  }
  SECTION("nor while the session runs") {
    CHECK(condition_of(after({host("host-0", "Succeeded"), claimed("host-1", "web-1")}), "RetentionPolicyApplied")
              .empty());
  }
}

TEST_CASE("a host that is given back or failed has told nothing", "[controller][upkeep]") {
  Json stats = Json::array({{{"hostname", "host-0"},
                             {"phase", "Running"},
                             {"backedUp", true},
                             {"claim", {{"podName", "web-0"}, {"podUID", "uid-gone"}}}}});
  Json stalled = stats;
  Json lost = Json::array();
  give_back(stats, std::vector<PodFacts>{}, lost);
  CHECK(stats == Json::array({{{"hostname", "host-0"}, {"phase", "Pending"}}}));
  fail_hosts(stalled, kHostRunning, "stalled");
  CHECK(stalled == Json::array({{{"hostname", "host-0"}, {"phase", "Failed"}, {"error", "stalled"}}}));
}

TEST_CASE("a pod that does the upkeep for long is neither stalled nor alone in holding its session",
          "[controller][upkeep]") {
  api::HostStats last = claimed("host-1", "web-1");
  last.backed_up = true;
  SessionWorld world =
      a_session_world(a_backup_session().phase("Running").total_hosts(2).host(host("host-0", "Succeeded")).host(last));
  world.now = kCreated + hours(5);
  world.silent_for = {{"host-1", seconds(29)}};
  Json session = world.session;
  carry_out(plan_session(world), api::kBackupSessions, session);
  CHECK(phase_of(session) == "Running");
  CHECK(host_of(session, 1)["backedUp"] == true);
  // Its pod vanishes: another one takes over, from the snapshots on.
  world.target.pods = std::vector<PodFacts>{};
  session = world.session;
  carry_out(plan_session(world), api::kBackupSessions, session);
  CHECK(host_of(session, 1) == Json({{"hostname", "host-1"}, {"phase", "Pending"}}));
}
