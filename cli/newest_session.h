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

}  // namespace stash::cli
