#pragma once
#include "api/repository.h"
#include "sidecar/backup_plan.h"
#include "sidecar/metrics_text.h"

/// What is told of one host's backup, as pure functions.
namespace stash::sidecar {

/// The last of a host's results. Shortcomings of a host that Succeeded are told in `error` too.
api::HostStats host_result(const BackupProgress& progress, const std::string& host, Nanoseconds duration,
                           const api::Claim& claim);

/// The Repository's status after this run: a merge patch (contract 3.3), null when it stays as it is. The time of the
/// last backup is of one that succeeded.
Json repository_patch(const BackupProgress& progress, TimePoint now);

/// Sums over all paths, for the Pushgateway.
BackupMetrics backup_metrics(const BackupProgress& progress, Nanoseconds duration);

/// A check is due a day after the last one, whoever made it, and as long as that one was not good.
bool check_is_due(const api::RepositoryStatus& repository, TimePoint now);

}  // namespace stash::sidecar
