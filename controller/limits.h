#pragma once
#include <chrono>
#include <cstddef>

#include "api/silence.h"
#include "api/time_out.h"

namespace stash::controller {

/// How long the state machines of sessions wait for what, and how much data goes without another word.
struct Limits {
  std::chrono::seconds grace{15};                        ///< for objects that were applied in one go, in any order
  std::chrono::seconds claim{std::chrono::minutes(10)};  ///< for a pod to take a host
  std::chrono::seconds stall{api::kStall};               ///< for a sign of progress of a living pod
  std::chrono::seconds notice{60};                       ///< for a pod to see, by a sign of life, that it is to end
  std::chrono::seconds deadline{api::kSessionTimeOut};   ///< of a BackupSession without spec.timeOut
  std::chrono::seconds look_again{10};                   ///< while a session is unfinished
  std::size_t wiped_at_once = 10;  ///< Repositories; when more are deleted, somebody has to confirm it. 0: no limit
};

}  // namespace stash::controller
