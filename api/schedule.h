#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace stash::api {

/// When a CronJob is due, as a set per field: bit 30 of `minutes` is the half hour.
/// https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
struct Schedule {
  std::uint64_t minutes = 0, hours = 0, days = 0, months = 0, weekdays = 0;
  bool any_day = false, any_weekday = false;  ///< "*" or "?": the other one decides alone; else either will do
  std::chrono::seconds every{0};              ///< of "@every 90m", which has no sets; 0 for all others
  friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// Understands what the CronJob controller understands: five fields or a word such as @daily; as CronJob validation, no
/// TZ= prefix. Error invalid: a sentence that names the wrong part.
Result<Schedule> parse_schedule(std::string_view text);

/// The first slot after `after`, in UTC, which is what the controller manager of nearly every cluster goes by; nullopt
/// when there is none within five years. One of @every is counted from `after`. For a zone that is an hour ahead of UTC
/// add an hour to what goes in, here and below, and take it off what comes out.
std::optional<TimePoint> next_slot(const Schedule& schedule, TimePoint after);

/// Of @every any time can be one.
bool is_slot(const Schedule& schedule, TimePoint time);

/// False for a schedule that no calendar has a day for, such as 30 February: the API server takes it.
bool is_ever_due(const Schedule& schedule);

/// How many slots lie after `after` and not after `until`; counts to `limit`.
int slots_between(const Schedule& schedule, TimePoint after, TimePoint until, int limit);

}  // namespace stash::api
