#pragma once
#include <map>
#include <mutex>
#include <string>

#include "base/time.h"

namespace stash::controller {

/// What time it is for a session: the API server's, which dated it, when this process first looked at it, and what our
/// steady clock has counted since. So a step of the wall clock, forward or back, neither ends a session early nor keeps
/// it. Another process starts from the wall clock again, which counts the time while nobody looked. Thread-safe.
class SessionClock {
 public:
  explicit SessionClock(const Clock& clock) : clock_(clock) {}
  /// `session` is any name of it; one of the same name with another `uid` is another one.
  /// `ahead`: by how much our wall clock is ahead of the API server's; looked at once for each session.
  TimePoint now(const std::string& session, const std::string& uid, Nanoseconds ahead = {});
  void forget(const std::string& session);

 private:
  struct Start {
    std::string uid;
    TimePoint wall;
    std::chrono::steady_clock::time_point steady;
  };
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Start> starts_;
};

}  // namespace stash::controller
