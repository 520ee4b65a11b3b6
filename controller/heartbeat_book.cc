#include "controller/heartbeat_book.h"

namespace stash::controller {

std::map<std::string, std::chrono::seconds> HeartbeatBook::silent_for(const std::string& session, const Json& stats) {
  const std::scoped_lock lock(mutex_);
  std::map<std::string, std::chrono::seconds> silence;
  std::map<std::string, Beat> beats;
  std::map<std::string, Beat>& known = sessions_[session];
  for (const Json& host : stats) {
    const Json* claim = at(host, {"claim"});
    if (!claim) continue;
    const std::string hostname = string_at(host, {"hostname"});
    Beat beat{dump_json(*claim), clock_.steady()};
    if (const auto old = known.find(hostname); old != known.end() && old->second.claim == beat.claim)
      beat = old->second;
    silence[hostname] = std::chrono::duration_cast<std::chrono::seconds>(clock_.steady() - beat.first_seen);
    beats[hostname] = std::move(beat);
  }
  known = std::move(beats);
  if (known.empty()) sessions_.erase(session);
  return silence;
}

void HeartbeatBook::forget(const std::string& session) {
  const std::scoped_lock lock(mutex_);
  sessions_.erase(session);
}

}  // namespace stash::controller
