#include "controller/history.h"

#include <algorithm>

#include "api/names.h"
#include "base/time.h"

namespace stash::controller {
namespace {

/// Times of creation are to a second: of two in the same one, that which ended later has what somebody waits for.
bool newer(const api::BackupSession& a, const api::BackupSession& b) {
  if (a.metadata.created != b.metadata.created) return a.metadata.created > b.metadata.created;
  if (end_of(a) != end_of(b)) return end_of(a) > end_of(b);
  return a.metadata.name > b.metadata.name;
}

}  // namespace

TimePoint end_of(const api::BackupSession& session) {
  if (!api::is_final_phase(session.status.phase)) return TimePoint::max();
  const api::Condition* said = api::find_condition(session.status.conditions, api::names::kCompleted);
  if (said && said->status == "True") return said->last_transition;
  const auto took = parse_duration(session.status.session_duration);
  return session.metadata.created + std::chrono::duration_cast<TimePoint::duration>(took.value_or(Nanoseconds(0)));
}

std::vector<api::ObjectMeta> beyond_history(std::vector<api::BackupSession> sessions, int limit) {
  limit = std::max(limit, 1);
  std::erase_if(sessions, [](const api::BackupSession& session) { return session.metadata.being_deleted; });
  std::sort(sessions.begin(), sessions.end(), newer);
  const auto skipped = [](const api::BackupSession& session) { return session.status.phase == "Skipped"; };

  std::vector<api::ObjectMeta> doomed;
  int ran = 0;
  bool result_kept = false;
  const api::BackupSession* oldest_kept = nullptr;
  for (const api::BackupSession& session : sessions) {
    if (skipped(session)) continue;
    const bool finished = api::is_final_phase(session.status.phase);
    if (++ran > limit && finished && result_kept) {
      doomed.push_back(session.metadata);
      continue;
    }
    result_kept = result_kept || finished;
    oldest_kept = &session;
  }
  int skips = 0;
  for (const api::BackupSession& session : sessions) {
    if (!skipped(session)) continue;
    // Of one second: it may have been skipped for that very one.
    const bool outdated = oldest_kept && oldest_kept->metadata.created > session.metadata.created;
    if (++skips > limit || outdated) doomed.push_back(session.metadata);
  }
  return doomed;
}

bool is_followed(const Json& session, const std::vector<std::shared_ptr<const Json>>& all) {
  const auto phase = [](const Json& object) { return string_at(object, {"status", "phase"}); };
  // The API server writes all of them in one form.
  const auto created = [](const Json& object) { return string_at(object, {"metadata", "creationTimestamp"}); };
  const bool skipped = phase(session) == "Skipped";
  const std::string time = created(session);
  return api::is_final_phase(phase(session)) && std::ranges::any_of(all, [&](const std::shared_ptr<const Json>& other) {
           return created(*other) > time && api::is_final_phase(phase(*other)) &&
                  (phase(*other) == "Skipped") == skipped && !at(*other, {"metadata", "deletionTimestamp"});
         });
}

}  // namespace stash::controller
