#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stash {

/// Views into `text`, which must outlive them.
std::string_view trimmed(std::string_view text, std::string_view blanks = " \t\r\n");
/// At each separator: "a,,b" has three parts, "" has one.
std::vector<std::string_view> split(std::string_view text, char separator);

/// At most `limit` bytes of UTF-8, never ending in the middle of a character. A view into `text`.
std::string_view first_bytes(std::string_view text, std::size_t limit);

/// For a person, who reads ten of them and not five hundred: "a, b, 3 more", "a, ..., j, and 490 more". `unnamed` are
/// as many more that have no text.
std::string first_of(std::vector<std::string> texts, std::string_view separator, std::size_t unnamed = 0);

/// A to Z only, whatever the locale.
std::string lower_case(std::string_view text);

}  // namespace stash
