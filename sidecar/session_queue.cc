#include "sidecar/session_queue.h"

#include <algorithm>
#include <tuple>

#include "api/backup_session_host.h"
#include "api/codec.h"
#include "api/meta.h"
#include "api/names.h"

namespace stash::sidecar {

namespace {

bool belongs_to(const Json& session, std::string_view configuration) {
  const auto decoded = api::decode<api::BackupSession>(session);
  if (!decoded) return false;
  const auto name = api::configuration_of(*decoded);
  return name && *name == configuration;
}

}  // namespace

std::vector<const Json*> sessions_of(const std::vector<const Json*>& sessions, std::string_view configuration) {
  std::vector<const Json*> own;
  for (const Json* session : sessions) {
    if (!is_over(*session) && belongs_to(*session, configuration)) own.push_back(session);
  }
  std::ranges::sort(own, {}, [](const Json* session) {
    const api::ObjectMeta meta = api::meta_of(*session);
    return std::tuple(meta.created, meta.name);
  });
  return own;
}

bool makes_way(const Json& session) {
  return string_at(session, {"status", "reason"}) == api::names::kRestoreInProgress;
}

std::vector<NextSession> waiting_sessions(const std::vector<const Json*>& sessions, std::string_view configuration,
                                          std::string_view host, const PodIdentity& pod) {
  std::vector<const Json*> candidates;
  for (const Json* session : sessions) {
    const auto entry = host_entry(*session, host);
    if (!entry) continue;
    if ((is_pending(*entry) && !makes_way(*session)) || is_held_by(*entry, pod)) candidates.push_back(session);
  }
  std::vector<NextSession> waiting;
  for (const Json* session : sessions_of(candidates, configuration)) {
    const api::ObjectMeta meta = api::meta_of(*session);
    const HostEntry entry = *host_entry(*session, host);
    waiting.push_back({meta.name, meta.uid, entry, is_held_by(entry, pod), std::string(configuration), meta.created});
  }
  return waiting;
}

std::vector<NextSession> in_turn(std::vector<NextSession> waiting, const std::set<std::string>& tried) {
  std::ranges::sort(waiting, {}, [&tried](const NextSession& session) {
    return std::tuple(tried.contains(session.uid), !session.resume, session.created, session.name);
  });
  return waiting;
}

std::chrono::milliseconds stagger(const Json& session, std::string_view pod_uid) {
  const Json& status = object_at(session, {"status"});
  if (!api::has_host_objects(session) || status.contains("upkeepHost")) return {};
  const auto span = std::clamp<std::int64_t>(int_at(status, {"totalHosts"}), 1, 1000) * 10;
  const std::size_t seed = std::hash<std::string_view>{}(pod_uid);
  return std::chrono::milliseconds(static_cast<std::int64_t>(seed % static_cast<std::size_t>(span)));
}

}  // namespace stash::sidecar
