#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/backup_configuration.h"
#include "api/backup_session.h"
#include "api/repository.h"
#include "base/json.h"
#include "base/time.h"

/// What /metrics tells about single objects, as numbers. Computed from the objects at each scrape and counted nowhere,
/// so that a new process, and each replica, tells the same.
namespace stash::controller {

/// Times are Unix times in seconds. nullopt: there is nothing to tell, and no such line.
struct BackupGauges {
  std::string ns, name;
  std::string repository, target_kind, target_name;
  std::optional<double> info, created, paused, ready, last_success, never_succeeded, last_attempt, last_attempt_success,
      running, next_schedule, missed_schedules, schedules_since_success;
  friend bool operator==(const BackupGauges&, const BackupGauges&) = default;
};

struct RepositoryGauges {
  std::string ns, name;
  std::optional<double> size, snapshots, integrity, last_check, last_backup, wipe_out_held;
  friend bool operator==(const RepositoryGauges&, const RepositoryGauges&) = default;
};

/// One metric: its name, what it means, and where its value is.
template <class Object>
struct GaugeOf {
  std::string_view name, help;
  std::optional<double> Object::* value;
};
std::span<const GaugeOf<BackupGauges>> backup_gauges();
std::span<const GaugeOf<RepositoryGauges>> repository_gauges();

/// `sessions` are those of this configuration; `cron_job` is null when there is none.
BackupGauges gauges_of(const api::BackupConfiguration& configuration, const std::vector<api::BackupSession>& sessions,
                       const Json& cron_job, TimePoint now);
RepositoryGauges gauges_of(const api::Repository& repository);

/// When the newest of these sessions that succeeded ended, whatever the status of the configuration says.
std::optional<TimePoint> last_success(const api::BackupConfiguration& configuration,
                                      const std::vector<api::BackupSession>& sessions);

}  // namespace stash::controller
