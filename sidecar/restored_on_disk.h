#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "sidecar/restic_output.h"

namespace stash::sidecar {

/// How far a restore by a restic that does not say so (before 0.17) has come: what below `paths` was changed since it
/// began. The kernel's time of change (ctime) tells a file that was written from one that lay there before.
/// Looks seldom enough that looking takes a twentieth of the time at most, and gives up where one look takes longer
/// than a second.
class RestoredOnDisk {
 public:
  /// `total`: what the snapshot holds; zeros when it is not known.
  /// `pause` is the shortest time between two looks.
  RestoredOnDisk(std::vector<std::string> paths, ResticStatus total,
                 std::chrono::milliseconds pause = std::chrono::seconds(10));

  /// nullopt: not yet again.
  std::optional<ResticStatus> look();

 private:
  using Clock = std::chrono::steady_clock;
  std::vector<std::string> paths_;
  ResticStatus total_;
  std::int64_t begun_;  ///< seconds since 1970
  std::chrono::milliseconds pause_;
  Clock::time_point next_;
  bool too_many_ = false;
};

}  // namespace stash::sidecar
