#include "controller/cron_job_slots.h"

#include <catch2/catch.hpp>

#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

constexpr TimePoint kToday{std::chrono::seconds{1700006400}};  // 2023-11-15T00:00:00Z, after kCreated

/// Its CronJob was made at kCreated.
bool missed(const char* schedule, std::optional<TimePoint> taken, TimePoint now) {
  api::BackupConfiguration configuration = a_backup_configuration().schedule(schedule);
  configuration.status.observed_generation = configuration.metadata.generation;
  Json cron_job = {{"metadata", {{"creationTimestamp", format_time(kCreated)}}}};
  if (taken) cron_job["status"]["lastScheduleTime"] = format_time(*taken);
  return has_missed_a_slot(configuration, cron_job, std::nullopt, now);
}

}  // namespace

TEST_CASE("a slot is missed when its Job may not be made any more", "[controller][cron][F54][I8]") {
  const TimePoint slot = kToday + hours(27);
  CHECK_FALSE(missed("0 3 * * *", slot - hours(24), slot + seconds(299)));
  CHECK(missed("0 3 * * *", slot - hours(24), slot + seconds(300)));
  CHECK_FALSE(missed("0 3 * * *", slot, slot + hours(20)));
}

TEST_CASE("before the first slot, one is missed when it has passed in every time zone", "[controller][cron][F53][I8]") {
  CHECK_FALSE(missed("0 * * * *", std::nullopt, kCreated + hours(1)));
  CHECK(missed("0 * * * *", std::nullopt, kCreated + hours(3)));
  // Five have passed in UTC, none in California.
  CHECK_FALSE(missed("0 1-5 * * *", std::nullopt, kToday + hours(7)));
  CHECK(missed("0 1-5 * * *", std::nullopt, kToday + hours(26)));
}

TEST_CASE("a slot that several time zones may have taken is followed by the last of the next ones that may be",
          "[controller][cron][F53][I8]") {
  // The first of the day in California, the last in London.
  const TimePoint taken = kToday + hours(17);
  CHECK_FALSE(missed("0 9-17 * * *", taken, taken + hours(16)));
  CHECK(missed("0 9-17 * * *", taken, taken + hours(17)));
}

TEST_CASE("nothing is missed while it is paused, or its last change has only just been seen", "[controller][cron]") {
  api::BackupConfiguration configuration = a_backup_configuration().schedule("0 * * * *");
  const Json cron_job = {{"metadata", {{"creationTimestamp", format_time(kCreated)}}}};
  const auto is_missed = [&] { return has_missed_a_slot(configuration, cron_job, std::nullopt, kCreated + hours(9)); };
  CHECK_FALSE(is_missed());
  configuration.status.observed_generation = configuration.metadata.generation;
  CHECK(is_missed());
  configuration.status.generation_observed = kCreated + hours(8);
  CHECK_FALSE(is_missed());
  configuration.status.generation_observed.reset();
  configuration.spec.paused = true;
  CHECK_FALSE(is_missed());
}

TEST_CASE("a backup that somebody made since makes up for a slot, but not for the next one", "[controller][cron][I8]") {
  api::BackupConfiguration configuration = a_backup_configuration().schedule("0 * * * *");
  configuration.status.observed_generation = configuration.metadata.generation;
  const Json cron_job = {{"metadata", {{"creationTimestamp", format_time(kCreated)}}}};
  const auto is_missed = [&](hours session) {
    return has_missed_a_slot(configuration, cron_job, kCreated + session, kCreated + hours(9));
  };
  CHECK(is_missed(hours(2)));
  CHECK_FALSE(is_missed(hours(9)));
}

TEST_CASE("of a CronJob that is not there no slot is missed", "[controller][cron]") {
  api::BackupConfiguration configuration = a_backup_configuration();
  configuration.status.observed_generation = configuration.metadata.generation;
  CHECK_FALSE(has_missed_a_slot(configuration, nullptr, std::nullopt, kCreated + hours(9)));
}
