#pragma once
#include <string>

#include "sidecar/context.h"

namespace stash::sidecar {

/// `stash create-backupsession`, the CronJob's program: makes the BackupSession of one slot. Making it twice is making
/// it once. A paused BackupConfiguration or a missing target is an event, not an error. Returns the exit code.
int create_backupsession(Context& context, const std::string& configuration, const std::string& job_name);

}  // namespace stash::sidecar
