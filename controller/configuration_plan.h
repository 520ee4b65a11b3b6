#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/backup_configuration.h"
#include "api/repository.h"
#include "controller/injection_facts.h"
#include "controller/job_pod.h"
#include "controller/obstacle.h"
#include "controller/plan.h"
#include "controller/withdrawal.h"
#include "inject/injector.h"

namespace stash::controller {

/// All that the decision about one BackupConfiguration may look at.
struct ConfigurationWorld {
  Json configuration;
  std::string not_opted_in;  ///< why the namespace has no injection, "" when it has
  std::optional<api::Repository> repository;
  std::optional<WorkloadFacts> workload;
  std::vector<inject::Finding> findings;  ///< about this configuration
  std::vector<inject::Finding> remarks;   ///< about it: what works, but not quite as asked for
  InjectionFacts injection;
  RolloutFacts rollout;
  std::optional<TimePoint> last_session;  ///< when the newest of its BackupSessions was made
  std::optional<TimePoint> last_success;  ///< by its BackupSessions; the status may know of one that is gone
  // Live objects of the names that we would use; null when there is none.
  Json cron_job, service_account, role, role_binding;
  // Owned by this configuration, under names of older Stash.
  std::vector<api::ObjectMeta> other_cron_jobs, other_service_accounts;
  std::string refused;  ///< an earlier try in this pass: what the API server refused for good, and its sentence
  TimePoint now{};
  Json job_resources = JobResources().cron_job;  ///< `resources` of the container in its CronJob's pods
};

/// Pure and total: CronJob and its access, conditions, phase, events when a condition becomes False.
Plan plan_configuration(const ConfigurationWorld& world, const inject::Settings& settings);

}  // namespace stash::controller
