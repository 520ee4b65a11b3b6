#include "cli/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "cli/table.h"

namespace stash::cli {

namespace {

using Lines = std::vector<std::string_view>;

struct Line {
  char mark;  ///< ' ', '-' or '+'
  std::string_view text;
};

Lines lines_of(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.empty()) return {};
  return split(text, '\n');
}

constexpr std::size_t kMost = 4'000;

/// The longest common subsequence by the textbook's table; workloads have a few hundred lines.
void append_changes(const Lines& before, const Lines& after, std::vector<Line>& out) {
  const std::size_t rows = before.size(), columns = after.size();
  if (rows > kMost || columns > kMost) {
    for (const auto line : before) out.push_back({'-', line});
    for (const auto line : after) out.push_back({'+', line});
    return;
  }
  std::vector<std::uint16_t> common((rows + 1) * (columns + 1), 0);
  const auto at = [&](std::size_t i, std::size_t j) -> std::uint16_t& { return common[i * (columns + 1) + j]; };
  for (std::size_t i = rows; i-- > 0;) {
    for (std::size_t j = columns; j-- > 0;) {
      at(i, j) = before[i] == after[j] ? static_cast<std::uint16_t>(at(i + 1, j + 1) + 1)
                                       : std::max(at(i + 1, j), at(i, j + 1));
    }
  }
  std::size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && before[i] == after[j]) {
      out.push_back({' ', before[i]});
      ++i;
      ++j;
    } else if (i < rows && (j == columns || at(i + 1, j) >= at(i, j + 1))) {
      out.push_back({'-', before[i++]});
    } else {
      out.push_back({'+', after[j++]});
    }
  }
}

std::vector<Line> compare(const Lines& before, const Lines& after) {
  const auto [first_before, first_after] = std::ranges::mismatch(before, after);
  const auto same = static_cast<std::size_t>(first_before - before.begin());
  std::size_t end = 0;
  const std::size_t shorter = std::min(before.size(), after.size()) - same;
  while (end < shorter && before[before.size() - 1 - end] == after[after.size() - 1 - end]) ++end;
  std::vector<Line> out;
  out.reserve(before.size() + after.size());
  for (std::size_t i = 0; i < same; ++i) out.push_back({' ', before[i]});
  append_changes({first_before, before.end() - static_cast<std::ptrdiff_t>(end)},
                 {first_after, after.end() - static_cast<std::ptrdiff_t>(end)}, out);
  for (std::size_t i = before.size() - end; i < before.size(); ++i) out.push_back({' ', before[i]});
  return out;
}

void append_hunk(const std::vector<Line>& lines, std::size_t begin, std::size_t end, std::string& out) {
  const auto count = [&](std::size_t from, std::size_t to, char other) {
    return std::count_if(lines.begin() + static_cast<std::ptrdiff_t>(from),
                         lines.begin() + static_cast<std::ptrdiff_t>(to),
                         [other](const Line& line) { return line.mark == ' ' || line.mark == other; });
  };
  out += fmt::format("@@ -{},{} +{},{} @@\n", count(0, begin, '-') + 1, count(begin, end, '-'),
                     count(0, begin, '+') + 1, count(begin, end, '+'));
  for (std::size_t i = begin; i < end; ++i) out += fmt::format("{}{}\n", lines[i].mark, lines[i].text);
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, std::size_t context) {
  const std::vector<Line> lines = compare(lines_of(before), lines_of(after));
  std::string out;
  std::size_t i = 0;
  while (i < lines.size()) {
    if (lines[i].mark == ' ') {
      ++i;
      continue;
    }
    const std::size_t begin = i - std::min(i, context);
    std::size_t last = i;  // the last changed line of this hunk
    for (std::size_t j = i; j < lines.size() && j <= last + 2 * context + 1; ++j) {
      if (lines[j].mark != ' ') last = j;
    }
    const std::size_t end = std::min(lines.size(), last + context + 1);
    append_hunk(lines, begin, end, out);
    i = end;
  }
  return out;
}

std::string painted_diff(std::string_view diff, bool colours) {
  std::string out;
  for (const std::string_view line : lines_of(diff)) {
    Tone tone = Tone::plain;
    if (line.starts_with('+')) tone = Tone::good;
    if (line.starts_with('-')) tone = Tone::bad;
    if (line.starts_with("@@")) tone = Tone::faint;
    out += painted(line, tone, colours) + "\n";
  }
  return out;
}

}  // namespace stash::cli
