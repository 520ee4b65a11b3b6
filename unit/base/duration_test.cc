#include <catch2/catch.hpp>
#include <limits>

#include "base/time.h"

using namespace stash;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

}  // namespace

// The pairs come from the documentation and the tests of Go's package time.
TEST_CASE("durations are written as Go writes them, and read back", "[base][duration]") {
  const std::pair<const char*, std::int64_t> table[] = {
      {"0s", 0},
      {"1ns", 1},
      {"1.1\u00b5s", 1'100},
      {"2.2ms", 2'200'000},
      {"850.1ms", 850'100'000},
      {"3.3s", 3'300'000'000},
      {"4m5s", 4 * kMinute + 5 * kSecond},
      {"4m5.001s", 4 * kMinute + 5 * kSecond + 1'000'000},
      {"5h6m7.001s", 5 * kHour + 6 * kMinute + 7 * kSecond + 1'000'000},
      {"1h2m3.004s", kHour + 2 * kMinute + 3 * kSecond + 4'000'000},
      {"1h0m0s", kHour},
      {"8m0.000000001s", 8 * kMinute + 1},
      {"-1.5s", -1'500'000'000},
      {"2562047h47m16.854775807s", kMost},
      {"-2562047h47m16.854775808s", kLeast},
  };
  for (const auto& [text, value] : table) {
    INFO(text);
    CHECK(format_duration(Nanoseconds{value}) == text);
    CHECK(parse_duration(text).value().count() == value);
  }
}

TEST_CASE("every form of Go's ParseDuration is read", "[base][duration]") {
  const std::pair<const char*, std::int64_t> table[] = {
      {"0", 0},
      {"+5s", 5 * kSecond},
      {"-5s", -5 * kSecond},
      {"5.0s", 5 * kSecond},
      {"5.s", 5 * kSecond},
      {".5s", kSecond / 2},
      {"1.004s", 1'004'000'000},
      {"100.00100s", 100 * kSecond + 1'000'000},
      {"12us", 12'000},
      {"12\u03bcs", 12'000},
      {"10.5s4m", 4 * kMinute + 10 * kSecond + kSecond / 2},
      {"39h9m14.425s", 39 * kHour + 9 * kMinute + 14 * kSecond + 425'000'000},
      {"52763797000ns", 52'763'797'000},
      {"0.3333333333333333333h", 20 * kMinute},
      {"0.100000000000000000000h", 6 * kMinute},
      {"9223372036854775807ns", kMost},
  };
  for (const auto& [text, value] : table) {
    INFO(text);
    CHECK(parse_duration(text).value().count() == value);
  }
}

TEST_CASE("what is no duration is refused", "[base][duration]") {
  for (const char* text :
       {"", "3", "-", "s", ".", "-.", ".s", "+.s", "1d", "3000000h", "9223372036854775808ns", "9223372036854775.808us",
        "2562047h47m16.854775808s", "-2562047h47m16.854775809s", "1 s", "1s ", "1e3s", "--1s"}) {
    INFO(text);
    CHECK(parse_duration(text).has_value() == false);
  }
  CHECK(parse_duration("1d").error() ==
        Error{ErrorCode::invalid, "\"1d\" is no duration: each number needs one of the units ns, us, ms, s, m, h"});
}
