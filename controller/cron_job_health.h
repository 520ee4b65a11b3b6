#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "api/backup_configuration.h"
#include "base/json.h"
#include "base/time.h"

namespace stash::controller {

/// Whether the Jobs of a live CronJob do what they are for. Nobody would notice otherwise: a Job that fails makes no
/// BackupSession that could say so.
struct CronJobHealth {
  enum class State {
    good,
    missed,  ///< no Job was made for a slot
    failed,  ///< the last Job ended without success
    stuck,   ///< one is under way for far longer than it needs
    open,    ///< one is under way, or has only just ended: what was said before still holds
  };
  State state = State::good;
  std::optional<std::chrono::seconds> look_again_in;  ///< its status alone will not wake us
  friend bool operator==(const CronJobHealth&, const CronJobHealth&) = default;
};

/// `last_session` is when the newest BackupSession was made: it is what a Job is for, whatever becomes of the Job
/// itself. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/cron-job-v1/#CronJobStatus
CronJobHealth health_of(const api::BackupConfiguration& configuration, const Json& cron_job,
                        std::optional<TimePoint> last_session, TimePoint now);

}  // namespace stash::controller
