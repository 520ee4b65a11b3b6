#include <catch2/catch.hpp>

#include "unit/cli/doctor_scene.h"

using namespace stash;
using namespace stash::cli;
using Level = Check::Level;

namespace {

/// Ended, `minutes` after the first one could.
Json ended(const std::string& name, int minutes, const std::string& phase, const std::string& message = "") {
  auto session = a_backup_session(name).phase(phase).created(kCreated + std::chrono::minutes(minutes));
  session.condition({phase == "Skipped" ? "BackupSkipped" : "Completed", "True", phase, message, 1, kCreated});
  return session.json();
}

DoctorWorld with_sessions(std::vector<Json> sessions) {
  DoctorWorld world = a_world();
  world.lists["backupsessions"] = std::move(sessions);
  return world;
}

Json a_restore(const std::string& name, int minutes, const std::string& phase, const std::string& reason = "") {
  Json restore = a_restore_session(name).phase(phase).created(kCreated + std::chrono::minutes(minutes)).json();
  restore["status"]["reason"] = reason;
  restore["status"]["conditions"] =
      Json::array({{{"type", "Completed"}, {"status", "True"}, {"message", "host-0: no snapshot"}}});
  return restore;
}

DoctorWorld with_restores(std::vector<Json> restores) {
  DoctorWorld world = a_world();
  world.lists["restoresessions"] = std::move(restores);
  return world;
}

}  // namespace

TEST_CASE("a backup whose newest session failed is a problem", "[cli][doctor]") {
  CHECK(
      complaint(with_sessions({ended("two", 20, "Failed", "host-0: wrong password"), ended("one", 10, "Succeeded")})) ==
      Check{Level::problem, "sessions",
            "BackupConfiguration demo/app-backup: BackupSession demo/two Failed: host-0: wrong password",
            "kubectl describe backupsession two -n demo"});
}

TEST_CASE("a failure that a later backup made good is no complaint", "[cli][doctor]") {
  CHECK(complaints(with_sessions({ended("one", 10, "Failed"), ended("two", 20, "Succeeded")})).empty());
}

TEST_CASE("a backup that runs does not hide that the one before failed", "[cli][doctor]") {
  Json running = a_backup_session("two").phase("Running").created(kCreated + std::chrono::minutes(50)).json();
  CHECK(complaint(with_sessions({ended("one", 10, "Failed"), running})).message.contains("demo/one Failed"));
}

TEST_CASE("a backup that was skipped last is a warning, and hides no failure", "[cli][doctor]") {
  const Json skipped = ended("two", 20, "Skipped", "a restore is at work");
  const Check found = complaint(with_sessions({ended("one", 10, "Succeeded"), skipped}));
  CHECK(found.level == Level::warning);
  CHECK(found.message == "BackupConfiguration demo/app-backup: BackupSession demo/two Skipped: a restore is at work");
  CHECK(complaints(with_sessions({ended("one", 10, "Failed"), skipped})).size() == 2);
}

TEST_CASE("an old failure of a paused backup is only a warning", "[cli][doctor]") {
  DoctorWorld world = with_sessions({ended("one", 10, "Failed")});
  world.lists["backupconfigurations"] = Json::array({a_backup_configuration().paused().json()});
  const Check found = complaint(world);
  CHECK(found.level == Level::warning);
  CHECK(found.message.starts_with("BackupConfiguration demo/app-backup (paused): "));
}

TEST_CASE("sessions of other backups and of none are not counted", "[cli][doctor]") {
  Json elsewhere = ended("one", 10, "Failed");
  elsewhere["metadata"]["namespace"] = "other";
  CHECK(complaints(with_sessions({elsewhere, a_backup_session("two", "another").phase("Failed").json()})).empty());
}

TEST_CASE("a restore that failed or is invalid is a problem", "[cli][doctor]") {
  const Check failed = complaint(with_restores({a_restore("one", 0, "Failed", "HostFailed")}));
  CHECK(failed.level == Level::problem);
  CHECK(failed.area == "restores");
  CHECK(failed.message == "RestoreSession demo/one Failed: host-0: no snapshot (HostFailed)");
  CHECK(failed.remedy.starts_with("kubectl describe restoresession one -n demo; pods with its stash-init wait until "));
  CHECK(complaint(with_restores({a_restore("one", 0, "Invalid")})).level == Level::problem);
  CHECK(complaints(with_restores({a_restore("one", 0, "Succeeded"), a_restore("two", 0, "Running")})).empty());
}

TEST_CASE("a failed restore that a newer one has replaced holds nobody", "[cli][doctor]") {
  CHECK(complaints(with_restores({a_restore("one", 0, "Failed", "Superseded")})).empty());
  CHECK(complaints(with_restores({a_restore("one", 0, "Failed"), a_restore("two", 5, "Succeeded")})).empty());
  CHECK_FALSE(complaints(with_restores({a_restore("one", 9, "Failed"), a_restore("two", 5, "Succeeded")})).empty());
  Json of_another = a_restore("two", 5, "Succeeded");
  of_another["spec"]["target"]["ref"]["name"] = "other";
  CHECK_FALSE(complaints(with_restores({a_restore("one", 0, "Failed"), of_another})).empty());
}

TEST_CASE("a restore that an older Stash ended begins no more and is a warning", "[cli][doctor]") {
  Json restore = a_restore("one", 0, "Failed");
  restore["status"].erase("conditions");
  const Check found = complaint(with_restores({restore}));
  CHECK(found.level == Level::warning);
  CHECK(found.remedy == "an older Stash ended it, and it begins no more: kubectl delete restoresession one -n demo");
}
