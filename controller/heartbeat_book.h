#pragma once
#include <map>
#include <mutex>
#include <string>

#include "base/json.h"
#include "base/time.h"

namespace stash::controller {

/// For how long the claims of a session have not changed, by our own steady clock: the times that pods write are
/// compared with each other only, never with our clock, so a node whose clock is wrong is not judged by it.
/// Thread-safe.
class HeartbeatBook {
 public:
  explicit HeartbeatBook(const Clock& clock) : clock_(clock) {}
  /// `session` is any name of it, `stats` its host entries. By hostname, claimed hosts only.
  std::map<std::string, std::chrono::seconds> silent_for(const std::string& session, const Json& stats);
  void forget(const std::string& session);

 private:
  struct Beat {
    std::string claim;
    std::chrono::steady_clock::time_point first_seen;
  };
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, std::map<std::string, Beat>> sessions_;
};

}  // namespace stash::controller
