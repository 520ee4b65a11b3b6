#pragma once
#include "controller/configuration_plan.h"
#include "controller/status_draft.h"

namespace stash::controller {

/// What came of the CronJob and its access.
struct CronJobOutcome {
  std::string reason;  ///< "" when it is there, or being written now
  std::string message;
};

/// Sets every condition of a BackupConfiguration but Ready. Texts are stable: no times, no request ids.
void set_configuration_conditions(StatusDraft& status, const ConfigurationWorld& world,
                                  const api::BackupConfiguration& configuration, const CronJobOutcome& cron_job);

}  // namespace stash::controller
