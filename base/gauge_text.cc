#include "base/gauge_text.h"

#include <algorithm>
#include <cctype>

#include "base/base64.h"

namespace stash {
namespace {

std::string label_value(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
    } else {
      if (c == '\\' || c == '"') text += '\\';
      text += c;
    }
  }
  return text;
}

bool is_plain_segment(std::string_view value) {
  for (const unsigned char c : value) {
    if (std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.') return false;
  }
  return !value.empty();
}

std::string base64url(std::string_view bytes) {
  if (bytes.empty()) return "=";
  std::string text = encode_base64(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

}  // namespace

GaugeText::GaugeText(const std::vector<MetricLabel>& labels) {
  for (const auto& [name, value] : labels) {
    labels_ += fmt::format("{}{}=\"{}\"", labels_.empty() ? "" : ",", name, label_value(value));
  }
}

void GaugeText::add(std::string_view name, std::string_view help, std::string_view value) {
  text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n{0}{{{2}}} {3}\n", name, help, labels_, value);
}

std::string push_group_url(std::string_view base, const std::vector<MetricLabel>& group) {
  while (base.ends_with('/')) base.remove_suffix(1);
  std::string url = fmt::format("{}/metrics", base);
  for (const auto& [name, value] : group) {
    url += is_plain_segment(value) ? fmt::format("/{}/{}", name, value)
                                   : fmt::format("/{}@base64/{}", name, base64url(value));
  }
  return url;
}

}  // namespace stash
