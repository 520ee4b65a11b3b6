#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stash::api {

/// Stash's size text (contract 7.4): "1.500 MiB", "1024 B"; a unit is used above, not at, its power of 1024.
std::string format_size(std::uint64_t bytes);
/// Of a size as a status has it, which is exact to a thousandth of its unit; nullopt for any other text.
std::optional<std::uint64_t> parse_size(std::string_view size);
/// "m:ss", or "h:mm:ss" from an hour on.
std::string format_processing_time(std::chrono::seconds time);

}  // namespace stash::api
