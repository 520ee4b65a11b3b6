#include "controller/cron_job_slots.h"

#include <algorithm>
#include <vector>

#include "api/schedule.h"
#include "controller/cron_job.h"

namespace stash::controller {
namespace {

using Ahead = std::chrono::minutes;  ///< of UTC

/// What the slots are counted from.
struct Since {
  TimePoint in_force;                 ///< when this schedule was made, or taken up again after a pause
  std::optional<TimePoint> cron_job;  ///< when there has been a CronJob
  std::optional<TimePoint> taken;     ///< the last slot that the CronJob controller acted on
};

Since since_when(const api::BackupConfiguration& configuration, const Json& cron_job) {
  Since since{.in_force = std::max(configuration.metadata.created,
                                   configuration.status.generation_observed.value_or(TimePoint::min()))};
  if (!cron_job.is_object()) return since;
  since.cron_job = std::max(since.in_force, api::meta_of(cron_job).created);
  const auto taken = parse_time(string_at(cron_job, {"status", "lastScheduleTime"}));
  if (taken && *taken > *since.cron_job) since.taken = *taken;
  return since;
}

/// The nearest to UTC first.
std::vector<Ahead> all_zones() {
  std::vector<Ahead> zones{Ahead(0)};
  for (Ahead ahead{15}; ahead <= std::chrono::hours(14); ahead += Ahead(15)) {
    zones.push_back(ahead);
    if (ahead <= std::chrono::hours(12)) zones.push_back(-ahead);
  }
  return zones;
}

/// Those in which the slot that the CronJob took last is one; empty when there is no such zone.
std::vector<Ahead> zones_of(const api::Schedule& schedule, TimePoint taken) {
  std::vector<Ahead> zones = all_zones();
  std::erase_if(zones, [&](Ahead ahead) { return !is_slot(schedule, taken + ahead); });
  return zones;
}

std::optional<Ahead> nearest_zone(const api::Schedule& schedule, const Since& since) {
  if (!since.taken) return Ahead(0);
  const std::vector<Ahead> zones = zones_of(schedule, *since.taken);
  return zones.empty() ? std::nullopt : std::optional(zones.front());
}

/// Slots that can no longer be acted on. When summer time has ended, the next one is an hour later than the last one
/// lets expect.
int missed_in(Ahead ahead, const api::Schedule& schedule, const Since& since, TimePoint made_up_for, TimePoint now,
              int limit) {
  const TimePoint last = std::max(since.taken.value_or(*since.cron_job), made_up_for);
  const auto late = kStartingDeadline + std::chrono::hours(ahead.count() == 0 ? 0 : 1);
  return slots_between(schedule, last + ahead, now - late + ahead, limit);
}

}  // namespace

std::optional<CronJobSlots> slots_of(const api::BackupConfiguration& configuration, std::optional<TimePoint> success,
                                     const Json& cron_job, TimePoint now) {
  if (configuration.spec.paused) return std::nullopt;
  const auto schedule = api::parse_schedule(configuration.spec.schedule);
  if (!schedule) return std::nullopt;
  CronJobSlots slots;
  const Since since = since_when(configuration, cron_job);
  const auto zone = nearest_zone(*schedule, since);
  // In an unknown zone the count is off by some hours, but a backup that is far too old must not go untold.
  const auto ahead = zone.value_or(Ahead(0));
  const TimePoint covered = std::max(since.in_force, success.value_or(TimePoint::min()));
  slots.since_success = slots_between(*schedule, covered + ahead, now + ahead, kMostSlots);
  if (!since.cron_job || !zone) return slots;
  slots.missed = missed_in(ahead, *schedule, since, TimePoint::min(), now, kMostSlots);
  slots.next = next_slot(*schedule, now + ahead);
  if (slots.next) *slots.next -= ahead;
  if (schedule->every.count() > 0) {
    const TimePoint taken = since.taken.value_or(*since.cron_job);
    const auto passed = std::max(TimePoint::duration::zero(), now - taken) / schedule->every;
    slots.next = taken + (passed + 1) * schedule->every;
  }
  return slots;
}

bool has_missed_a_slot(const api::BackupConfiguration& configuration, const Json& cron_job,
                       std::optional<TimePoint> last_session, TimePoint now) {
  // What was changed or resumed just now is in force from now on.
  if (configuration.spec.paused || configuration.status.observed_generation != configuration.metadata.generation) {
    return false;
  }
  const auto schedule = api::parse_schedule(configuration.spec.schedule);
  const Since since = since_when(configuration, cron_job);
  if (!schedule || !since.cron_job) return false;
  std::vector<Ahead> zones = since.taken ? zones_of(*schedule, *since.taken) : all_zones();
  if (zones.empty()) zones = all_zones();
  const TimePoint made_up_for = last_session.value_or(TimePoint::min());
  return std::ranges::all_of(zones,
                             [&](Ahead ahead) { return missed_in(ahead, *schedule, since, made_up_for, now, 1) > 0; });
}

}  // namespace stash::controller
