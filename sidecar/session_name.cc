#include "sidecar/session_name.h"

#include <charconv>

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

}  // namespace stash::sidecar
