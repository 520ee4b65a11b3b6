#include "controller/backup_gauges.h"

#include <catch2/catch.hpp>

#include "api/names.h"
#include "controller/cron_job_slots.h"
#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Sessions = std::vector<api::BackupSession>;
using Value = std::optional<double>;

/// Midnight after kCreated, so that slots are easy to name.
constexpr TimePoint kMidnight{std::chrono::seconds{1700006400}};  // 2023-11-15T00:00:00Z
constexpr double kCreatedAt = 1700000000;

double unix_time(TimePoint time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

BackupConfigurationBuilder at_three() { return a_backup_configuration().schedule("0 3 * * *"); }

api::BackupSession ended(const char* name, TimePoint began, const char* phase, seconds took = minutes(5)) {
  return a_backup_session(name).created(began).phase(phase).condition(
      {"Completed", "True", phase, "", 1, began + took});
}
api::BackupSession unfinished(const char* name, TimePoint began, const char* phase = "Running") {
  return a_backup_session(name).created(began).phase(phase);
}

Json a_cron_job(TimePoint created, std::optional<TimePoint> taken = std::nullopt) {
  Json job = {{"metadata", {{"name", "stash-backup-app-backup"}, {"creationTimestamp", format_time(created)}}}};
  if (taken) job["status"]["lastScheduleTime"] = format_time(*taken);
  return job;
}

BackupGauges of(const api::BackupConfiguration& configuration, TimePoint now, const Sessions& sessions = {},
                const Json& cron_job = {}) {
  return gauges_of(configuration, sessions, cron_job, now);
}

}  // namespace

TEST_CASE("a configuration that never ran says since when, and that nothing ran", "[controller][metrics][I8]") {
  const BackupGauges gauges = of(at_three(), kMidnight + hours(2), {}, a_cron_job(kCreated));
  const BackupGauges expected{.ns = "demo",
                              .name = "app-backup",
                              .repository = "repo",
                              .target_kind = "Deployment",
                              .target_name = "stash-demo",
                              .info = 1,
                              .created = kCreatedAt,
                              .paused = 0,
                              .ready = 0,
                              .never_succeeded = 6400 + 2 * 3600,
                              .running = 0,
                              .next_schedule = unix_time(kMidnight + hours(3)),
                              .missed_schedules = 0,
                              .schedules_since_success = 0};
  CHECK(gauges == expected);
}

TEST_CASE("the newest success counts, and one that only the status remembers", "[controller][metrics][I8]") {
  const Sessions sessions = {ended("b", kMidnight, "Succeeded", minutes(10)), ended("a", kCreated, "Succeeded"),
                             ended("c", kMidnight + hours(1), "Failed")};
  CHECK(of(at_three(), kMidnight + hours(2), sessions).last_success == unix_time(kMidnight + minutes(10)));
  CHECK(of(at_three(), kMidnight + hours(2), sessions).never_succeeded == 0);
  const auto remembers = [](TimePoint time) {
    return at_three().with([&](auto& configuration) { configuration.status.last_success = time; });
  };
  CHECK(of(remembers(kCreated + seconds(9)), kMidnight).last_success == kCreatedAt + 9);
  CHECK(of(remembers(kCreated + seconds(9)), kMidnight).never_succeeded == 0);
  CHECK(of(remembers(kCreated + seconds(9)), kMidnight + hours(2), sessions).last_success ==
        unix_time(kMidnight + minutes(10)));
}

TEST_CASE("a session without an end of its own ended after its duration", "[controller][metrics]") {
  api::BackupSession session = a_backup_session().phase("Succeeded");
  session.status.session_duration = "1m5s";
  CHECK(last_success(at_three(), {session}) == kCreated + seconds(65));
  CHECK_FALSE(last_success(at_three(), {ended("a", kCreated, "Failed")}));
}

TEST_CASE("sessions of an earlier configuration of this name count for nothing", "[controller][metrics][F22][I8]") {
  const BackupGauges gauges = of(at_three(), kMidnight, {ended("old", kCreated - hours(1), "Succeeded")});
  CHECK_FALSE(gauges.last_success);
  CHECK_FALSE(gauges.last_attempt);
  CHECK(gauges.never_succeeded == 6400);
}

