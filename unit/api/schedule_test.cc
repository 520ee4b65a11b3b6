#include "api/schedule.h"

#include <catch2/catch.hpp>

using namespace stash;
using namespace stash::api;
using Texts = std::vector<std::string>;

namespace {

std::string schedule_error(std::string_view text) {
  const auto schedule = parse_schedule(text);
  return schedule ? "" : schedule.error().message;
}

TimePoint at_time(std::string_view text) { return parse_time(text).value(); }

/// The next ones after `after`, without seconds and zone.
Texts slots(std::string_view schedule, std::string_view after, int count = 1) {
  Texts found;
  auto slot = std::optional(at_time(after));
  for (int i = 0; i < count; ++i) {
    slot = next_slot(parse_schedule(schedule).value(), *slot);
    if (!slot) return found;
    CHECK(format_time(*slot).ends_with(":00Z"));
    found.push_back(format_time(*slot).substr(0, 16));
  }
  return found;
}

}  // namespace

TEST_CASE("schedules that a CronJob takes have no error", "[api][schedule]") {
  for (const char* schedule :
       {"*/5 * * * *",       "0 3 * * *", "0 0 1 1 *",        "0 0 31 2 *",    "0,30 8-18 * * 1-5",
        "0 0 * jan-mar sun", "? ? ? ? ?", "10-50/10 * * * *", "5/15 * * * *",  " 0\t3  * * MON ",
        "@hourly",           "@daily",    "@midnight",        "@weekly",       "@monthly",
        "@yearly",           "@annually", "@every 1h30m",     "59 23 31 12 6", "1,2,3 */2 1,15 * *"}) {
    INFO(schedule);
    CHECK(schedule_error(schedule).empty());
  }
}

TEST_CASE("schedules that a CronJob refuses are named with the wrong part", "[api][schedule]") {
  const std::pair<std::string, std::string> cases[] = {
      {"", "the schedule is empty"},
      {"   ", "the schedule is empty"},
      {"* * * *", "expected five fields (minute, hour, day of month, month, day of week), found 4"},
      {"* * * * * *", "expected five fields (minute, hour, day of month, month, day of week), found 6"},
      {"60 * * * *", "\"60\" is no minute (0 to 59)"},
      {"0 24 * * *", "\"24\" is no hour (0 to 23)"},
      {"0 0 32 * *", "\"32\" is no day of month (1 to 31)"},
      {"0 0 0 * *", "\"0\" is no day of month (1 to 31)"},
      {"0 0 * 13 *", "\"13\" is no month (1 to 12)"},
      {"0 0 * * 7", "\"7\" is no day of week (0 to 6)"},
      {"0 0 * * someday", "\"someday\" is no day of week (0 to 6)"},
      {"*/0 * * * *", "\"*/0\" is no minute (0 to 59)"},
      {"5-1 * * * *", "\"5-1\" is no minute (0 to 59)"},
      {"1-2-3 * * * *", "\"1-2-3\" is no minute (0 to 59)"},
      {"1/2/3 * * * *", "\"1/2/3\" is no minute (0 to 59)"},
      {"-1 * * * *", "\"-1\" is no minute (0 to 59)"},
      {"1, * * * *", "\"\" is no minute (0 to 59)"},
      {"99999999999999999999 * * * *", "\"99999999999999999999\" is no minute (0 to 59)"},
      {"H * * * *", "\"H\" is no minute (0 to 59)"},
      {"@sometimes", "\"@sometimes\" is none of @hourly, @daily, @weekly, @monthly, @yearly, @every <duration>"},
      {"@every soon", "\"@every soon\" is none of @hourly, @daily, @weekly, @monthly, @yearly, @every <duration>"},
      {"TZ=UTC 0 3 * * *",
       "a time zone cannot be part of the schedule; times are those of the controller manager, usually UTC"},
  };
  for (const auto& [schedule, error] : cases) {
    INFO(schedule);
    CHECK(schedule_error(schedule) == error);
  }
}

