#pragma once
#include <string>

#include "api/backup_configuration.h"
#include "api/time_out.h"

namespace stash::controller {

/// Why no session of this configuration can ever succeed, whatever else is in the cluster; "" when it can.
std::string unusable(const api::BackupConfiguration& configuration);

using api::time_out;

}  // namespace stash::controller
