#include "cli/status.h"

#include <catch2/catch.hpp>

#include "unit/support/objects.h"

using namespace stash;
using namespace stash::cli;
using namespace stash::test;

namespace {

const TimePoint kNow = kCreated + std::chrono::minutes(10);

Json session(const std::string& name, std::chrono::seconds after, const std::string& phase) {
  return a_backup_session()
      .name(name)
      .created(kCreated + after)
      .with([&](auto& made) { made.status.phase = phase; })
      .json();
}

StatusWorld a_world() {
  StatusWorld world;
  Json configuration = a_backup_configuration().json();
  configuration["status"] = {{"phase", "Ready"}};
  world.configurations = Json::array({configuration});
  world.sessions = Json::array({session("app-backup-1", std::chrono::seconds(60), "Succeeded"),
                                session("app-backup-2", std::chrono::seconds(480), "Failed")});
  Json repository = a_repository().json();
  repository["status"] = {{"totalSize", "1.500 MiB"}, {"snapshotCount", 4}, {"lastBackupTime", "2023-11-14T22:14:20Z"}};
  world.repositories = Json::array({repository});
  return world;
}

}  // namespace

TEST_CASE("a backup is shown with its newest session and its repository", "[cli][status]") {
  StatusWorld world = a_world();
  world.sessions[1] = session("app-backup-2", std::chrono::seconds(480), "Succeeded");
  CHECK(render_status(status_report(world), false, false, kNow) ==
        "BACKUP       TARGET                  SCHEDULE      READY   LAST SESSION   AGE   PROGRESS   LAST BACKUP   "
        "SNAPSHOTS   SIZE\n"
        "app-backup   Deployment/stash-demo   */5 * * * *   Ready   Succeeded      2m    -          9m            "
        "4           1.500 MiB\n");
  CHECK_FALSE(in_trouble(status_report(world)));
}

TEST_CASE("a failed session is trouble, and its reason is below the table", "[cli][status]") {
  StatusWorld world = a_world();
  world.sessions[1]["status"]["reason"] = "HostFailed";
  world.sessions[1]["status"]["conditions"] =
      Json::array({{{"type", "Ready"}, {"status", "False"}, {"message", "host-0: wrong password"}}});
  const Json report = status_report(world);
  CHECK(in_trouble(report));
  CHECK(render_status(report, false, false, kNow)
            .ends_with("\n! BackupSession app-backup-2: Failed: host-0: wrong password (HostFailed)\n"));
  CHECK(render_status(report, true, false, kNow).contains("! BackupSession demo/app-backup-2: Failed: "));
}

TEST_CASE("a failed backup stays trouble while a newer session has not ended or was skipped", "[cli][status]") {
  for (const char* phase : {"", "Pending", "Running", "Skipped"}) {
    INFO(phase);
    StatusWorld world = a_world();
    world.sessions.push_back(session("app-backup-3", std::chrono::seconds(540), phase));
    const Json report = status_report(world);
    CHECK(report["backups"][0]["session"]["name"] == "app-backup-3");
    CHECK(report["backups"][0]["lastRun"]["name"] == "app-backup-2");
    CHECK(in_trouble(report));
    CHECK(render_status(report, false, false, kNow).contains("\n! BackupSession app-backup-2: Failed\n"));
  }
  StatusWorld world = a_world();
  world.sessions.push_back(session("app-backup-3", std::chrono::seconds(540), "Succeeded"));
  CHECK_FALSE(in_trouble(status_report(world)));
}

TEST_CASE("a failed restore is trouble until a newer one has taken its place", "[cli][status]") {
  StatusWorld world = a_world();
  world.sessions = Json::array();
  const auto restore = [](const std::string& name, std::chrono::seconds after, const std::string& phase) {
    return a_restore_session()
        .name(name)
        .created(kCreated + after)
        .with([&](auto& made) { made.status.phase = phase; })
        .json();
  };
  const Json failed = restore("first", std::chrono::seconds(60), "Failed");
  for (const char* phase : {"Running", "Failed"}) {
    world.restores = Json::array({failed, restore("second", std::chrono::seconds(120), phase)});
    CHECK(in_trouble(status_report(world)));
  }
  world.restores[1] = restore("second", std::chrono::seconds(120), "Succeeded");
  const Json report = status_report(world);
  CHECK_FALSE(in_trouble(report));
  CHECK_FALSE(render_status(report, false, false, kNow).contains("!"));
  world.restores = Json::array({failed});
  world.restores[0]["status"]["reason"] = "Superseded";
  CHECK_FALSE(in_trouble(status_report(world)));
}

TEST_CASE("what a condition complains of is told with its message", "[cli][status]") {
  StatusWorld world = a_world();
  world.sessions = Json::array();
  world.configurations[0]["status"] = {
      {"phase", "NotReady"},
      {"conditions",
       {{{"type", "Ready"}, {"status", "False"}, {"message", "RepositoryFound: Repository demo/repo is missing"}},
        {{"type", "RepositoryFound"},
         {"status", "False"},
         {"message", "Repository demo/repo is missing; create it"}}}}};
  world.repositories = Json::array();
  const Json report = status_report(world);
  CHECK(in_trouble(report));
  CHECK(render_status(report, true, false, kNow)
            .ends_with("\n! BackupConfiguration demo/app-backup: Repository demo/repo is missing; create it\n"));
}

TEST_CASE("a damaged repository is trouble, and told once", "[cli][status]") {
  StatusWorld world = a_world();
  world.sessions = Json::array();
  world.configurations.push_back(a_backup_configuration("other").json());
  world.repositories[0]["status"]["integrity"] = false;
  const Json report = status_report(world);
  CHECK(in_trouble(report));
  const std::string text = render_status(report, false, false, kNow);
  CHECK(
      text.ends_with("\n! Repository repo: the last check of restic found damage; what to do: "
                     "docs/runbooks/StashRepositoryDamaged.md\n"));
  CHECK(text.find("found damage") == text.rfind("found damage"));
  world.repositories[0]["status"]["integrity"] = true;
  CHECK_FALSE(in_trouble(status_report(world)));
}

TEST_CASE("a paused backup says how to resume it", "[cli][status]") {
  StatusWorld world = a_world();
  world.sessions = Json::array();
  world.configurations[0]["spec"]["paused"] = true;
  const std::string text = render_status(status_report(world), false, false, kNow);
  CHECK(text.ends_with("\n- BackupConfiguration app-backup is paused: kubectl stash resume app-backup -n demo\n"));
  CHECK(text.contains("   Paused   "));
}

TEST_CASE("one backup is shown with the restores of its repository", "[cli][status]") {
  StatusWorld world = a_world();
  world.restores = Json::array(
      {a_restore_session().json(),
       a_restore_session().name("other").with([](auto& other) { other.spec.repository = "elsewhere"; }).json()});
  CHECK(array_at(status_report(world, "app-backup"), {"restores"}).size() == 1);
  CHECK(array_at(status_report(world), {"restores"}).size() == 2);
  CHECK(array_at(status_report(world, "unknown"), {"backups"}).empty());
}

TEST_CASE("sessions of another namespace are not this backup's", "[cli][status]") {
  StatusWorld world = a_world();
  world.sessions = Json::array({a_backup_session().ns("other").json()});
  CHECK_FALSE(array_at(status_report(world), {"backups"})[0].contains("session"));
}

TEST_CASE("nothing to show is said", "[cli][status]") {
  CHECK(render_status(status_report({}), false, false, kNow) == "No BackupConfiguration found.\n");
}