TEST_CASE("a schedule of 10 kB is judged quickly and quoted briefly", "[api][schedule][F64][I17]") {
  CHECK(schedule_error(std::string(10'000, '9') + " * * * *").size() < 100);
  CHECK(schedule_error(std::string(10'000, '\xff')).size() < 200);
}

TEST_CASE("the next slot is after the time asked for, never at it", "[api][schedule]") {
  CHECK(slots("0 3 * * *", "2026-11-26T02:59:59Z") == Texts{"2026-11-26T03:00"});
  CHECK(slots("0 3 * * *", "2026-11-26T03:00:00Z") == Texts{"2026-11-27T03:00"});
  CHECK(slots("*/20 8-9 * * *", "2026-11-26T08:30:10Z", 4) ==
        Texts{"2026-11-26T08:40", "2026-11-26T09:00", "2026-11-26T09:20", "2026-11-26T09:40"});
  CHECK(slots("5/15 23 * * *", "2026-11-26T23:00:00Z", 5) ==
        Texts{"2026-11-26T23:05", "2026-11-26T23:20", "2026-11-26T23:35", "2026-11-26T23:50", "2026-11-27T23:05"});
}

TEST_CASE("day of month or day of week will do when both are named", "[api][schedule]") {
  // 2026-11-26 is a Thursday.
  CHECK(slots("0 0 28 * mon", "2026-11-26T12:00:00Z", 2) == Texts{"2026-11-28T00:00", "2026-11-30T00:00"});
  CHECK(slots("0 0 * * 1-5", "2026-11-27T12:00:00Z") == Texts{"2026-11-30T00:00"});
  CHECK(slots("0 0 ? jan sun", "2026-11-26T12:00:00Z") == Texts{"2027-01-03T00:00"});
  // A step makes "*" a list like any other.
  CHECK(slots("0 0 */2 * fri", "2026-11-26T12:00:00Z", 2) == Texts{"2026-11-27T00:00", "2026-11-29T00:00"});
}

TEST_CASE("a slot that comes rarely is found, one that never comes is none", "[api][schedule][F53][I8]") {
  CHECK(slots("0 0 29 2 *", "2026-11-26T12:00:00Z") == Texts{"2028-02-29T00:00"});
  CHECK(slots("0 0 31 2 *", "2026-11-26T12:00:00Z").empty());
  CHECK(slots("59 23 31 12 *", "2026-12-31T23:59:00Z") == Texts{"2027-12-31T23:59"});
}

TEST_CASE("a day that no calendar has is never due, the last of a leap year's February is", "[api][schedule]") {
  const auto due = [](std::string_view text) { return is_ever_due(parse_schedule(text).value()); };
  CHECK_FALSE(due("0 0 30 2 *"));
  CHECK_FALSE(due("0 0 31 4,6,9,11 *"));
  CHECK(due("0 0 29 2 *"));
  CHECK(due("0 0 31 2 mon"));  // or each Monday of February
  CHECK(due("@every 8760h"));
}

TEST_CASE("words are short for fields", "[api][schedule]") {
  const std::pair<const char*, const char*> words[] = {
      {"@hourly", "0 * * * *"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
      {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}};
  for (const auto& [word, fields] : words) CHECK(parse_schedule(word).value() == parse_schedule(fields).value());
}

TEST_CASE("a slot of @every is counted from the time asked for", "[api][schedule]") {
  const Schedule schedule = parse_schedule("@every 1h30m").value();
  CHECK(format_time(*next_slot(schedule, at_time("2026-11-26T12:00:05Z"))) == "2026-11-26T13:30:05Z");
  CHECK(parse_schedule("@every 1ms").value().every == std::chrono::seconds(1));
}

TEST_CASE("a time is a slot to the second, by date and by day of week", "[api][schedule]") {
  const auto is = [](std::string_view schedule, std::string_view time) {
    return is_slot(parse_schedule(schedule).value(), at_time(time));
  };
  CHECK(is("0 3 * * *", "2026-11-26T03:00:00Z"));
  CHECK_FALSE(is("0 3 * * *", "2026-11-26T03:00:01Z"));
  CHECK_FALSE(is("0 3 * * *", "2026-11-26T03:01:00Z"));
  CHECK_FALSE(is("0 3 * * *", "2026-11-26T04:00:00Z"));
  CHECK(is("0 3 * * thu", "2026-11-26T03:00:00Z"));
  CHECK_FALSE(is("0 3 * * fri", "2026-11-26T03:00:00Z"));
  CHECK(is("0 0 29 2 *", "2028-02-29T00:00:00Z"));
  CHECK(is("@every 1h", "2026-11-26T03:00:01Z"));
}

TEST_CASE("slots are counted up to a limit", "[api][schedule]") {
  const auto count = [](std::string_view schedule, std::string_view after, std::string_view until) {
    return slots_between(parse_schedule(schedule).value(), at_time(after), at_time(until), 100);
  };
  CHECK(count("0 3 * * *", "2026-11-26T03:00:00Z", "2026-11-27T02:59:59Z") == 0);
  CHECK(count("0 3 * * *", "2026-11-26T03:00:00Z", "2026-11-27T03:00:00Z") == 1);
  CHECK(count("* * * * *", "2026-11-26T03:00:00Z", "2026-11-26T03:42:00Z") == 42);
  CHECK(count("* * * * *", "2020-11-26T03:00:00Z", "2026-11-26T03:42:00Z") == 100);
  CHECK(count("0 3 * * *", "2026-11-26T03:00:00Z", "2020-11-26T03:00:00Z") == 0);
  CHECK(count("0 0 31 2 *", "2020-11-26T03:00:00Z", "2026-11-26T03:00:00Z") == 0);
}
