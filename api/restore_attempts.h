#pragma once
#include <cstdint>
#include <string_view>

#include "api/restore_session.h"

namespace stash::api {

/// May a pod take up this host again, of a RestoreSession that is not Superseded? It failed, and an attempt is left.
inline bool has_attempt_left(std::string_view phase, std::int64_t attempts) {
  return phase == "Failed" && attempts < kRestoreAttempts;
}

}  // namespace stash::api
