#include "sidecar/restore_patterns.h"

#include <algorithm>
#include <filesystem>
#include <span>

namespace stash::sidecar {

namespace {

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

void skip_character(std::string_view& text) {
  do {
    text.remove_prefix(1);
  } while (!text.empty() && (text.front() & 0xC0) == 0x80);
}

/// One name against one part of a pattern: * ? and \ before a character that stands for itself.
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
    if (!pattern.empty() && !name.empty()) {
      if (pattern.front() == '?') {
        pattern.remove_prefix(1);
        skip_character(name);
        continue;
      }
      const std::string_view literal = pattern.substr(pattern.front() == '\\' && pattern.size() > 1 ? 1 : 0);
      if (literal.front() == name.front()) {
        pattern = literal.substr(1);
        name.remove_prefix(1);
        continue;
      }
    }
    if (!has_star || rest_at_star.empty()) return false;
    skip_character(rest_at_star);
    pattern = star;
    name = rest_at_star;
  }
}

/// From the beginning of `names`; what is left of them lies below what matched.
bool matches_from_start(std::span<const std::string_view> pattern, std::span<const std::string_view> names) {
  if (pattern.empty()) return true;
  if (pattern.front() == "**") {
    for (std::size_t skipped = 0; skipped <= names.size(); ++skipped) {
      if (matches_from_start(pattern.subspan(1), names.subspan(skipped))) return true;
    }
    return false;
  }
  return !names.empty() && matches(pattern.front(), names.front()) &&
         matches_from_start(pattern.subspan(1), names.subspan(1));
}

bool has_class(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '[') {
      return true;
    }
  }
  return false;
}

Taken matches_pattern(std::string_view pattern, std::span<const std::string_view> names) {
  if (has_class(pattern)) return Taken::unknown;
  const std::string cleaned = std::filesystem::path(pattern).lexically_normal();
  const Parts parts = split(cleaned);
  if (parts.empty()) return Taken::unknown;
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
