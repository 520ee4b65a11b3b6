#pragma once
#include <optional>

#include "api/backup_configuration.h"
#include "base/json.h"
#include "base/time.h"

/// What is known of the slots of a schedule, and of those on which its CronJob did not act. The CronJob controller goes
/// by the time zone of the controller manager, which nobody tells.
namespace stash::controller {

/// Slots beyond this many are not counted; Kubernetes' CronJob controller stops at the same number.
inline constexpr int kMostSlots = 100;

/// Told in the zone nearest to UTC in which the slot that the CronJob took last is one; in UTC before the first.
struct CronJobSlots {
  int since_success = 0;          ///< since `success`, or since the schedule was made
  std::optional<int> missed;      ///< nullopt: there is no CronJob, or no zone fits
  std::optional<TimePoint> next;  ///< nullopt as above
};

/// nullopt while it is paused, or its schedule is none. `cron_job` is null when there is none.
std::optional<CronJobSlots> slots_of(const api::BackupConfiguration& configuration, std::optional<TimePoint> success,
                                     const Json& cron_job, TimePoint now);

/// Has a slot passed on which the CronJob did not act and will not act any more, whichever of the zones that can be is
/// the right one? False while that is not certain, and when `last_session` was made since, by whomever.
bool has_missed_a_slot(const api::BackupConfiguration& configuration, const Json& cron_job,
                       std::optional<TimePoint> last_session, TimePoint now);

}  // namespace stash::controller
