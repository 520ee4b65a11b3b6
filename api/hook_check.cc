#include "api/hook_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "api/time_out.h"
#include "base/text.h"

namespace stash::api {
namespace {

std::unexpected<Error> refuse(std::string_view field, std::string_view why) {
  return fail(ErrorCode::invalid, fmt::format("hooks.{}: {}", field, why));
}

Result<void> check_port(const std::string& field, const std::string& port) {
  if (port_number(port)) return {};
  if (port.empty()) return refuse(field + ".port", "no port is given");
  return refuse(field + ".port", fmt::format("\"{}\" is no number from 1 to 65535; the container's names of ports are "
                                             "not known here, so give the number",
                                             port));
}

Result<void> check_host(const std::string& field, const std::string& host) {
  const bool plain = std::ranges::all_of(host, [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("-._:[]%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return {};
  return refuse(field + ".host", fmt::format("\"{}\" is no name or address of a host", host));
}

Result<void> check_http(const std::string& field, const HttpAction& action) {
  const std::string scheme = lower_case(action.scheme);
  if (!scheme.empty() && scheme != "http" && scheme != "https") {
    return refuse(field + ".scheme", fmt::format("\"{}\" is neither HTTP nor HTTPS", action.scheme));
  }
  TRY_VOID(check_port(field, action.port));
  TRY_VOID(check_host(field, action.host));
  if (!action.body.empty() && !action.form.empty()) return refuse(field, "has both body and form: use one of them");
  for (const auto& [name, value] : action.headers) {
    if (name.empty() || (name + value).find_first_of("\r\n") != std::string::npos ||
        name.find(':') != std::string::npos)
      return refuse(field + ".httpHeaders", "a header has no name, or a character that none can have");
  }
  return {};
}

bool is_policy(std::string_view policy) {
  return policy.empty() || policy == "Always" || policy == "OnSuccess" || policy == "OnFailure" ||
         policy == "OnFinalRetryFailure";
}

}  // namespace

std::optional<int> port_number(const std::string& port) {
  int number = 0;
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (problem != std::errc() || end != port.data() + port.size() || number < 1 || number > 65535) return std::nullopt;
  return number;
}

Result<void> check_hook(std::string_view action, const Hook& hook) {
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
  if (!hook_timeout(hook.timeout)) {
    return refuse(field + ".timeout",
                  fmt::format("\"{}\" is no duration such as 30s or 5m, of at most 24h", hook.timeout));
  }
  if (hook.exec) {
    const bool named = !hook.exec->command.empty() && !hook.exec->command.front().empty();
    return named ? Result<void>() : refuse(field + ".exec", "it has no command");
  }
  if (hook.tcp_socket) {
    TRY_VOID(check_port(field + ".tcpSocket", hook.tcp_socket->port));
    return check_host(field + ".tcpSocket", hook.tcp_socket->host);
  }
  if (hook.http_post) return check_http(field + ".httpPost", *hook.http_post);
  return check_http(field + ".httpGet", *hook.http_get);
}

}  // namespace stash::api
