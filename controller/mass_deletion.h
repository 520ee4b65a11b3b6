#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/time.h"

/// Of many Repositories with wipeOut that are deleted at once, none loses its data before somebody has confirmed it
/// (docs/decisions/0049).
namespace stash::controller {

/// Is this one of those that count: being deleted, its data still to be removed, no Job for that made yet, and not
/// confirmed? Those in a namespace that is being deleted keep their data, and are for the caller to leave out.
bool awaits_wipe_out(const Json& repository);

/// Why the data of one must not be removed now.
struct HoldBack {
  std::string message;  ///< for its condition; "": the deletion is too young to tell
  std::chrono::seconds look_again_in{0};
  friend bool operator==(const HoldBack&, const HoldBack&) = default;
};

/// Of one for which no Job was made yet; `awaiting` counts all that await their wipe-out, itself among them. Once held
/// it stays held, whatever the others do, and with the message that it got then. `now` by the API server's clock.
std::optional<HoldBack> hold_back(const Json& repository, std::size_t awaiting, std::size_t limit, TimePoint now);

}  // namespace stash::controller
