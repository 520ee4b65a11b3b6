#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "api/backup_session.h"

namespace stash::api {

/// The reason of a session that is not Completed, for the pod that it waits for works for another one.
inline constexpr std::string_view kPodBusy = "PodBusy";

/// A session that has not ended is taken for abandoned when its last sign of life is so old.
inline constexpr std::chrono::hours kAbandoned{1};

/// When somebody last worked on this session, as far as it tells. One whose hosts are objects of their own tells
/// nothing of them until it ends, and nobody works on one that waits for a busy pod: these count as worked on as long
/// as the controller lets them run. `time_out` is spec.timeOut of its BackupConfiguration.
TimePoint last_sign(const BackupSession& session, const std::string& time_out);

}  // namespace stash::api