TEST_CASE("the last attempt is the newest, its result that of the newest that ended", "[controller][metrics]") {
  const Sessions failed_then_running = {ended("a", kCreated, "Succeeded"), ended("b", kCreated + minutes(10), "Failed"),
                                        unfinished("c", kCreated + minutes(20)),
                                        ended("d", kCreated + minutes(25), "Skipped")};
  const BackupGauges gauges = of(at_three(), kCreated + minutes(30), failed_then_running);
  CHECK(gauges.last_attempt == kCreatedAt + 1200);
  CHECK(gauges.last_attempt_success == 0);
  CHECK(gauges.running == 600);
  CHECK(of(at_three(), kCreated, {ended("a", kCreated, "Succeeded")}).last_attempt_success == 1);
}

TEST_CASE("of several unfinished sessions the oldest says how long", "[controller][metrics]") {
  const Sessions two = {unfinished("b", kCreated + minutes(5), "Pending"), unfinished("a", kCreated, "")};
  CHECK(of(at_three(), kCreated + minutes(7), two).running == 420);
  CHECK(of(at_three(), kCreated - minutes(7), two).running == 0);  // clocks differ
}

TEST_CASE("slots since the last success are counted, whether or not there is a CronJob", "[controller][metrics][I8]") {
  const auto since = [](TimePoint now, const Sessions& sessions = {}) {
    return of(at_three(), now, sessions).schedules_since_success;
  };
  CHECK(since(kMidnight + hours(3) - seconds(1)) == 0.0);
  CHECK(since(kMidnight + hours(3)) == 1.0);
  CHECK(since(kMidnight + hours(24 * 5)) == 5.0);
  CHECK(since(kMidnight + hours(24 * 5), {ended("a", kMidnight + hours(51), "Succeeded")}) == 2.0);
  CHECK(since(kMidnight + hours(24 * 500)) == double(kMostSlots));
}

TEST_CASE("slots from before a new schedule or the end of a pause are not missed", "[controller][metrics]") {
  const auto changed = at_three().with(
      [](auto& configuration) { configuration.status.generation_observed = kMidnight + hours(24 * 6); });
  const Json cron_job = a_cron_job(kCreated, kMidnight + hours(3));
  const BackupGauges before = of(at_three(), kMidnight + hours(24 * 7), {}, cron_job);
  CHECK((before.missed_schedules == 6.0 && before.schedules_since_success == 7.0));
  const BackupGauges gauges = of(changed, kMidnight + hours(24 * 7), {}, cron_job);
  CHECK((gauges.missed_schedules == 1.0 && gauges.schedules_since_success == 1.0));
}

TEST_CASE("a slot is missed once the CronJob may not make up for it any more", "[controller][metrics][I8][F54]") {
  const auto missed = [](TimePoint now, std::optional<TimePoint> taken) {
    return of(at_three(), now, {}, a_cron_job(kCreated, taken)).missed_schedules;
  };
  const TimePoint slot = kMidnight + hours(3);
  CHECK(missed(slot + seconds(299), std::nullopt) == 0.0);
  CHECK(missed(slot + seconds(300), std::nullopt) == 1.0);
  CHECK(missed(slot + seconds(300), slot) == 0.0);
  CHECK(missed(slot + hours(49), slot) == 2.0);
  CHECK_FALSE(of(at_three(), slot + hours(49)).missed_schedules);
}

TEST_CASE("while it is paused, or its schedule is none, there are no slots", "[controller][metrics]") {
  for (const auto& configuration :
       {at_three().paused(), a_backup_configuration().schedule("never"), a_backup_configuration().schedule("")}) {
    const BackupGauges gauges = of(configuration, kMidnight + hours(99), {}, a_cron_job(kCreated));
    CHECK_FALSE(gauges.next_schedule);
    CHECK_FALSE(gauges.missed_schedules);
    CHECK_FALSE(gauges.schedules_since_success);
    CHECK(gauges.never_succeeded > 0.0);
  }
}

