#include "sidecar/restic_version.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace stash::sidecar {

std::optional<ResticVersion> parse_restic_version(std::string_view output) {
  constexpr std::string_view kName = "restic ";
  const auto start = output.find(kName);
  if (start == std::string_view::npos || (start > 0 && output[start - 1] != '\n')) return std::nullopt;
  std::string_view rest = output.substr(start + kName.size());
  if (rest.starts_with('v')) rest.remove_prefix(1);

  std::array<int, 3> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), parts[i]);
    if (error != std::errc{} || parts[i] < 0)
      return i < 2 ? std::nullopt : std::optional(ResticVersion{parts[0], parts[1]});
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (!rest.starts_with('.')) {
      if (i == 0) return std::nullopt;
      break;
    }
    rest.remove_prefix(1);
  }
  return ResticVersion{parts[0], parts[1], parts[2]};
}

std::string to_string(const ResticVersion& version) {
  return fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

}  // namespace stash::sidecar
