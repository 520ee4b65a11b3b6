#pragma once
#include <atomic>

#include "base/time.h"

namespace stash {

/// A clock that stands still until it is told to go on. Thread-safe. Starts at 2026-11-23T10:00:00Z.
class FakeClock final : public Clock {
 public:
  FakeClock() : wall_(parse_time("2026-11-23T10:00:00Z").value().time_since_epoch().count()) {}
  explicit FakeClock(std::string_view rfc3339) : wall_(parse_time(rfc3339).value().time_since_epoch().count()) {}

  TimePoint now() const override { return TimePoint{TimePoint::duration{wall_.load()}}; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point{std::chrono::steady_clock::duration{steady_.load()}};
  }

  /// Both clocks go on, as they do on a healthy machine.
  void advance(std::chrono::nanoseconds by) {
    wall_ += std::chrono::duration_cast<TimePoint::duration>(by).count();
    steady_ += std::chrono::duration_cast<std::chrono::steady_clock::duration>(by).count();
  }
  /// Only the wall clock jumps, as when NTP or a human sets it.
  void set_wall(std::string_view rfc3339) { wall_ = parse_time(rfc3339).value().time_since_epoch().count(); }

 private:
  std::atomic<TimePoint::rep> wall_;
  std::atomic<std::chrono::steady_clock::rep> steady_{0};
};

}  // namespace stash
