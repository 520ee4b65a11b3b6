#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stash {

using TimePoint = std::chrono::system_clock::time_point;
using Nanoseconds = std::chrono::nanoseconds;

/// RFC 3339 in UTC with whole seconds and `Z`, as metav1.Time is written.
std::string format_time(TimePoint time);
/// RFC 3339 with microseconds, as metav1.MicroTime is written (Lease).
std::string format_micro_time(TimePoint time);
/// Any RFC 3339 time: fractions, offsets, lower-case t and z. Error invalid.
Result<TimePoint> parse_time(std::string_view text);

/// Go's time.Duration text: "1h2m3.004s", "850.1ms", "0s" (https://pkg.go.dev/time#Duration.String).
std::string format_duration(Nanoseconds duration);
/// Go's time.ParseDuration. Error invalid, also on overflow.
Result<Nanoseconds> parse_duration(std::string_view text);

/// Where decisions get the time from; tests pass a clock of their own.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;                                 ///< wall clock, for what other machines read
  virtual std::chrono::steady_clock::time_point steady() const = 0;  ///< for durations and deadlines of ours
};

/// The machine's clocks. Thread-safe, lives for ever.
const Clock& system_clock();

}  // namespace stash
