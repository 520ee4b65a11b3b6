#include <fmt/format.h>

#include <array>
#include <limits>

#include "base/time.h"

namespace stash {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};

// Longer names first where one is the beginning of another. Both letters that look like a micro sign are Go's.
constexpr std::array<Unit, 8> kUnits{{{"ns", 1},
                                      {"us", 1'000},
                                      {"\u00b5s", 1'000},
                                      {"\u03bcs", 1'000},
                                      {"ms", 1'000'000},
                                      {"s", 1'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"h", 3'600'000'000'000}}};

constexpr std::uint64_t kMagnitudeLimit = 1ull << 63;

/// "12.34" without trailing zeros of the fraction: value / 10^digits.
std::string decimal(std::uint64_t value, int digits) {
  std::uint64_t scale = 1;
  for (int i = 0; i < digits; ++i) scale *= 10;
  std::string text = std::to_string(value / scale);
  if (value % scale == 0) return text;
  std::string fraction = fmt::format("{:0{}}", value % scale, digits);
  while (fraction.back() == '0') fraction.pop_back();
  return text + "." + fraction;
}

const Unit* unit_at_front(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && text[length] != '.' && (text[length] < '0' || text[length] > '9')) ++length;
  for (const Unit& unit : kUnits) {
    if (unit.name == text.substr(0, length)) return &unit;
  }
  return nullptr;
}

}  // namespace

std::string format_duration(Nanoseconds duration) {
  const bool negative = duration.count() < 0;
  std::uint64_t left = static_cast<std::uint64_t>(duration.count());
  if (negative) left = 0 - left;
  if (left == 0) return "0s";
  std::string text = negative ? "-" : "";
  if (left < 1'000) return text + std::to_string(left) + "ns";
  if (left < 1'000'000) return text + decimal(left, 3) + "\u00b5s";
  if (left < 1'000'000'000) return text + decimal(left, 6) + "ms";
  const std::uint64_t minutes = left / 60'000'000'000u;
  if (minutes >= 60) text += std::to_string(minutes / 60) + "h";
  if (minutes >= 1) text += std::to_string(minutes % 60) + "m";
  return text + decimal(left % 60'000'000'000u, 9) + "s";
}

Result<Nanoseconds> parse_duration(std::string_view text) {
  const auto refuse = [text](std::string_view why) {
    return fail(ErrorCode::invalid, fmt::format("\"{}\" is no duration: {}", text, why));
  };
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
    negative = rest.front() == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return Nanoseconds{0};
  if (rest.empty()) return refuse("it is empty");

  std::uint64_t total = 0;
  while (!rest.empty()) {
    std::uint64_t whole = 0, fraction = 0;
    double scale = 1;
    std::size_t digits = 0;
    const auto digit_next = [&rest] { return !rest.empty() && rest.front() >= '0' && rest.front() <= '9'; };
    for (; digit_next(); rest.remove_prefix(1), ++digits) {
      const auto digit = static_cast<std::uint64_t>(rest.front() - '0');
      if (whole > (kMagnitudeLimit - digit) / 10) return refuse("it is too long");
      whole = whole * 10 + digit;
    }
    if (!rest.empty() && rest.front() == '.') {
      rest.remove_prefix(1);
      for (; digit_next(); rest.remove_prefix(1), ++digits) {
        if (fraction > (kMagnitudeLimit - 9) / 10) continue;  // finer than anything that counts
        fraction = fraction * 10 + static_cast<std::uint64_t>(rest.front() - '0');
        scale *= 10;
      }
    }
    if (digits == 0) return refuse("a number is missing");
    const Unit* unit = unit_at_front(rest);
    if (unit == nullptr) return refuse("each number needs one of the units ns, us, ms, s, m, h");
    rest.remove_prefix(unit->name.size());
    if (whole > kMagnitudeLimit / unit->nanoseconds) return refuse("it is too long");
    std::uint64_t part = whole * unit->nanoseconds;
    part +=
        static_cast<std::uint64_t>(static_cast<double>(fraction) * (static_cast<double>(unit->nanoseconds) / scale));
    if (part > kMagnitudeLimit || total > kMagnitudeLimit - part) return refuse("it is too long");
    total += part;
  }
  if (negative) return Nanoseconds{static_cast<std::int64_t>(0 - total)};
  if (total == kMagnitudeLimit) return refuse("it is too long");
  return Nanoseconds{static_cast<std::int64_t>(total)};
}

}  // namespace stash
