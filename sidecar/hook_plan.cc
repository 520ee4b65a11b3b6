#include "sidecar/hook_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "api/time_out.h"
#include "base/json.h"
#include "base/text.h"

namespace stash::sidecar {

namespace {

constexpr std::string_view kOwnHost = "localhost";

std::unexpected<Error> refuse(std::string_view field, std::string_view why) {
  return fail(ErrorCode::invalid, fmt::format("hooks.{}: {}", field, why));
}

Result<std::string> port_of(const std::string& field, const std::string& port) {
  int number = 0;
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (problem == std::errc() && end == port.data() + port.size() && number >= 1 && number <= 65535)
    return std::to_string(number);
  if (port.empty()) return refuse(field + ".port", "no port is given");
  return refuse(field + ".port", fmt::format("\"{}\" is no number from 1 to 65535; the container's names of ports are "
                                             "not known here, so give the number",
                                             port));
}

Result<std::string> host_of_hook(const std::string& field, const std::string& host) {
  if (host.empty()) return std::string(kOwnHost);
  const bool plain = std::ranges::all_of(host, [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("-._:[]%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (!plain) return refuse(field + ".host", fmt::format("\"{}\" is no name or address of a host", host));
  return host;
}

/// A part of a URL with what a URL cannot hold escaped; what is escaped already stays.
std::string escape(std::string_view text, std::string_view also) {
  std::string escaped;
  for (const unsigned char c : text) {
    const bool safe = c > 0x20 && c < 0x7f && also.find(static_cast<char>(c)) == std::string_view::npos;
    escaped += safe ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  return escaped;
}

std::string form_body(const std::vector<api::FormEntry>& form) {
  constexpr std::string_view kReserved = "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}";
  std::string body;
  for (const api::FormEntry& entry : form) {
    for (const std::string& value : entry.values) {
      body += fmt::format("{}{}={}", body.empty() ? "" : "&", escape(entry.key, kReserved), escape(value, kReserved));
    }
  }
  return body;
}

bool has_header(const std::vector<std::pair<std::string, std::string>>& headers, std::string_view name) {
  return std::ranges::any_of(headers, [name](const auto& header) { return lower_case(header.first) == name; });
}

void set_body(const api::HttpAction& action, HttpRequest& request) {
  request.method = "POST";
  request.body = action.form.empty() ? action.body : form_body(action.form);
  if (has_header(request.headers, "content-type")) return;
  const std::string_view type = !action.form.empty()      ? "application/x-www-form-urlencoded"
                                : parse_json(action.body) ? "application/json"
                                                          : "text/plain; charset=utf-8";
  request.headers.emplace_back("Content-Type", type);
}

Result<HttpRequest> http_request(const std::string& field, const api::HttpAction& action) {
  const std::string scheme = action.scheme.empty() ? "http" : lower_case(action.scheme);
  if (scheme != "http" && scheme != "https") {
    return refuse(field + ".scheme", fmt::format("\"{}\" is neither HTTP nor HTTPS", action.scheme));
  }
  TRY(const std::string port, port_of(field, action.port));
  TRY(std::string host, host_of_hook(field, action.host));
  if (host.find(':') != std::string::npos && !host.starts_with('[')) host = "[" + host + "]";
  if (!action.body.empty() && !action.form.empty()) return refuse(field, "has both body and form: use one of them");
  HttpRequest request;
  request.url = fmt::format("{}://{}:{}{}{}", scheme, host, port, action.path.starts_with('/') ? "" : "/",
                            escape(action.path, "\"#<>\\^`{|}"));
  for (const auto& [name, value] : action.headers) {
    if (name.empty() || (name + value).find_first_of("\r\n") != std::string::npos ||
        name.find(':') != std::string::npos)
      return refuse(field + ".httpHeaders", "a header has no name, or a character that none can have");
    request.headers.emplace_back(name, value);
  }
  return request;
}

Result<std::chrono::milliseconds> timeout_of(const std::string& field, const std::string& text) {
  if (const auto timeout = api::hook_timeout(text)) return *timeout;
  return refuse(field + ".timeout", fmt::format("\"{}\" is no duration such as 30s or 5m, of at most 24h", text));
}

bool is_policy(std::string_view policy) {
  return policy.empty() || policy == "Always" || policy == "OnSuccess" || policy == "OnFailure" ||
         policy == "OnFinalRetryFailure";
}

}  // namespace

Result<HookCall> plan_hook(std::string_view action, const api::Hook& hook, HookPlace place) {
  const std::string field(action);
  const int actions = int{hook.exec.has_value()} + int{hook.http_get.has_value()} + int{hook.http_post.has_value()} +
                      int{hook.tcp_socket.has_value()};
  if (actions != 1) {
    return refuse(field, fmt::format("it has {} of exec, httpGet, httpPost and tcpSocket: give exactly one",
                                     actions == 0 ? "none" : "several"));
  }
  if (action.starts_with("post") && !is_policy(hook.execution_policy)) {
    return refuse(
        field + ".executionPolicy",
        fmt::format("\"{}\" is none of Always, OnSuccess, OnFailure and OnFinalRetryFailure", hook.execution_policy));
  }
  HookCall call{.action = field};
  TRY(call.timeout, timeout_of(field, hook.timeout));
  if (hook.exec) {
    call.kind = HookCall::Kind::exec;
    if (place == HookPlace::init_container) {
      return refuse(field + ".exec",
                    "the application's containers start only after the restore, so no program can be run in them; use "
                    "httpGet, httpPost or tcpSocket to a service outside this pod, or leave the hook out");
    }
    if (hook.exec->command.empty() || hook.exec->command.front().empty())
      return refuse(field + ".exec", "it has no command");
  } else if (hook.tcp_socket) {
    call.kind = HookCall::Kind::tcp;
    TRY(call.port, port_of(field + ".tcpSocket", hook.tcp_socket->port));
    TRY(call.host, host_of_hook(field + ".tcpSocket", hook.tcp_socket->host));
    if (call.host.starts_with('[') && call.host.ends_with(']')) call.host = call.host.substr(1, call.host.size() - 2);
  } else {
    const bool post = hook.http_post.has_value();
    const api::HttpAction& http = post ? *hook.http_post : *hook.http_get;
    TRY(call.request, http_request(field + (post ? ".httpPost" : ".httpGet"), http));
    if (post) set_body(http, call.request);
    call.request.connect_timeout = call.timeout;
    call.request.total_timeout = call.timeout;
  }
  return call;
}

bool is_wanted(std::string_view execution_policy, bool succeeded, int retries_left) {
  if (execution_policy == "OnSuccess") return succeeded;
  if (execution_policy == "OnFailure") return !succeeded;
  if (execution_policy == "OnFinalRetryFailure") return !succeeded && retries_left <= 0;
  return true;
}

Result<void> judge_answer(int http_status) {
  if (http_status >= 200 && http_status < 400) return {};
  return fail(ErrorCode::invalid, fmt::format("it answered HTTP {}", http_status));
}

std::string failed_hook(const HookCall& call, HookPlace place, const Error& error) {
  std::string text = fmt::format("the hook {} failed: {}", call.action, error.message);
  const bool own = call.host == kOwnHost || call.request.url.find(fmt::format("://{}:", kOwnHost)) != std::string::npos;
  if (place == HookPlace::init_container && own && error.code == ErrorCode::unreachable) {
    text += "; the containers of this pod start only after the restore, so only services outside it can be asked";
  }
  return text;
}

}  // namespace stash::sidecar
