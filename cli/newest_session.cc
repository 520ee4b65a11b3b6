#include "cli/newest_session.h"

#include <algorithm>
#include <tuple>

#include "api/codec.h"
#include "api/names.h"
#include "api/workload_kind.h"
#include "cli/object.h"
#include "cli/progress.h"

namespace stash::cli {

namespace {

/// RFC 3339 in UTC sorts as text; of one second the later name.
bool is_newer(const Json& left, const Json& right) {
  const auto age = [](const Json& session) {
    return std::pair(string_at(session, {"metadata", "creationTimestamp"}), name_of(session));
  };
  return age(left) > age(right);
}

bool same_target(const Json& left, const Json& right) {
  const auto target = [](const Json& restore) {
    const auto told = [&restore](std::string_view field) {
      return string_at(restore, {"spec", "target", "ref", field});
    };
    return std::tuple(ns_of(restore), std::string(api::workload_group(told("apiVersion"))), told("kind"), told("name"));
  };
  return target(left) == target(right);
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

std::map<std::string, const Json*> newest_that_ran(const Json& sessions) {
  return newest_sessions(sessions, [](std::string_view phase) { return is_over(phase) && phase != "Skipped"; });
}

bool is_replaced(const Json& restore, const Json& restores) {
  if (string_at(restore, {"status", "reason"}) == api::names::kSuperseded) return true;
  const auto created = [](const Json& object) { return string_at(object, {"metadata", "creationTimestamp"}); };
  return std::ranges::any_of(restores, [&](const Json& other) {
    return string_at(other, {"status", "phase"}) == "Succeeded" && created(other) > created(restore) &&
           same_target(other, restore);
  });
}

}  // namespace stash::cli
