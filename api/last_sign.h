#pragma once
#include <chrono>
#include <string>

#include "api/backup_session.h"

namespace stash::api {

/// A session that has not ended is taken for abandoned when its last sign of life is so old.
inline constexpr std::chrono::hours kAbandoned{1};

/// When somebody last worked on this session, as far as it tells. One whose hosts are objects of their own tells
/// nothing of them until it ends, so it counts as worked on as long as the controller lets it run. `time_out` is
/// spec.timeOut of its BackupConfiguration.
TimePoint last_sign(const BackupSession& session, const std::string& time_out);

}  // namespace stash::api
