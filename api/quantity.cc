#include "api/quantity.h"

#include <charconv>
#include <cmath>

namespace stash::api {
namespace {

std::optional<long double> scale_of(std::string_view suffix) {
  if (suffix.empty()) return 1.0L;
  constexpr std::string_view binary = "KMGTPE";
  constexpr long double powers_of_1024[] = {0x1p10L, 0x1p20L, 0x1p30L, 0x1p40L, 0x1p50L, 0x1p60L};
  if (suffix.size() == 2 && suffix[1] == 'i') {
    const auto power = binary.find(suffix[0]);
    if (power == std::string_view::npos) return std::nullopt;
    return powers_of_1024[power];
  }
  if (suffix.size() == 1) {
    constexpr std::string_view decimal = "numkMGTPE";
    constexpr long double powers_of_1000[] = {1e-9L, 1e-6L, 1e-3L, 1e3L, 1e6L, 1e9L, 1e12L, 1e15L, 1e18L};
    const auto power = decimal.find(suffix[0]);
    if (power != std::string_view::npos) return powers_of_1000[power];
  }
  if (suffix.size() < 2 || (suffix[0] != 'e' && suffix[0] != 'E')) return std::nullopt;
  suffix.remove_prefix(suffix[1] == '+' ? 2 : 1);
  int exponent = 0;
  const auto [end, error] = std::from_chars(suffix.data(), suffix.data() + suffix.size(), exponent);
  if (error != std::errc() || end != suffix.data() + suffix.size() || exponent < -9 || exponent > 18) {
    return std::nullopt;
  }
  return std::pow(10.0L, static_cast<long double>(exponent));
}

}  // namespace

std::optional<long double> parse_quantity(std::string_view text) {
  constexpr std::size_t most_digits = 18;  // what a 64-bit integer holds; the API server caps beyond
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  long double value = 0;
  long double place = 0;
  std::size_t digits = 0;
  std::size_t used = 0;
  for (; used < text.size(); ++used) {
    const char c = text[used];
    if (c == '.' && place == 0) {
      place = 1;
    } else if (c >= '0' && c <= '9') {
      if (++digits > most_digits) return std::nullopt;
      value = value * 10 + static_cast<long double>(c - '0');
      place *= 10;
    } else {
      break;
    }
  }
  if (digits == 0) return std::nullopt;
  const auto scale = scale_of(text.substr(used));
  if (!scale) return std::nullopt;
  if (place > 1) value /= place;
  return (negative ? -value : value) * *scale;
}

bool same_quantity(std::string_view left, std::string_view right) {
  const auto l = parse_quantity(left);
  const auto r = parse_quantity(right);
  if (!l || !r) return left == right;
  return std::abs(*l - *r) <= 1e-12L * std::max(std::abs(*l), std::abs(*r));
}

}  // namespace stash::api
