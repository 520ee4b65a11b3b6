#include "sidecar/hook_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/hook_check.h"
#include "api/time_out.h"
#include "base/json.h"
#include "base/text.h"

namespace stash::sidecar {

namespace {

constexpr std::string_view kOwnHost = "localhost";

std::string host_of_hook(const std::string& host) { return host.empty() ? std::string(kOwnHost) : host; }

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

HttpRequest http_request(const api::HttpAction& action) {
  std::string host = host_of_hook(action.host);
  if (host.find(':') != std::string::npos && !host.starts_with('[')) host = "[" + host + "]";
  HttpRequest request;
  request.url = fmt::format("{}://{}:{}{}{}", action.scheme.empty() ? "http" : lower_case(action.scheme), host,
                            api::port_number(action.port).value(), action.path.starts_with('/') ? "" : "/",
                            escape(action.path, "\"#<>\\^`{|}"));
  for (const auto& [name, value] : action.headers) request.headers.emplace_back(name, value);
  return request;
}

}  // namespace

Result<HookCall> plan_hook(std::string_view action, const api::Hook& hook, HookPlace place) {
  TRY_VOID(api::check_hook(action, hook));
  HookCall call{.action = std::string(action), .timeout = api::hook_timeout(hook.timeout).value()};
  if (hook.exec) {
    call.kind = HookCall::Kind::exec;
    call.timeout = api::hook_timeout(hook.timeout, api::kSessionTimeOut).value();
    if (place == HookPlace::init_container) {
      return fail(ErrorCode::invalid,
                  fmt::format("hooks.{}.exec: the application's containers start only after the restore, so no program "
                              "can be run in them; use httpGet, httpPost or tcpSocket to a service outside this pod, "
                              "or leave the hook out",
                              action));
    }
  } else if (hook.tcp_socket) {
    call.kind = HookCall::Kind::tcp;
    call.port = std::to_string(api::port_number(hook.tcp_socket->port).value());
    call.host = host_of_hook(hook.tcp_socket->host);
    if (call.host.starts_with('[') && call.host.ends_with(']')) call.host = call.host.substr(1, call.host.size() - 2);
  } else {
    const api::HttpAction& http = hook.http_post ? *hook.http_post : *hook.http_get;
    call.request = http_request(http);
    if (hook.http_post) set_body(http, call.request);
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
