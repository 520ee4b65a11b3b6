#include "api/time_out.h"

#include <algorithm>

#include "base/time.h"

namespace stash::api {

std::optional<std::chrono::seconds> time_out(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto duration = parse_duration(text);
  if (!duration || *duration < std::chrono::seconds(1)) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(*duration);
}

std::optional<std::chrono::milliseconds> hook_timeout(const std::string& text, std::chrono::milliseconds unless_told) {
  constexpr std::chrono::hours kLongest{24};
  if (text.empty()) return unless_told;
  const auto timeout = parse_duration(text);
  if (!timeout || *timeout <= Nanoseconds::zero() || *timeout > kLongest) return std::nullopt;
  return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(*timeout), std::chrono::milliseconds(1));
}

}  // namespace stash::api
