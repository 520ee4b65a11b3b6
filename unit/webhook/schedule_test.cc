#include "webhook/schedule.h"

#include <catch2/catch.hpp>

using stash::webhook::schedule_error;

TEST_CASE("schedules that a CronJob takes have no error", "[webhook][schedule]") {
  for (const char* schedule :
       {"*/5 * * * *",       "0 3 * * *", "0 0 1 1 *",        "0 0 31 2 *",    "0,30 8-18 * * 1-5",
        "0 0 * jan-mar sun", "? ? ? ? ?", "10-50/10 * * * *", "5/15 * * * *",  " 0\t3  * * MON ",
        "@hourly",           "@daily",    "@midnight",        "@weekly",       "@monthly",
        "@yearly",           "@annually", "@every 1h30m",     "59 23 31 12 6", "1,2,3 */2 1,15 * *"}) {
    INFO(schedule);
    CHECK(schedule_error(schedule).empty());
  }
}

TEST_CASE("schedules that a CronJob refuses are named with the wrong part", "[webhook][schedule]") {
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

TEST_CASE("a schedule of 10 kB is judged quickly and quoted briefly", "[webhook][schedule][F64][I17]") {
  CHECK(schedule_error(std::string(10'000, '9') + " * * * *").size() < 100);
  CHECK(schedule_error(std::string(10'000, '\xff')).size() < 200);
}
