#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace stash {

/// Views into `text`, which must outlive them.
std::string_view trimmed(std::string_view text, std::string_view blanks = " \t\r\n");
/// At each separator: "a,,b" has three parts, "" has one.
std::vector<std::string_view> split(std::string_view text, char separator);

/// A to Z only, whatever the locale.
std::string lower_case(std::string_view text);

}  // namespace stash
