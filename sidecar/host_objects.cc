#include "sidecar/host_objects.h"

#include <algorithm>
#include <iterator>

#include "api/backup_session_host.h"

namespace stash::sidecar {

bool HostObjects::is_for_upkeep(const Json& session, const std::string& host) const {
  return string_at(session, {"status", "upkeepHost"}) == host &&
         !upkept_.contains(string_at(session, {"metadata", "uid"}));
}

bool HostObjects::may_wait(const Json& session, const std::optional<std::string>& host) const {
  if (!api::has_host_objects(session)) return false;
  return !host || !over_for_us_.contains(string_at(session, {"metadata", "uid"})) || is_for_upkeep(session, *host);
}

Result<void> HostObjects::add_waiting(const std::vector<const Json*>& sessions, const std::string& configuration,
                                      const std::string& host,
                                      const std::function<bool(const std::string& uid)>& unseen,
                                      std::vector<NextSession>& waiting) {
  std::vector<const Json*> candidates;
  std::ranges::copy_if(sessions, std::back_inserter(candidates),
                       [&](const Json* session) { return may_wait(*session, host); });
  for (const Json* session : sessions_of(candidates, configuration)) {
    const api::ObjectMeta meta = api::meta_of(*session);
    const bool upkeep = is_for_upkeep(*session, host);
    std::optional<HostEntry> entry = HostEntry{.index = 0, .phase = "Pending", .pod = "", .pod_uid = ""};
    if (upkeep || makes_way(*session) || !unseen(meta.uid)) {
      TRY(entry, read(*session, host, upkeep));
    }
    if (!entry) continue;
    const bool held = is_held_by(*entry, context_.pod);
    const NextSession next{meta.name, meta.uid, *entry, held, configuration, meta.created, true, upkeep};
    if (held || (is_pending(*entry) && (upkeep || !makes_way(*session)))) {
      waiting.push_back(next);
    } else if (api::is_final_phase(entry->phase)) {
      note_done(next);
    }
  }
  return {};
}

Result<std::optional<HostEntry>> HostObjects::read(const Json& session, const std::string& host, bool upkeep) {
  auto object = context_.api.get(api::kBackupSessionHosts, api::host_object_ref(session, upkeep ? "" : host));
  if (!object && object.error().code == ErrorCode::not_found) return std::nullopt;
  TRY(const Json found, std::move(object));
  return host_entry(found, host);
}

void HostObjects::note_done(const NextSession& done) {
  if (done.beside) (done.upkeep ? upkept_ : over_for_us_).insert(done.uid);
}

void HostObjects::forget_all_but(const std::set<std::string>& uids) {
  for (std::set<std::string>* known : {&over_for_us_, &upkept_})
    std::erase_if(*known, [&uids](const std::string& uid) { return !uids.contains(uid); });
}

void HostObjects::forget(const std::string& uid) {
  over_for_us_.erase(uid);
  upkept_.erase(uid);
}

}  // namespace stash::sidecar
