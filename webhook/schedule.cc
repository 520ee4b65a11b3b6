#include "webhook/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <vector>

#include "base/text.h"
#include "base/time.h"

namespace stash::webhook {
namespace {

constexpr std::string_view kWords[] = {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"};
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

bool is_part(std::string_view part, const CronField& field) {
  const auto steps = split(part, '/');
  if (steps.size() > 2) return false;
  if (steps.size() == 2 && number(steps[1]).value_or(0) == 0) return false;
  const auto ends = split(steps[0], '-');
  if (ends.size() > 2) return false;
  if (ends.size() == 1 && (ends[0] == "*" || ends[0] == "?")) return true;
  const auto first = value_of(ends[0], field);
  const auto last = value_of(ends.back(), field);
  return first && last && *first <= *last;
}

/// For a message: the schedule may be long and come from anybody.
std::string_view brief(std::string_view text) { return text.substr(0, 40); }

}  // namespace

std::string schedule_error(std::string_view schedule) {
  if (schedule.find("TZ") != std::string_view::npos) {
    return "a time zone cannot be part of the schedule; times are those of the controller manager, usually UTC";
  }
  const auto fields = split_at_space(schedule);
  if (fields.empty()) return "the schedule is empty";
  if (schedule.starts_with('@')) {
    constexpr std::string_view kEvery = "@every ";
    if (schedule.starts_with(kEvery) && parse_duration(schedule.substr(kEvery.size()))) return "";
    if (std::ranges::count(kWords, schedule) != 0) return "";
    return fmt::format("\"{}\" is none of @hourly, @daily, @weekly, @monthly, @yearly, @every <duration>",
                       brief(schedule));
  }
  if (fields.size() != std::size(kFields)) {
    return fmt::format("expected five fields (minute, hour, day of month, month, day of week), found {}",
                       fields.size());
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    for (const std::string_view part : split(fields[i], ',')) {
      if (is_part(part, kFields[i])) continue;
      return fmt::format("\"{}\" is no {} ({} to {})", brief(part), kFields[i].name, kFields[i].least, kFields[i].most);
    }
  }
  return "";
}

}  // namespace stash::webhook
