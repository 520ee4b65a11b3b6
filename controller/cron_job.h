#pragma once
#include <chrono>
#include <string>

#include "api/backup_configuration.h"
#include "inject/settings.h"

namespace stash::controller {

/// A slot that is older is not made up for any more.
inline constexpr std::chrono::seconds kStartingDeadline{300};

/// The CronJob that makes a BackupSession at each slot of a BackupConfiguration's schedule, and what its pods need. All
/// live in the BackupConfiguration's namespace and are owned by it.
struct CronJobObjects {
  Json cron_job, role, role_binding;
  Json service_account;  ///< null when the user names one of his own
};
/// `resources` is what the container of its pods takes, `placement` where they may run: inject::pod_placement().
CronJobObjects cron_job_objects(const api::BackupConfiguration& configuration, const inject::Settings& settings,
                                const Json& resources, const Json& placement);
/// That of a CronJob's pods as they are; empty for null.
Json placement_of(const Json& cron_job);

/// Names that fit: a CronJob's has at most 52 characters, for the Job controller appends 11 to it.
std::string cron_job_name(const std::string& configuration);
std::string cron_role_name(const std::string& configuration);

}  // namespace stash::controller
