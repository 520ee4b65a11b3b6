#include "inject/restore_place.h"

#include <algorithm>

#include "api/names.h"
#include "inject/workload_view.h"

namespace stash::inject {
namespace {

bool has_begun(const api::RestoreSession& session) {
  return was_tried(session) || std::ranges::any_of(session.status.stats, [](const api::HostStats& host) {
           return host.phase == "Running" || host.phase == "Succeeded";
         });
}

}  // namespace

bool was_tried(const api::RestoreSession& session) {
  return std::ranges::any_of(session.status.stats, [](const api::HostStats& host) { return host.attempts > 0; });
}

bool has_failed(const api::RestoreSession& session) {
  return session.status.phase == "Failed" || session.status.phase == "Unknown";
}

bool was_ended_by_older_stash(const api::RestoreSession& session) {
  return has_failed(session) && find_condition(session.status.conditions, api::names::kCompleted) == nullptr;
}

bool is_over(const api::RestoreSession& session) {
  return session.status.phase == "Succeeded" || was_ended_by_older_stash(session);
}

bool is_injected(const Json& workload, const api::RestoreSession& session) {
  const Json* live = init_container_of(workload);
  if (live == nullptr || invoker_of(*live) != session.metadata.name) return false;
  const std::string uid = restore_uid_of(workload);
  return uid.empty() || uid == session.metadata.uid || is_over(session) || has_begun(session);
}

std::string restore_uid_of(const Json& workload) {
  return string_at(workload, {"spec", "template", "metadata", "annotations", api::names::kAppliedRestoreUid});
}

std::string uid_to_state(const Json& workload, const api::RestoreSession& session) {
  const bool unstated = is_injected(workload, session) && restore_uid_of(workload).empty();
  // Pods that an earlier release made may restore already, and are not to begin again for our sake.
  return unstated && session.status.phase != "Pending" ? "" : session.metadata.uid;
}

}  // namespace stash::inject
