#include "api/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <vector>

#include "base/text.h"

namespace stash::api {
namespace {

struct Word {
  std::string_view word, fields;
};
constexpr Word kWords[] = {{"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
                           {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
                           {"@hourly", "0 * * * *"}};
/// As far as the CronJob controller looks: 30 February never comes.
constexpr std::chrono::days kHorizon{5 * 366};
constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kDays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct CronField {
  std::string_view name;
  unsigned least, most;
  std::span<const std::string_view> words;  ///< the first one stands for `least`
};
constexpr CronField kFields[] = {{"minute", 0, 59, {}},
                                 {"hour", 0, 23, {}},
                                 {"day of month", 1, 31, {}},
                                 {"month", 1, 12, kMonths},
                                 {"day of week", 0, 6, kDays}};

std::vector<std::string_view> split_at_space(std::string_view text) {
  std::vector<std::string_view> parts;
  constexpr std::string_view kSpace = " \t\n\r\v\f";
  while (true) {
    const auto begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return parts;
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(kSpace), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<unsigned> value_of(std::string_view text, const CronField& field) {
  const auto word = std::ranges::find(field.words, lower_case(text));
  if (word != field.words.end()) return field.least + static_cast<unsigned>(word - field.words.begin());
  const auto value = number(text);
  return value && *value >= field.least && *value <= field.most ? value : std::nullopt;
}

std::uint64_t bits(unsigned first, unsigned last, unsigned step) {
  std::uint64_t set = 0;
  for (unsigned i = first; i <= last; i += std::min(step, last + 1 - i)) set |= std::uint64_t{1} << i;
  return set;
}

struct Part {
  std::uint64_t set = 0;
  bool any = false;
};

std::optional<Part> part_of(std::string_view text, const CronField& field) {
  const auto steps = split(text, '/');
  if (steps.size() > 2) return std::nullopt;
  const unsigned step = steps.size() == 2 ? number(steps[1]).value_or(0) : 1;
  if (step == 0) return std::nullopt;
  const auto ends = split(steps[0], '-');
  if (ends.size() > 2) return std::nullopt;
  if (ends.size() == 1 && (ends[0] == "*" || ends[0] == "?"))
    return Part{bits(field.least, field.most, step), step == 1};
  const auto first = value_of(ends[0], field);
  const auto last = value_of(ends.back(), field);
  if (!first || !last || *first > *last) return std::nullopt;
  // "5/15" is 5, 20, 35 ...
  return Part{bits(*first, ends.size() == 1 && steps.size() == 2 ? field.most : *last, step)};
}

/// For a message: the schedule may be long and come from anybody.
std::string_view brief(std::string_view text) { return text.substr(0, 40); }

Result<Schedule> parse_fields(const std::vector<std::string_view>& texts) {
  Schedule schedule;
  std::uint64_t* const sets[] = {&schedule.minutes, &schedule.hours, &schedule.days, &schedule.months,
                                 &schedule.weekdays};
  for (std::size_t i = 0; i < std::size(kFields); ++i) {
    for (const std::string_view text : split(texts[i], ',')) {
      const auto part = part_of(text, kFields[i]);
      if (!part) {
        return fail(ErrorCode::invalid, fmt::format("\"{}\" is no {} ({} to {})", brief(text), kFields[i].name,
                                                    kFields[i].least, kFields[i].most));
      }
      *sets[i] |= part->set;
      schedule.any_day |= part->any && sets[i] == &schedule.days;
      schedule.any_weekday |= part->any && sets[i] == &schedule.weekdays;
    }
  }
  return schedule;
}

bool has(std::uint64_t set, unsigned value) { return (set >> value & 1) != 0; }

bool is_due_on(const Schedule& schedule, std::chrono::sys_days day) {
  const std::chrono::year_month_day date{day};
  const bool by_date = has(schedule.days, static_cast<unsigned>(date.day()));
  const bool by_weekday = has(schedule.weekdays, std::chrono::weekday{day}.c_encoding());
  return has(schedule.months, static_cast<unsigned>(date.month())) &&
         (schedule.any_day || schedule.any_weekday ? by_date && by_weekday : by_date || by_weekday);
}

std::optional<std::chrono::minutes> first_of_day(const Schedule& schedule, std::chrono::minutes from) {
  for (auto time = from; time < std::chrono::days(1); time += std::chrono::minutes(1)) {
    const auto minute = static_cast<unsigned>(time.count());
    if (has(schedule.hours, minute / 60) && has(schedule.minutes, minute % 60)) return time;
  }
  return std::nullopt;
}

}  // namespace

Result<Schedule> parse_schedule(std::string_view text) {
  if (text.find("TZ") != std::string_view::npos) {
    return fail(ErrorCode::invalid,
                "a time zone cannot be part of the schedule; times are those of the controller manager, usually UTC");
  }
  const auto fields = split_at_space(text);
  if (fields.empty()) return fail(ErrorCode::invalid, "the schedule is empty");
  if (text.starts_with('@')) {
    constexpr std::string_view kEvery = "@every ";
    const auto every = parse_duration(text.starts_with(kEvery) ? text.substr(kEvery.size()) : "");
    if (every) {
      const auto whole = std::chrono::floor<std::chrono::seconds>(*every);
      return Schedule{.every = std::clamp<std::chrono::seconds>(whole, std::chrono::seconds(1), kHorizon)};
    }
    const auto word = std::ranges::find(kWords, text, &Word::word);
    if (word != std::end(kWords)) return parse_fields(split_at_space(word->fields));
    return fail(
        ErrorCode::invalid,
        fmt::format("\"{}\" is none of @hourly, @daily, @weekly, @monthly, @yearly, @every <duration>", brief(text)));
  }
  if (fields.size() != std::size(kFields)) {
    return fail(
        ErrorCode::invalid,
        fmt::format("expected five fields (minute, hour, day of month, month, day of week), found {}", fields.size()));
  }
  return parse_fields(fields);
}

std::optional<TimePoint> next_slot(const Schedule& schedule, TimePoint after) {
  using std::chrono::days;
  using std::chrono::floor;
  using std::chrono::minutes;
  if (schedule.every.count() > 0) return floor<std::chrono::seconds>(after) + schedule.every;
  const auto start = floor<minutes>(after) + minutes(1);
  const auto first = floor<days>(start);
  const auto last = first + kHorizon;
  for (auto day = first; day <= last; day += days(1)) {
    if (!is_due_on(schedule, day)) continue;
    if (const auto time = first_of_day(schedule, day == first ? start - first : minutes(0))) return day + *time;
  }
  return std::nullopt;
}

bool is_slot(const Schedule& schedule, TimePoint time) {
  if (schedule.every.count() > 0) return true;
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const auto minute = std::chrono::floor<std::chrono::minutes>(time);
  return minute == time && is_due_on(schedule, day) && first_of_day(schedule, minute - day) == minute - day;
}

bool is_ever_due(const Schedule& schedule) {
  // Within these five years there is every day that there ever is.
  return next_slot(schedule, std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}).has_value();
}

int slots_between(const Schedule& schedule, TimePoint after, TimePoint until, int limit) {
  int count = 0;
  for (auto slot = next_slot(schedule, after); slot && *slot <= until && count < limit; ++count) {
    slot = next_slot(schedule, *slot);
  }
  return count;
}

}  // namespace stash::api
