#include "api/last_sign.h"

#include <algorithm>

#include "api/names.h"
#include "api/time_out.h"

namespace stash::api {

namespace {

/// So that no sum of times overflows.
constexpr std::chrono::hours kLongest{24 * 366};

bool waits_for_a_busy_pod(const BackupSession& session) {
  const Condition* said = find_condition(session.status.conditions, names::kCompleted);
  return said != nullptr && said->status == "False" && said->reason == kPodBusy;
}

}  // namespace

TimePoint last_sign(const BackupSession& session, const std::string& time_out_text) {
  TimePoint last = session.metadata.created;
  if (session.status.host_objects || waits_for_a_busy_pod(session))
    last += std::min<std::chrono::seconds>(time_out(time_out_text).value_or(kSessionTimeOut), kLongest);
  for (const Condition& condition : session.status.conditions) last = std::max(last, condition.last_transition);
  for (const HostStats& host : session.status.stats) {
    if (host.claim && host.claim->heartbeat) last = std::max(last, *host.claim->heartbeat);
  }
  return last;
}

}  // namespace stash::api