TEST_CASE("slots are told in the time zone in which the CronJob acts", "[controller][metrics][F53][I8]") {
  const std::pair<const char*, minutes> zones[] = {{"Berlin", hours(1)},        {"New York", -hours(5)},
                                                   {"Kathmandu", minutes(345)}, {"Saint John's", -minutes(210)},
                                                   {"Kiritimati", hours(14)},   {"Pago Pago", -hours(11)}};
  for (const auto& [city, ahead] : zones) {
    INFO(city);
    // 2023-11-22 is a Wednesday: in some of these cities its three o'clock is on another day in UTC.
    const auto configuration = a_backup_configuration().schedule("0 3 * * 3");
    const TimePoint slot = kMidnight + hours(24 * 7 + 3) - ahead;
    const Json cron_job = a_cron_job(slot - hours(1), slot);
    const auto at = [&](TimePoint now) { return of(configuration, now, {}, cron_job); };
    const TimePoint next = slot + hours(24 * 7);
    CHECK(at(next - seconds(1)).next_schedule == unix_time(next));
    CHECK(at(next).next_schedule == unix_time(next + hours(24 * 7)));
    CHECK(at(next - seconds(1)).missed_schedules == 0.0);
    CHECK(at(next + hours(2)).missed_schedules == 1.0);
    const Sessions success = {ended("a", slot, "Succeeded")};
    CHECK(of(configuration, next - seconds(1), success, cron_job).schedules_since_success == 0.0);
    CHECK(of(configuration, next, success, cron_job).schedules_since_success == 1.0);
    CHECK(of(configuration, next + hours(24 * 7), success, cron_job).schedules_since_success == 2.0);
  }
}

TEST_CASE("the slot after the end of summer time is not missed for coming an hour later",
          "[controller][metrics][F53][I8]") {
  const TimePoint summer = kMidnight + hours(1), winter = kMidnight + hours(26);  // Berlin's three o'clock
  const auto missed = [&](TimePoint now) {
    return of(at_three(), now, {}, a_cron_job(kCreated, summer)).missed_schedules;
  };
  CHECK(missed(winter + seconds(299)) == 0.0);
  CHECK(missed(winter + seconds(300)) == 1.0);
}

TEST_CASE("of a zone that there is not, only what backups that are too old are known by is told",
          "[controller][metrics][F53][I8]") {
  const Json odd = a_cron_job(kCreated, kMidnight + hours(3) + minutes(7));
  const BackupGauges gauges = of(at_three(), kMidnight + hours(51), {}, odd);
  CHECK_FALSE(gauges.next_schedule);
  CHECK_FALSE(gauges.missed_schedules);
  CHECK(gauges.schedules_since_success == 3.0);
}

TEST_CASE("the slots of @every follow from the last one taken", "[controller][metrics]") {
  const auto configuration = a_backup_configuration().schedule("@every 1h");
  const BackupGauges gauges = of(configuration, kCreated + minutes(90), {}, a_cron_job(kCreated));
  CHECK(gauges.next_schedule == kCreatedAt + 7200);
  CHECK(gauges.missed_schedules == 1.0);
  const Json taken = a_cron_job(kCreated, kCreated + minutes(60));
  CHECK(of(configuration, kCreated + minutes(90), {}, taken).next_schedule == kCreatedAt + 7200);
  CHECK(of(configuration, kCreated + minutes(90), {}, taken).missed_schedules == 0.0);
}

TEST_CASE("a Repository tells what its status knows", "[controller][metrics]") {
  CHECK(gauges_of(a_repository().build()) == RepositoryGauges{.ns = "demo", .name = "repo", .wipe_out_held = 0});
  const auto known = a_repository().with([](api::Repository& repository) {
    repository.status.total_size = "1.500 MiB";
    repository.status.snapshot_count = 3;
    repository.status.integrity = false;
    repository.status.last_check_time = kCreated;
    repository.status.last_backup_time = kCreated + seconds(1);
  });
  CHECK(gauges_of(known.build()) == RepositoryGauges{.ns = "demo",
                                                     .name = "repo",
                                                     .size = 1572864,
                                                     .snapshots = 3,
                                                     .integrity = 0,
                                                     .last_check = kCreatedAt,
                                                     .last_backup = kCreatedAt + 1,
                                                     .wipe_out_held = 0});
}

TEST_CASE("a Repository whose data awaits a confirmation tells so", "[controller][metrics][F82][I11]") {
  const auto held = a_repository().with([](api::Repository& repository) {
    repository.status.conditions.push_back({.type = std::string(api::names::kWipedOut),
                                            .status = "False",
                                            .reason = std::string(api::names::kMassDeletion)});
  });
  CHECK(gauges_of(held.build()).wipe_out_held == 1.0);
}
