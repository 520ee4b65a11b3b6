#include "api/format.h"

#include <fmt/format.h>

#include <charconv>

namespace stash::api {

std::string format_size(std::uint64_t bytes) {
  constexpr std::pair<int, std::string_view> units[] = {{40, "TiB"}, {30, "GiB"}, {20, "MiB"}, {10, "KiB"}};
  for (const auto& [bits, unit] : units) {
    const std::uint64_t one = std::uint64_t{1} << bits;
    if (bytes > one) return fmt::format("{:.3f} {}", static_cast<double>(bytes) / static_cast<double>(one), unit);
  }
  return fmt::format("{} B", bytes);
}

std::optional<std::uint64_t> parse_size(std::string_view size) {
  double number = 0;
  const auto [rest, problem] = std::from_chars(size.data(), size.data() + size.size(), number);
  if (problem != std::errc() || number < 0 || number >= 1e9) return std::nullopt;
  double unit = 1;
  const std::string_view name(rest, static_cast<std::size_t>(size.data() + size.size() - rest));
  for (const std::string_view known : {" B", " KiB", " MiB", " GiB", " TiB"}) {
    if (name == known) return static_cast<std::uint64_t>(number * unit);
    unit *= 1024;
  }
  return std::nullopt;
}

std::string format_processing_time(std::chrono::seconds time) {
  const auto seconds = std::max<std::int64_t>(time.count(), 0);
  const auto hours = seconds / 3600, minutes = seconds / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, seconds % 60);
  return fmt::format("{}:{:02}", minutes, seconds % 60);
}

}  // namespace stash::api
