#include <fmt/format.h>

#include "base/text.h"
#include "cli/kubectl.h"

namespace stash::cli {

namespace {

struct Known {
  std::string_view words;
  ErrorCode code;
};
constexpr std::string_view kNotLoggedIn = "You must be logged in to the server";
constexpr std::string_view kUnknownUser =
    "the cluster does not know who you are: log in again, for the token or certificate in your kubeconfig is missing, "
    "expired or of another cluster (kubectl config view --minify, kubectl auth whoami)";
// As kubectl prefixes what the server's reason is; the rest are its own sentences.
constexpr Known kKnown[] = {
    {"(NotFound)", ErrorCode::not_found},
    {"(AlreadyExists)", ErrorCode::already_exists},
    {"(Conflict)", ErrorCode::conflict},
    {"(Forbidden)", ErrorCode::denied},
    // Who lacks a right may have others, and a command goes on with those. Who is not known has none.
    {"(Unauthorized)", ErrorCode::invalid},
    {kNotLoggedIn, ErrorCode::invalid},
    {"Unable to connect to the server", ErrorCode::unreachable},
    {"was refused - did you specify the right host or port", ErrorCode::unreachable},
    {"(ServiceUnavailable)", ErrorCode::unreachable},
    {"(InternalError)", ErrorCode::unreachable},
    {"(Timeout)", ErrorCode::unreachable},
    {"(TooManyRequests)", ErrorCode::unreachable},
    {"i/o timeout", ErrorCode::unreachable},
    {"connection reset by peer", ErrorCode::unreachable},
    {"unexpected EOF", ErrorCode::unreachable},
    {"the server doesn't have a resource type", ErrorCode::not_found},
};

constexpr std::string_view kOfServer = "Error from server ";
constexpr std::string_view kUnknownKind = "the server doesn't have a resource type";

/// What kubectl says for who writes its code.
constexpr std::pair<std::string_view, std::string_view> kBetter[] = {
    {kNotLoggedIn, kUnknownUser},
    {"Error from server (Unauthorized)", kUnknownUser},
    {"current-context must exist in order to minify",
     "kubectl knows no cluster: set KUBECONFIG, or give --kubeconfig or --context"},
    {"The connection to the server localhost:8080 was refused",
     "kubectl knows no cluster, and none answers at localhost:8080: set KUBECONFIG, or give --kubeconfig or --context"},
};

/// klog's lines: "E1126 06:32:11.123456   12 memcache.go:265] ...".
bool is_log(std::string_view line) {
  return line.size() > 5 && (line[0] == 'E' || line[0] == 'W' || line[0] == 'I') && line[1] >= '0' && line[1] <= '9';
}

}  // namespace

Error error_of_kubectl(std::string_view standard_error, int exit_code) {
  std::string message;
  for (const std::string_view line : split(standard_error, '\n')) {
    const std::string_view text = trimmed(line);
    if (text.empty() || is_log(text) || text.starts_with("Warning:")) continue;
    message += (message.empty() ? "" : " ") + std::string(text);
  }
  if (message.empty()) message = fmt::format("kubectl ended with exit code {} and said nothing", exit_code);
  ErrorCode code = ErrorCode::invalid;
  for (const Known& known : kKnown) {
    if (standard_error.find(known.words) == std::string_view::npos) continue;
    code = known.code;
    break;
  }
  const std::string said = message;
  if (message.starts_with(kOfServer)) {
    const auto end = message.find(": ", kOfServer.size());
    message.erase(0, end == std::string::npos ? kOfServer.size() : end + 2);
  }
  if (message.starts_with("error: ")) message.erase(0, 7);
  for (const auto& [words, better] : kBetter) {
    if (said.contains(words)) message = better;
  }
  return {code, message};
}

bool is_unknown_kind(const Error& error) {
  return error.code == ErrorCode::not_found && error.message.starts_with(kUnknownKind);
}

}  // namespace stash::cli
