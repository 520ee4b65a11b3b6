#pragma once
#include <string>
#include <string_view>

#include "api/backup_configuration.h"
#include "base/json.h"
#include "base/time.h"

namespace stash::sidecar {

/// Which slot of the schedule a CronJob's Job is for: the CronJob controller ends its name in the minutes since 1970.
/// `now` for any other name (a Job made by hand), so that it does not collide with a slot.
TimePoint slot_of(std::string_view job_name, TimePoint now);

/// "<configuration>-<unix seconds>": the same for each retry of a slot, so that a retry cannot make a second session.
/// At most 63 bytes, as Stash's own; a long configuration name is shortened with a hash.
std::string session_name(std::string_view configuration, TimePoint slot);

/// Of each snapshot that the BackupSession `session`, raw, takes.
std::string session_tag(const Json& session);

/// The BackupSession `name` of that BackupConfiguration, as it is to be created: with its labels, and owned by it.
Json backup_session_of(const api::BackupConfiguration& configuration, std::string name);

}  // namespace stash::sidecar
