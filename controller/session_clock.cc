#include "controller/session_clock.h"

namespace stash::controller {

TimePoint SessionClock::now(const std::string& session, const std::string& uid, Nanoseconds ahead) {
  const std::scoped_lock lock(mutex_);
  Start& start = starts_[session];
  const auto steady = clock_.steady();
  if (start.uid != uid || start.wall == TimePoint())
    start = {uid, clock_.now() - std::chrono::duration_cast<TimePoint::duration>(ahead), steady};
  return start.wall + std::chrono::duration_cast<TimePoint::duration>(steady - start.steady);
}

void SessionClock::forget(const std::string& session) {
  const std::scoped_lock lock(mutex_);
  starts_.erase(session);
}

}  // namespace stash::controller
