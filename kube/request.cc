#include "kube/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace stash::kube {

namespace {

using std::chrono::seconds;

constexpr seconds kRetryAfterDefault{1};
constexpr seconds kRetryAfterMost{60};
constexpr std::size_t kForeignBodyShown = 200;

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

void append_encoded(std::string& out, std::string_view part) {
  for (const char c : part) {
    if (unreserved(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
}

/// Whole seconds, at least one so that a server's 0 never becomes a busy loop; a date or junk counts as absent.
std::optional<seconds> parse_retry_after(std::string_view text) {
  int value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem == std::errc::result_out_of_range) return kRetryAfterMost;
  if (problem != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return std::clamp(seconds{value}, seconds{1}, kRetryAfterMost);
}

ErrorCode code_of(int http_status, std::string_view reason, bool asked_to_wait) {
  switch (http_status) {
    case 401:
    case 403:
      return ErrorCode::denied;
    case 404:
      return ErrorCode::not_found;
    case 408:
    case 504:
      return ErrorCode::timed_out;
    case 409:
      return reason == "AlreadyExists" ? ErrorCode::already_exists : ErrorCode::conflict;
    case 410:
      return ErrorCode::expired;
    case 429:
      return ErrorCode::throttled;
    default:
      break;
  }
  if (http_status >= 500) return asked_to_wait ? ErrorCode::throttled : ErrorCode::unreachable;
  return ErrorCode::invalid;
}

/// What the server said, for a person: the Status' message, or the beginning of whatever it was.
std::string sentence_of(const Json& status, int http_status, std::string_view body) {
  std::string message = string_at(status, {"message"});
  if (!message.empty()) return message;
  std::string shown;
  for (const char c : body.substr(0, kForeignBodyShown)) shown += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  while (!shown.empty() && shown.back() == ' ') shown.pop_back();
  return shown.empty() ? fmt::format("HTTP {}", http_status) : fmt::format("HTTP {}: {}", http_status, shown);
}

}  // namespace

std::string request_path(const api::Resource& resource, const api::ObjectRef& ref, std::string_view subresource,
                         const std::vector<std::pair<std::string, std::string>>& query) {
  std::string path = resource.group.empty() ? "/api" : "/apis";
  const auto append = [&path](std::string_view part) {
    path += '/';
    append_encoded(path, part);
  };
  if (!resource.group.empty()) append(resource.group);
  append(resource.version);
  if (resource.namespaced && !ref.ns.empty()) {
    append("namespaces");
    append(ref.ns);
  }
  append(resource.plural);
  if (!ref.name.empty()) append(ref.name);
  if (!subresource.empty()) append(subresource);
  char separator = '?';
  for (const auto& [key, value] : query) {
    path += separator;
    append_encoded(path, key);
    path += '=';
    append_encoded(path, value);
    separator = '&';
  }
  return path;
}

Error error_of(int http_status, std::string_view retry_after, std::string_view body, std::string_view doing) {
  const auto parsed = parse_json(body);
  const Json status = parsed && parsed->is_object() ? *parsed : Json::object();
  std::optional<seconds> wait = parse_retry_after(retry_after);
  if (!wait) {
    const std::int64_t asked = int_at(status, {"details", "retryAfterSeconds"});
    if (asked > 0) wait = std::min(seconds{asked}, kRetryAfterMost);
  }
  const bool asked_to_wait = wait.has_value() || !retry_after.empty();
  Error error{code_of(http_status, string_at(status, {"reason"}), asked_to_wait),
              fmt::format("{}: {}", doing, sentence_of(status, http_status, body))};
  if (error.code == ErrorCode::throttled) error.retry_after = wait.value_or(kRetryAfterDefault);
  return error;
}

LineSplitter::LineSplitter(std::size_t max_line) : max_line_(max_line) {}

}  // namespace stash::kube
