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
  bool others_latest = false;            ///< hosts for which snapshots or time say nothing get their latest
};

/// What the plan looks at.
struct RestoreFacts {
  std::vector<SnapshotFacts> known;  ///< snapshots of the repository, oldest first, as far as they are known
  bool all_known = false;            ///< the repository itself was asked
  std::vector<std::string> hosts;    ///< of the target now (cli/restore_hosts.h); empty: not known
};

/// The RestoreSession has a rule for each host, so it matters which there are: one without a rule makes it Invalid.
bool has_rules_by_host(const api::BackupConfiguration& configuration, const RestoreWish& wish);

struct RestorePlan {
  Json session;          ///< to be created
  std::string left_out;  ///< what a person may not have meant to leave as it is, a sentence; "" for nothing
};

/// The RestoreSession to be created, from the BackupConfiguration's target, paths, mounts and Repository. By `time`
/// nothing but what is known is found, a snapshot by id is looked up to see whose it is. Where hosts are several
/// (StatefulSet, DaemonSet) each gets a rule of its own, and it is an error when one would get none: nothing may be
/// left out in silence, so the controller refuses such a RestoreSession. A path may be left out, and is told: a
/// snapshot is of one path, and who names it may want just that one. Errors invalid and not_found, with what to do.
Result<RestorePlan> plan_restore(const api::BackupConfiguration& configuration, const RestoreWish& wish,
                                 const RestoreFacts& facts, TimePoint now);

/// "deployment/web" or "apps/v1/Deployment/web" as a reference to a workload. Error invalid.
Result<api::TargetRef> parse_workload(std::string_view text);

}  // namespace stash::cli
