#pragma once
#include <string>

#include "api/backup_configuration.h"

namespace stash::inject {

/// Why no session of this configuration can ever succeed, whatever else is in the cluster; "" when it can.
/// `exec_hooks` is the chart's hooks.exec.
std::string unusable(const api::BackupConfiguration& configuration, bool exec_hooks);

/// At or below the mountPath of one of them, without doubled slashes, "." and "..".
bool is_mounted(const std::string& path, const std::vector<api::VolumeMount>& mounts);

/// Which of spec.target.paths lie in no mounted volume, and what to do; "" when all do. By their names: a symbolic link
/// can lead elsewhere, which the sidecar alone sees.
std::string unmounted_paths(const api::BackupTarget& target);

/// Why spec.retryConfig cannot be followed; "" when it can.
std::string unusable_retry(const api::BackupConfigurationSpec& spec);

}  // namespace stash::inject
