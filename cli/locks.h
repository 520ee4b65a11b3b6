#pragma once
#include <string>

#include "base/json.h"
#include "base/time.h"

namespace stash::cli {

/// What `stash unlock` in the sidecar reported: {"removed": [...], "left": [...]} of {lock, host, user, pid, time,
/// why}.
std::string render_locks(const Json& report, bool colours, TimePoint now);

}  // namespace stash::cli
