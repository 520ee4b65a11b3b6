#include "cli/newest_session.h"

#include <tuple>

#include "api/codec.h"
#include "cli/object.h"

namespace stash::cli {

namespace {

/// RFC 3339 in UTC sorts as text; of one second the later name.
bool is_newer(const Json& left, const Json& right) {
  const auto age = [](const Json& session) {
    return std::pair(string_at(session, {"metadata", "creationTimestamp"}), name_of(session));
  };
  return age(left) > age(right);
}

}  // namespace

std::map<std::string, const Json*> newest_sessions(const Json& sessions,
                                                   const std::function<bool(std::string_view phase)>& counts) {
  std::map<std::string, const Json*> newest;
  for (const Json& session : sessions) {
    if (!counts(string_at(session, {"status", "phase"}))) continue;
    const auto decoded = api::decode<api::BackupSession>(session);
    const auto configuration = decoded ? api::configuration_of(*decoded) : Result<std::string>("");
    if (!configuration || configuration->empty()) continue;
    const Json*& known = newest[to_string(api::ObjectRef{ns_of(session), *configuration})];
    if (known == nullptr || is_newer(session, *known)) known = &session;
  }
  return newest;
}

}  // namespace stash::cli
