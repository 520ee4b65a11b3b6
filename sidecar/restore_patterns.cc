#include "sidecar/restore_patterns.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>

namespace stash::sidecar {

namespace {

using Names = std::span<const std::string_view>;
using Parts = std::vector<std::string_view>;

Parts split(std::string_view path) {
  Parts parts;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    if (end > 0) parts.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

/// The bytes of one character.
std::string_view take_character(std::string_view& text) {
  std::size_t length = 1;
  while (length < text.size() && (text[length] & 0xC0) == 0x80) ++length;
  const std::string_view character = text.substr(0, length);
  text.remove_prefix(length);
  return character;
}

/// One end of a range in a class of characters.
std::optional<std::string_view> take_bound(std::string_view& pattern) {
  if (pattern.starts_with('-') || pattern.starts_with(']')) return std::nullopt;
  if (pattern.starts_with('\\')) pattern.remove_prefix(1);
  if (pattern.empty()) return std::nullopt;
  const std::string_view bound = take_character(pattern);
  return pattern.empty() ? std::nullopt : std::optional(bound);
}

/// Takes a class of characters, which follows "[" and ends with "]", from the pattern, and says whether `character` is
/// of it. nullopt: malformed. UTF-8 sorts as the characters do.
/// https://pkg.go.dev/path/filepath#Match
std::optional<bool> take_class(std::string_view& pattern, std::string_view character) {
  const bool negated = pattern.starts_with('^');
  if (negated) pattern.remove_prefix(1);
  bool found = false;
  do {
    const auto low = take_bound(pattern);
    auto high = low;
    if (low && pattern.starts_with('-')) {
      pattern.remove_prefix(1);
      high = take_bound(pattern);
    }
    if (!high) return std::nullopt;
    found = found || (*low <= character && character <= *high);
  } while (!pattern.starts_with(']'));
  pattern.remove_prefix(1);
  return found != negated;
}

/// Takes what stands for one character from the pattern, if it stands for the first of `name`, and that with it.
bool take_match(std::string_view& pattern, std::string_view& name) {
  std::string_view rest = pattern, names_rest = name;
  const std::string_view character = take_character(names_rest);
  if (rest.starts_with('[')) {
    rest.remove_prefix(1);
    if (take_class(rest, character) != true) return false;
  } else if (rest.starts_with('?')) {
    rest.remove_prefix(1);
  } else {
    if (rest.starts_with('\\') && rest.size() > 1) rest.remove_prefix(1);
    if (take_character(rest) != character) return false;
  }
  pattern = rest;
  name = names_rest;
  return true;
}

/// One name against one part of a pattern: * ? [class] and \ before a character that stands for itself.
bool matches(std::string_view pattern, std::string_view name) {
  // After the last *: where to go on when what follows it does not match.
  std::string_view star, rest_at_star;
  bool has_star = false;
  while (true) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      star = pattern;
      rest_at_star = name;
      has_star = true;
      continue;
    }
    if (pattern.empty() && name.empty()) return true;
    if (!pattern.empty() && !name.empty() && take_match(pattern, name)) continue;
    if (!has_star || rest_at_star.empty()) return false;
    take_character(rest_at_star);
    pattern = star;
    name = rest_at_star;
  }
}

/// From the beginning of `names`; what is left of them lies below what matched.
bool matches_from_start(Names pattern, Names names) {
  // After the last **: where to go on when what follows it does not match. The first place of what stands before it
  // leaves the most to what comes after, so no other has to be tried.
  Names after, rest_at_last;
  bool has_any = false;
  while (!pattern.empty()) {
    if (pattern.front() == "**") {
      pattern = after = pattern.subspan(1);
      rest_at_last = names;
      has_any = true;
    } else if (!names.empty() && matches(pattern.front(), names.front())) {
      pattern = pattern.subspan(1);
      names = names.subspan(1);
    } else {
      if (!has_any || rest_at_last.empty()) return false;
      names = rest_at_last = rest_at_last.subspan(1);
      pattern = after;
    }
  }
  return true;
}

bool is_malformed(std::string_view part) {
  while (!part.empty()) {
    const bool is_class = part.front() == '[', is_escape = part.front() == '\\';
    part.remove_prefix(1);
    if (is_class && !take_class(part, "")) return true;
    if (is_escape && !part.empty()) part.remove_prefix(1);
  }
  return false;
}

Taken matches_pattern(std::string_view pattern, std::span<const std::string_view> names) {
  const std::string cleaned = std::filesystem::path(pattern).lexically_normal();
  const Parts parts = split(cleaned);
  if (parts.empty() || std::ranges::any_of(parts, is_malformed)) return Taken::unknown;
  const std::size_t last_start = cleaned.starts_with('/') ? 0 : names.size();
  for (std::size_t start = 0; start <= last_start; ++start) {
    if (matches_from_start(parts, names.subspan(start))) return Taken::yes;
  }
  return Taken::no;
}

/// By one of the patterns, and by no later one that begins with !.
Taken is_matched(const std::vector<std::string>& patterns, std::span<const std::string_view> names) {
  Taken found = Taken::no;
  for (std::string_view pattern : patterns) {
    if (pattern.empty()) continue;
    const bool cancels = pattern.starts_with('!');
    if (cancels) pattern.remove_prefix(1);
    const Taken by_this = matches_pattern(pattern, names);
    const Taken sure = cancels ? Taken::no : Taken::yes;
    if (by_this == Taken::yes) found = sure;
    if (by_this == Taken::unknown && found != sure) found = Taken::unknown;
  }
  return found;
}

}  // namespace

Taken is_taken(std::string_view path, const std::vector<std::string>& include,
               const std::vector<std::string>& exclude) {
  const Parts names = split(path);
  if (!include.empty()) return is_matched(include, names);
  // restic does not look into what is excluded for what a later pattern takes back.
  if (std::ranges::any_of(exclude, [](const std::string& pattern) { return pattern.starts_with('!'); }))
    return Taken::unknown;
  switch (is_matched(exclude, names)) {
    case Taken::yes:
      return Taken::no;
    case Taken::no:
      return Taken::yes;
    case Taken::unknown:
      break;
  }
  return Taken::unknown;
}

}  // namespace stash::sidecar
