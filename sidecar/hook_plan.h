#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "api/shared_types.h"
#include "base/http.h"
#include "base/result.h"

/// What a hook of the contract (7.5) comes down to, and when it is run. Nothing is run here.
namespace stash::sidecar {

/// The application's containers run beside the sidecar; they start only after the init container.
enum class HookPlace { sidecar, init_container };

struct HookCall {
  enum class Kind {
    exec,  ///< by the controller: a pod's own account must not run programs in containers
    http,
    tcp,
  };
  Kind kind = Kind::http;
  std::string action;      ///< "preBackup", as in the spec and in the host's status
  HttpRequest request{};   ///< http
  std::string host, port;  ///< tcp
  std::chrono::milliseconds timeout{30'000};
  std::chrono::milliseconds grace{60'000};  ///< exec: on top of it, once it is begun, for its outcome to be seen
};

/// Errors invalid, with the field and the remedy: those of api::check_hook(), and exec in an init container.
Result<HookCall> plan_hook(std::string_view action, const api::Hook& hook, HookPlace place);

/// Whether a post hook is run when the work on the host has come to this.
bool is_wanted(std::string_view execution_policy, bool succeeded, int retries_left);

/// As kubelet judges its probes. Error invalid: the status.
Result<void> judge_answer(int http_status);

/// The sentence of a failed hook, for the host's status.
std::string failed_hook(const HookCall& call, HookPlace place, const Error& error);

}  // namespace stash::sidecar
