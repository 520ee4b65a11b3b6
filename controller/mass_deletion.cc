#include "controller/mass_deletion.h"

#include <fmt/format.h>

#include "api/codec.h"
#include "api/mass_deletion.h"
#include "api/names.h"
#include "controller/reasons.h"
#include "controller/wipe_out.h"

namespace stash::controller {
namespace {

namespace names = api::names;

/// Within that time the last of many deletions is in the cache, before the first of them costs data.
constexpr std::chrono::seconds kSettles{10};
/// Who confirms wakes us; this is for what nobody tells.
constexpr std::chrono::minutes kLookAtHeld{10};

const Json* wiped_out(const Json& repository) {
  for (const Json& condition : array_at(repository, {"status", "conditions"})) {
    if (string_at(condition, {"type"}) == names::kWipedOut) return &condition;
  }
  return nullptr;
}

/// One whose Job failed, or was refused, was let through before.
bool has_begun(const Json& repository) {
  const Json* condition = wiped_out(repository);
  if (condition == nullptr) return false;
  const std::string reason = string_at(*condition, {"reason"});
  return reason == reasons::kWipingOut || reason == reasons::kWipeOutFailed;
}

bool is_confirmed(const Json& repository) {
  const std::string uid = string_at(repository, {"metadata", "uid"});
  return !uid.empty() && string_at(repository, {"metadata", "annotations", names::kConfirmWipeOut}) == uid;
}

std::chrono::seconds until_settled(const Json& repository, TimePoint now) {
  const auto deleted = parse_time(string_at(repository, {"metadata", "deletionTimestamp"}));
  return deleted ? std::chrono::ceil<std::chrono::seconds>(*deleted + kSettles - now) : std::chrono::seconds(0);
}

}  // namespace

bool awaits_wipe_out(const Json& object) {
  if (string_at(object, {"metadata", "deletionTimestamp"}).empty() || has_begun(object) || is_confirmed(object))
    return false;
  const auto repository = api::decode<api::Repository>(object);
  return repository && has_data_to_wipe(*repository);
}

std::optional<HoldBack> hold_back(const Json& repository, std::size_t awaiting, std::size_t limit, TimePoint now) {
  if (has_begun(repository) || is_confirmed(repository)) return std::nullopt;
  if (api::is_held(repository)) return HoldBack{string_at(*wiped_out(repository), {"message"}), kLookAtHeld};
  if (limit == 0) return std::nullopt;
  if (const auto left = until_settled(repository, now); left > std::chrono::seconds(0)) return HoldBack{"", left};
  if (awaiting <= limit) return std::nullopt;
  return HoldBack{fmt::format("{} Repositories with wipeOut are being deleted at once, which may be a mistake, so the "
                              "data of none of them is removed before somebody confirms it; {}",
                              awaiting, api::ways_out_of_hold(repository)),
                  kLookAtHeld};
}

}  // namespace stash::controller
