#include "cli/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace stash::cli {

namespace {

constexpr std::size_t kGap = 3;

std::string_view code_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::good:
      return "32";
    case Tone::bad:
      return "31";
    case Tone::busy:
      return "33";
    case Tone::faint:
      return "2";
    case Tone::bold:
      return "1";
  }
  return "";
}

}  // namespace

std::string painted(std::string_view text, Tone tone, bool colours) {
  if (!colours || tone == Tone::plain || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code_of(tone), text);
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

std::string harmless(std::string_view text) {
  std::string clean(text);
  std::ranges::replace_if(clean, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return clean;
}

std::string render_table(const Table& table, bool colours) {
  if (table.rows.empty()) return "";
  std::vector<std::vector<Cell>> lines;
  std::vector<Cell>& head = lines.emplace_back();
  for (const std::string& title : table.head) head.push_back({title, Tone::bold});
  for (const auto& row : table.rows) {
    std::vector<Cell>& line = lines.emplace_back(row);
    line.resize(table.head.size());
    for (Cell& cell : line) cell.text = cell.text.empty() ? "-" : harmless(cell.text);
  }
  std::vector<std::size_t> widths(table.head.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], columns_of(line[i].text));
  }
  std::string out;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      out += painted(line[i].text, line[i].tone, colours);
      if (i + 1 < line.size()) out.append(widths[i] + kGap - columns_of(line[i].text), ' ');
    }
    out += '\n';
  }
  return out;
}

Tone tone_of_phase(std::string_view phase) {
  if (phase == "Succeeded" || phase == "Ready") return Tone::good;
  if (phase == "Failed" || phase == "Invalid" || phase == "NotReady" || phase == "Unknown") return Tone::bad;
  if (phase == "Running" || phase == "Pending") return Tone::busy;
  return Tone::plain;
}

std::string age(TimePoint then, TimePoint now) {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): units
  const auto seconds = std::max<std::int64_t>(0, floor<std::chrono::seconds>(now - then).count());
  if (seconds < 120) return fmt::format("{}s", seconds);
  const std::int64_t minutes = seconds / 60;
  if (minutes < 120) return fmt::format("{}m", minutes);
  const std::int64_t hours = minutes / 60;
  if (hours < 10 && minutes % 60 != 0) return fmt::format("{}h{}m", hours, minutes % 60);
  if (hours < 48) return fmt::format("{}h", hours);
  return fmt::format("{}d", hours / 24);
}

std::string age(std::string_view then, TimePoint now) {
  const auto time = parse_time(then);
  return time ? age(*time, now) : "";
}

}  // namespace stash::cli
