#include "base/time.h"

#include <catch2/catch.hpp>

#include "unit/support/fake_clock.h"

using namespace stash;

namespace {

TimePoint unix_seconds(std::int64_t seconds, std::int64_t nanoseconds = 0) {
  return TimePoint{std::chrono::seconds{seconds} + std::chrono::nanoseconds{nanoseconds}};
}

}  // namespace

TEST_CASE("times are written as metav1.Time and metav1.MicroTime are", "[base][time]") {
  CHECK(format_time(unix_seconds(0)) == "1970-01-01T00:00:00Z");
  CHECK(format_time(unix_seconds(1'795'429'506, 999'999'999)) == "2026-11-23T10:25:06Z");
  CHECK(format_time(unix_seconds(-1)) == "1969-12-31T23:59:59Z");
  CHECK(format_micro_time(unix_seconds(1'795'429'506, 1'234)) == "2026-11-23T10:25:06.000001Z");
  CHECK(format_micro_time(unix_seconds(0)) == "1970-01-01T00:00:00.000000Z");
}

TEST_CASE("every RFC 3339 time is read", "[base][time]") {
  const std::pair<const char*, TimePoint> table[] = {
      {"1970-01-01T00:00:00Z", unix_seconds(0)},
      {"2026-11-23T10:25:06Z", unix_seconds(1'795'429'506)},
      {"2026-11-23t10:25:06z", unix_seconds(1'795'429'506)},
      {"2026-11-23T12:25:06+02:00", unix_seconds(1'795'429'506)},
      {"2026-11-23T04:55:06-05:30", unix_seconds(1'795'429'506)},
      {"2026-11-23T10:25:06.5Z", unix_seconds(1'795'429'506, 500'000'000)},
      {"2026-11-23T10:25:06.123456789Z", unix_seconds(1'795'429'506, 123'456'789)},
      {"2026-11-23T10:25:06.1234567891234Z", unix_seconds(1'795'429'506, 123'456'789)},
      {"1969-12-31T23:59:59Z", unix_seconds(-1)},
      {"2024-02-29T00:00:00Z", unix_seconds(1'709'164'800)},
      {"2016-12-31T23:59:60Z", unix_seconds(1'483'228'800)},
  };
  for (const auto& [text, time] : table) {
    INFO(text);
    CHECK(parse_time(text).value() == time);
  }
}

TEST_CASE("what is no RFC 3339 time is refused", "[base][time]") {
  for (const char* text :
       {"", "now", "2026-11-23", "2026-11-23T10:25:06", "2026-11-23 10:25:06Z", "2026-11-23T10:25Z",
        "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T10:60:00Z",
        "2026-11-23T10:25:61Z", "2026-11-23T10:25:06.Z", "2026-11-23T10:25:06+0200", "2026-11-23T10:25:06ZZ",
        "+2026-11-23T10:25:06Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"}) {
    INFO(text);
    CHECK(parse_time(text).has_value() == false);
  }
  CHECK(parse_time("now").error() == Error{ErrorCode::invalid, "\"now\" is no RFC 3339 time"});
}

TEST_CASE("the fake clock goes on only when told", "[base][time]") {
  FakeClock clock("2026-11-23T10:25:06Z");
  const auto steady = clock.steady();
  clock.advance(std::chrono::seconds(4));
  CHECK(format_time(clock.now()) == "2026-11-23T10:25:10Z");
  clock.set_wall("2020-01-01T00:00:00Z");
  CHECK(format_time(clock.now()) == "2020-01-01T00:00:00Z");
  CHECK(clock.steady() - steady == std::chrono::seconds(4));
}
