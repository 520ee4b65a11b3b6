#pragma once
#include <algorithm>
#include <chrono>

namespace stash::controller {

/// A fight with another writer of the workload ends here: nudges come 5 s, 10 s, .. 5 min apart until it has been at
/// rest for that long.
inline constexpr std::chrono::minutes kNudgeMemory{5};
inline constexpr std::chrono::seconds kFirstNudgeDelay{5};

/// How long after the last of so many nudges the next one may come.
inline std::chrono::seconds delay_after(int nudges) {
  return std::min(kFirstNudgeDelay * (1 << std::clamp(nudges - 1, 0, 10)), std::chrono::seconds(kNudgeMemory));
}

}  // namespace stash::controller
