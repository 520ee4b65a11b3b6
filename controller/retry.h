#pragma once
#include <optional>
#include <string>

#include "api/backup_configuration.h"
#include "api/backup_session.h"

/// Repetition of failed sessions, spec.retryConfig.
namespace stash::controller {

/// How many more sessions may follow this one when it fails: what it says itself, else what its BackupConfiguration
/// says.
int retries_left(const api::BackupSession& session, const api::BackupConfiguration& configuration);

/// When a session that fails now is repeated; nullopt: it is not.
std::optional<TimePoint> next_retry(const api::BackupSession& session, const api::BackupConfiguration& configuration,
                                    TimePoint now);

/// "<name>-retry-1", then "-retry-2", ..: always the same for the same session, so that it is never made twice.
std::string retry_name(const api::BackupSession& session);

/// The session that repeats this one.
Json retry_of(const api::BackupSession& session, const api::BackupConfiguration& configuration);

}  // namespace stash::controller
