#include "base/yaml.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace stash {
namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

/// A cautious subset of what YAML calls a plain scalar.
bool is_plain(std::string_view text) {
  constexpr std::string_view reserved[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (text.empty() || !is_letter(text.front()) || text.back() == ' ') return false;
  if (std::ranges::find(reserved, lower) != std::end(reserved)) return false;
  return std::ranges::all_of(text, [](char c) {
    return is_letter(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 ||
           std::string_view(" _./-,;()").contains(c);
  });
}

std::string scalar(const Json& value) {
  if (value.is_string() && is_plain(value.get_ref<const std::string&>())) return value.get_ref<const std::string&>();
  return dump_json(value);  // JSON's texts and numbers are YAML, and so are {} and []
}

bool is_block(const Json& value) { return value.is_structured() && !value.empty(); }

void append(std::string& out, const Json& value, std::size_t indent);

void append_mapping(std::string& out, const Json& object, std::size_t indent, bool first_is_indented) {
  for (const auto& [key, value] : object.items()) {
    if (!first_is_indented) out.append(indent, ' ');
    first_is_indented = false;
    out += scalar(key);
    out += ':';
    if (is_block(value)) {
      out += '\n';
      // Kubernetes' own YAML does not indent lists further than their key.
      append(out, value, value.is_array() ? indent : indent + 2);
    } else {
      out += ' ' + scalar(value) + '\n';
    }
  }
}

void append(std::string& out, const Json& value, std::size_t indent) {
  if (value.is_object()) return append_mapping(out, value, indent, false);
  for (const Json& item : value) {
    out.append(indent, ' ');
    out += "- ";
    if (item.is_object() && !item.empty()) {
      append_mapping(out, item, indent + 2, true);
    } else if (is_block(item)) {
      out += dump_json(item) + '\n';  // lists of lists are rare enough for flow style
    } else {
      out += scalar(item) + '\n';
    }
  }
}

}  // namespace

std::string to_yaml(const Json& value) {
  if (!is_block(value)) return scalar(value);
  std::string out;
  append(out, value, 0);
  return out;
}

}  // namespace stash
