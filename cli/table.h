#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

/// Text for a terminal. Nothing here knows whether there is one: `colours` is decided by the edge.
namespace stash::cli {

enum class Tone { plain, good, bad, busy, faint, bold };
std::string painted(std::string_view text, Tone tone, bool colours);

struct Cell {
  std::string text;
  Tone tone = Tone::plain;
  friend bool operator==(const Cell&, const Cell&) = default;
};

struct Table {
  std::vector<std::string> head;
  std::vector<std::vector<Cell>> rows;
};

/// Columns as wide as their widest cell, three blanks apart, nothing after the last one. An empty cell is "-". "" for a
/// table without rows. Control characters of cells, which other people may have written, become blanks.
std::string render_table(const Table& table, bool colours);

/// Succeeded is good, Failed and Invalid are bad, Running is busy.
Tone tone_of_phase(std::string_view phase);

/// As kubectl shows ages: "45s", "12m", "3h20m", "4d". "0s" for a time that is still to come.
std::string age(TimePoint then, TimePoint now);
/// The same of an RFC 3339 text; "" for anything else.
std::string age(std::string_view then, TimePoint now);

/// Control characters become blanks: what other people wrote must not command a terminal.
std::string harmless(std::string_view text);

/// How many columns UTF-8 text takes, taking each character for one.
std::size_t columns_of(std::string_view text);

}  // namespace stash::cli
