#include "controller/cron_job_health.h"

#include <catch2/catch.hpp>

#include "controller/cron_job.h"
#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using State = CronJobHealth::State;

Json a_cron_job(TimePoint scheduled, std::optional<TimePoint> succeeded, bool active) {
  Json status = {{"lastScheduleTime", format_time(scheduled)}};
  if (succeeded) status["lastSuccessfulTime"] = format_time(*succeeded);
  if (active) status["active"] = Json::array({{{"name", "stash-backup-app-1"}}});
  return {{"status", std::move(status)}};
}

CronJobHealth health(const Json& cron_job, TimePoint now, std::optional<TimePoint> last_session = std::nullopt) {
  return health_of(a_backup_configuration(), cron_job, last_session, now);
}

}  // namespace

TEST_CASE("a CronJob whose last Job succeeded is healthy, and so is one that has not run yet", "[controller][cron]") {
  CHECK(health(a_cron_job(kCreated, kCreated + seconds(4), false), kCreated + hours(9)) == CronJobHealth());
  CHECK(health(Json::object(), kCreated) == CronJobHealth());
  CHECK(health(nullptr, kCreated) == CronJobHealth());
}

TEST_CASE("a Job that ended without success makes its CronJob unhealthy, once that is settled", "[controller][cron]") {
  const Json job = a_cron_job(kCreated, kCreated - hours(24), false);
  CHECK(health(job, kCreated + seconds(20)) == CronJobHealth{State::open, seconds(40)});
  CHECK(health(job, kCreated + seconds(60)) == CronJobHealth{State::failed, std::nullopt});
  CHECK(health(a_cron_job(kCreated, std::nullopt, false), kCreated + minutes(2)).state == State::failed);
}

TEST_CASE("a Job that does not end makes its CronJob unhealthy", "[controller][cron]") {
  const Json job = a_cron_job(kCreated, std::nullopt, true);
  CHECK(health(job, kCreated + minutes(1)) == CronJobHealth{State::open, minutes(4)});
  CHECK(health(job, kCreated + minutes(5)).state == State::stuck);
  CHECK(health(job, kCreated - hours(1)).state == State::open);
}

TEST_CASE("a Job that has made its session has done its work, whatever becomes of it", "[controller][cron][F54][I8]") {
  for (const bool active : {true, false}) {
    const Json job = a_cron_job(kCreated, std::nullopt, active);
    CHECK(health(job, kCreated + hours(1), kCreated + seconds(3)) == CronJobHealth());
    CHECK(health(job, kCreated + hours(1), kCreated - seconds(3)).state == (active ? State::stuck : State::failed));
  }
}

TEST_CASE("a suspended CronJob is not unhealthy", "[controller][cron]") {
  Json job = a_cron_job(kCreated, std::nullopt, false);
  job["spec"]["suspend"] = true;
  CHECK(health(job, kCreated + hours(1)) == CronJobHealth());
}

TEST_CASE("a BackupConfiguration whose CronJob fails is not ready, and says where to look", "[controller][cron]") {
  ConfigurationWorld world = a_configuration_world();
  world.cron_job =
      cron_job_objects(a_backup_configuration(), some_settings(), JobResources().cron_job, Json::object()).cron_job;
  world.cron_job["status"] = a_cron_job(kCreated - hours(1), std::nullopt, false)["status"];
  const std::string message =
      "the last Job of the CronJob failed, so no backup was begun; see: kubectl -n demo describe jobs,pods -l "
      "stash.appscode.com/invoker-name=app-backup";
  Json configuration = world.configuration;
  carry_out(plan_configuration(world, some_settings()), api::kBackupConfigurations, configuration);
  CHECK(condition_of(configuration, "CronJobHealthy") == "False JobFailed: " + message);
  CHECK(condition_of(configuration, "Ready") == "False JobFailed: " + message);

  // The next Job is under way: nothing is mended yet.
  world.configuration = configuration;
  world.cron_job["status"] = a_cron_job(world.now - seconds(30), std::nullopt, true)["status"];
  carry_out(plan_configuration(world, some_settings()), api::kBackupConfigurations, configuration);
  CHECK(condition_of(configuration, "CronJobHealthy").starts_with("False"));
  CHECK(plan_configuration(world, some_settings()).look_again_in.has_value());

  world.cron_job["status"] = a_cron_job(world.now - seconds(30), world.now, false)["status"];
  carry_out(plan_configuration(world, some_settings()), api::kBackupConfigurations, configuration);
  CHECK(condition_of(configuration, "CronJobHealthy").starts_with("True"));
}

TEST_CASE("of a Job that does not end its events are named as well, for its pods may be refused",
          "[controller][cron]") {
  ConfigurationWorld world = a_configuration_world();
  world.cron_job =
      cron_job_objects(a_backup_configuration(), some_settings(), JobResources().cron_job, Json::object()).cron_job;
  world.cron_job["status"] = a_cron_job(kCreated - hours(1), std::nullopt, true)["status"];
  carry_out(plan_configuration(world, some_settings()), api::kBackupConfigurations, world.configuration);
  CHECK(condition_of(world.configuration, "CronJobHealthy") ==
        "False JobStuck: a Job of the CronJob does not end, so no backup was begun; see: kubectl -n demo describe "
        "jobs,pods -l stash.appscode.com/invoker-name=app-backup");
}

TEST_CASE("a CronJob that makes no Job makes its BackupConfiguration NotReady, and says where to look",
          "[controller][cron][F54][I8]") {
  ConfigurationWorld world = a_configuration_world(a_backup_configuration().schedule("0 * * * *"));
  const auto look = [&] {
    carry_out(plan_configuration(world, some_settings()), api::kBackupConfigurations, world.configuration);
    return condition_of(world.configuration, "CronJobHealthy");
  };
  REQUIRE(look().starts_with("True"));
  world.cron_job = cron_job_objects(a_backup_configuration().schedule("0 * * * *"), some_settings(),
                                    JobResources().cron_job, Json::object())
                       .cron_job;
  world.cron_job["metadata"]["creationTimestamp"] = format_time(kCreated);
  world.now = kCreated + hours(3);
  const std::string message =
      "the schedule was due, but no Job of the CronJob was made, so no backup was begun; perhaps a quota or policy "
      "refuses it (event FailedCreate), or kube-controller-manager is away; see: kubectl -n demo describe cronjobs -l "
      "stash.appscode.com/invoker-name=app-backup";
  CHECK(look() == "False JobMissed: " + message);
  CHECK(condition_of(world.configuration, "Ready") == "False JobMissed: " + message);

  const TimePoint slot = std::chrono::ceil<hours>(world.now);
  world.cron_job["status"] = a_cron_job(slot, slot + seconds(3), false)["status"];
  world.now = slot + minutes(1);
  CHECK(look().starts_with("True"));
  world.now = slot + hours(3);
  CHECK(look().starts_with("False JobMissed"));

  INFO("a pause ends it, and what passed meanwhile was not missed");
  world.cron_job["spec"]["suspend"] = true;
  CHECK(look().starts_with("True"));
  world.cron_job["spec"]["suspend"] = false;
  world.configuration["metadata"]["generation"] = 2;
  CHECK(look().starts_with("True"));
  CHECK(look().starts_with("True"));
}
