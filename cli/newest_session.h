#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/json.h"

namespace stash::cli {

/// By "namespace/name" of a BackupConfiguration its newest BackupSession, of those whose phase `counts`. The pointers
/// are into `sessions`.
std::map<std::string, const Json*> newest_sessions(
    const Json& sessions, const std::function<bool(std::string_view phase)>& counts = [](auto) { return true; });

/// The same of those that say how the backup stands: one that is still to end says nothing yet, and one that was
/// Skipped nothing about the backup, so neither may hide that the one before failed.
std::map<std::string, const Json*> newest_that_ran(const Json& sessions);

/// Whether a newer one of the RestoreSessions has taken this one's place, so that no pod waits for it.
bool is_replaced(const Json& restore, const Json& restores);

}  // namespace stash::cli
