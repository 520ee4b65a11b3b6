#include "api/time_out.h"

#include "base/time.h"

namespace stash::api {

std::optional<std::chrono::seconds> time_out(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto duration = parse_duration(text);
  if (!duration || *duration < std::chrono::seconds(1)) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(*duration);
}

}  // namespace stash::api
