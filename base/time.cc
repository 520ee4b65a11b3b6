#include "base/time.h"

#include <fmt/format.h>

namespace stash {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hh_mm_ss;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

std::string format_to_seconds(TimePoint time) {
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<seconds>(time - day)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

/// Reads a fixed layout from the front of a text; after the first mismatch everything else is a mismatch too.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int number(std::size_t width, int least, int most) {
    if (!good_ || rest_.size() < width) return mismatch();
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return mismatch();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(width);
    return value < least || value > most ? mismatch() : value;
  }

  char one_of(std::string_view choices) {
    if (!good_ || rest_.empty() || choices.find(rest_.front()) == choices.npos) {
      mismatch();
      return '\0';
    }
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }

  Nanoseconds fraction() {
    if (!good_ || rest_.empty() || rest_.front() != '.') return Nanoseconds{0};
    rest_.remove_prefix(1);
    std::int64_t value = 0, scale = 1'000'000'000;
    std::size_t digits = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
      scale /= 10;  // beyond nanoseconds this is 0, which drops the digit
      value += scale * (rest_[digits] - '0');
    }
    if (digits == 0) mismatch();
    rest_.remove_prefix(digits);
    return Nanoseconds{value};
  }

  bool at_end() const { return good_ && rest_.empty(); }
  bool good() const { return good_; }

 private:
  int mismatch() {
    good_ = false;
    return 0;
  }
  std::string_view rest_;
  bool good_ = true;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override { return std::chrono::system_clock::now(); }
  std::chrono::steady_clock::time_point steady() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

std::string format_time(TimePoint time) { return format_to_seconds(time) + "Z"; }

std::string format_micro_time(TimePoint time) {
  const auto fraction = floor<microseconds>(time - floor<seconds>(time));
  return fmt::format("{}.{:06}Z", format_to_seconds(time), fraction.count());
}

Result<TimePoint> parse_time(std::string_view text) {
  Scanner scan(text);
  const int year = scan.number(4, 0, 9999);
  scan.one_of("-");
  const int month = scan.number(2, 1, 12);
  scan.one_of("-");
  const int day = scan.number(2, 1, 31);
  scan.one_of("Tt");
  const int hour = scan.number(2, 0, 23);
  scan.one_of(":");
  const int minute = scan.number(2, 0, 59);
  scan.one_of(":");
  const int second = scan.number(2, 0, 60);  // 60: a leap second
  const Nanoseconds fraction = scan.fraction();
  minutes offset{0};
  if (const char zone = scan.one_of("Zz+-"); zone == '+' || zone == '-') {
    const int zone_hours = scan.number(2, 0, 23);
    scan.one_of(":");
    offset = hours{zone_hours} + minutes{scan.number(2, 0, 59)};
    if (zone == '-') offset = -offset;
  }
  const year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (!scan.at_end() || !date.ok()) return fail(ErrorCode::invalid, fmt::format("\"{}\" is no RFC 3339 time", text));
  // What nanoseconds since 1970 can hold.
  if (year < 1678 || year > 2261) return fail(ErrorCode::invalid, fmt::format("the year of {} is out of range", text));
  return TimePoint{sys_days{date}} + hours{hour} + minutes{minute} + seconds{second} + fraction - offset;
}

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace stash
