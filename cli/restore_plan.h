#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/backup_configuration.h"
#include "base/json.h"
#include "base/time.h"
#include "cli/snapshots.h"

namespace stash::cli {

/// What a person wants back. Neither snapshots nor a time: the latest.
struct RestoreWish {
  std::string name;                      ///< of the RestoreSession; "" for "<BackupConfiguration>-<unix seconds>"
  std::vector<std::string> snapshots;    ///< ids, or their beginnings of at least 4 digits
  std::optional<TimePoint> time;         ///< of each host and path the newest complete snapshot that is not younger
  std::optional<api::TargetRef> target;  ///< into another workload than the one that was backed up
};

/// The RestoreSession to be created, from the BackupConfiguration's target, paths, mounts and Repository. `known` are
/// the repository's snapshots, as far as they are known; by `time` nothing else is found, a snapshot by id is looked up
/// to see whose it is. Where hosts are several (StatefulSet, DaemonSet) each gets a rule of its own.
/// Errors invalid and not_found, with what to do.
Result<Json> plan_restore(const api::BackupConfiguration& configuration, const RestoreWish& wish,
                          const std::vector<SnapshotFacts>& known, TimePoint now);

/// "deployment/web" or "apps/v1/Deployment/web" as a reference to a workload. Error invalid.
Result<api::TargetRef> parse_workload(std::string_view text);

}  // namespace stash::cli
