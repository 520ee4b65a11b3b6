#include "controller/cron_job_health.h"

#include <algorithm>

#include "controller/cron_job_slots.h"

namespace stash::controller {
namespace {

/// The CronJob controller notes end and success of a Job one after the other.
constexpr std::chrono::seconds kSettled{60};
/// A Job needs seconds, unless its image cannot be pulled, its pod cannot be scheduled or made, or the API is away.
constexpr std::chrono::seconds kPatience{std::chrono::minutes(5)};

std::chrono::seconds at_least_a_second(std::chrono::seconds time) { return std::max(time, std::chrono::seconds(1)); }

/// Of the Job that was made last.
CronJobHealth health_of_job(const Json& cron_job, std::optional<TimePoint> last_session, TimePoint now) {
  using State = CronJobHealth::State;
  const auto last = parse_time(string_at(cron_job, {"status", "lastScheduleTime"}));
  if (!last) return {};
  const auto succeeded = parse_time(string_at(cron_job, {"status", "lastSuccessfulTime"}));
  if (succeeded && *succeeded >= *last) return {};
  // Something else in its pod may go on, as a proxy that was injected into it.
  if (last_session && *last_session >= *last) return {};
  const bool active = !array_at(cron_job, {"status", "active"}).empty();
  const auto passed = std::chrono::duration_cast<std::chrono::seconds>(now - *last);
  const auto limit = active ? kPatience : kSettled;
  if (passed < limit) return {State::open, at_least_a_second(limit - std::max(passed, std::chrono::seconds(0)))};
  return {active ? State::stuck : State::failed, std::nullopt};
}

}  // namespace

CronJobHealth health_of(const api::BackupConfiguration& configuration, const Json& cron_job,
                        std::optional<TimePoint> last_session, TimePoint now) {
  if (bool_at(cron_job, {"spec", "suspend"})) return {};
  const CronJobHealth health = health_of_job(cron_job, last_session, now);
  // A CronJob whose Jobs are refused notes nothing in its status.
  const bool missed =
      health.state == CronJobHealth::State::good && has_missed_a_slot(configuration, cron_job, last_session, now);
  return missed ? CronJobHealth{CronJobHealth::State::missed, std::nullopt} : health;
}

}  // namespace stash::controller
