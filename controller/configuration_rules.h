#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "api/backup_configuration.h"

namespace stash::controller {

/// Why no session of this configuration can ever succeed, whatever else is in the cluster; "" when it can.
std::string unusable(const api::BackupConfiguration& configuration);

/// spec.timeOut; nullopt when there is none or it is no positive duration.
std::optional<std::chrono::seconds> time_out(const std::string& text);

}  // namespace stash::controller
