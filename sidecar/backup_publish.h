#pragma once
#include <optional>

#include "api/backup_configuration.h"
#include "api/repository.h"
#include "sidecar/backup_result.h"
#include "sidecar/context.h"
#include "sidecar/host_status.h"

namespace stash::sidecar {

/// What came of the backup of one host, beside what is in `progress`.
struct BackupReport {
  const BackupProgress& progress;
  const std::optional<api::Repository>& repository;  ///< as it was read; nothing when it could not be
  bool prepared = false;                             ///< restic was asked something
  api::Progress work;
  Nanoseconds duration;
  GoOn go_on;
};

/// Tells it: Repository status, metrics, host result, events, in this order. Waits for an API server that is away.
/// Whether the host has its result: without it the host is still in the hands of this pod.
bool publish_backup(Context& context, const api::BackupConfiguration& configuration, HostStatus& status,
                    const BackupReport& report);

/// The same for the upkeep of the repository after a session; its metrics come beside those of the host's backup.
bool publish_upkeep(Context& context, const api::BackupConfiguration& configuration, HostStatus& status,
                    const BackupReport& report);

}  // namespace stash::sidecar
