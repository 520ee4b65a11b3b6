#include "sidecar/session_name.h"

#include <algorithm>
#include <charconv>

#include "api/codec.h"
#include "api/names.h"
#include "base/hash.h"

namespace stash::sidecar {

TimePoint slot_of(std::string_view job_name, TimePoint now) {
  const auto dash = job_name.rfind('-');
  if (dash == std::string_view::npos) return now;
  const std::string_view digits = job_name.substr(dash + 1);
  std::int64_t minutes = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), minutes);
  if (error != std::errc{} || end != digits.data() + digits.size() || minutes < 0) return now;
  // "manual-2" also ends in a number.
  constexpr std::chrono::hours kPlausible{24 * 31};
  const auto now_minutes = std::chrono::floor<std::chrono::minutes>(now.time_since_epoch());
  if (minutes < (now_minutes - kPlausible).count() || minutes > (now_minutes + kPlausible).count()) return now;
  return TimePoint(std::chrono::minutes(minutes));
}

std::string session_name(std::string_view configuration, TimePoint slot) {
  constexpr std::size_t kLimit = 63;
  const std::string seconds = std::to_string(std::chrono::floor<std::chrono::seconds>(slot.time_since_epoch()).count());
  return shorten_name(configuration, kLimit - 1 - seconds.size()) + "-" + seconds;
}

std::string session_tag(const Json& session) {
  return std::string(api::names::kSessionTagPrefix) + string_at(session, {"metadata", "uid"});
}

Json backup_session_of(const api::BackupConfiguration& configuration, std::string name) {
  api::BackupSession session;
  session.metadata.name = std::move(name);
  session.metadata.ns = configuration.metadata.ns;
  session.metadata.labels = configuration.metadata.labels;
  api::set_configuration(session, configuration.metadata.name);
  if (const auto& retry = configuration.spec.retry_config) session.spec.retry_left = std::max(0, retry->max_retry);
  Json json = api::encode(session);
  json["metadata"]["ownerReferences"] = Json::array({{{"apiVersion", api::kBackupConfigurations.api_version()},
                                                      {"kind", api::kBackupConfigurations.kind},
                                                      {"name", configuration.metadata.name},
                                                      {"uid", configuration.metadata.uid},
                                                      {"blockOwnerDeletion", false}}});
  return json;
}

}  // namespace stash::sidecar
