#include "sidecar/hook_run.h"

#include <algorithm>

#include "api/silence.h"
#include "base/http.h"
#include "base/log.h"
#include "sidecar/tcp_connect.h"

namespace stash::sidecar {

namespace {

using Kind = HookCall::Kind;

constexpr std::chrono::milliseconds kLook{2'000};
constexpr std::chrono::milliseconds kFarewell{10'000};
constexpr std::chrono::milliseconds kTaken{30'000};
constexpr std::string_view kQueued = "Queued";

Result<void> send_request(const HttpRequest& request, const std::function<bool()>& go_on) {
  // As kubelet's probes and hooks: the pod asks itself, and its certificate is for other names.
  HttpClient client(TlsTrust{.verify = false});
  client.set_cancel([&go_on] { return !go_on(); });
  TRY(const HttpResponse response, client.stream(request, [](std::string_view) { return true; }));
  return judge_answer(response.status);
}

std::unexpected<Error> no_sign_of_its_end(std::string_view phase, std::chrono::milliseconds patience) {
  constexpr std::string_view controller = "Stash's controller, which runs exec hooks,";
  const std::string what =
      phase == kQueued ? fmt::format("{} let it wait for its turn, and has not been heard of for {}", controller,
                                     format_duration(patience))
                       : fmt::format("{} has not reported its end within {}", controller, format_duration(patience));
  return fail(ErrorCode::timed_out, what);
}

/// A controller that is there takes a request, or lets it wait, long before the program's time could be up.
std::chrono::milliseconds patience_for(std::string_view phase, const HookCall& call) {
  if (phase == kQueued) return api::kQueueSilence;
  return (phase == "Running" ? call.timeout : std::min(call.timeout, kTaken)) + call.grace;
}

/// Until the controller has run it.
Result<void> await_controller(Context& context, HostStatus& status, const HookCall& call,
                              const std::function<bool()>& go_on) {
  TRY(const std::string requested, status.request_hook(call.action, go_on));
  std::string phase = "Requested", queued;
  auto patience = patience_for(phase, call);
  auto end = context.clock.steady() + patience;
  while (go_on() && status.look_again()) {
    const HookEntry& hook = status.hook();
    if (hook.action == call.action && hook.requested == requested) {
      if (hook.phase != phase || hook.queued != queued) {
        phase = hook.phase;
        queued = hook.queued;
        patience = patience_for(phase, call);
        end = context.clock.steady() + patience;
      }
      if (hook.phase == "Succeeded") return {};
      if (hook.phase == "Failed")
        return fail(ErrorCode::invalid, hook.error.empty() ? "the controller says no more" : hook.error);
    }
    if (context.clock.steady() >= end) return no_sign_of_its_end(phase, patience);
    context.pause(kLook);
  }
  return fail(ErrorCode::cancelled, "stopped while waiting for the hook");
}

}  // namespace

Result<HookPair> plan_hooks(std::string_view what, const std::optional<api::Hook>& before,
                            const std::optional<api::Hook>& after, HookPlace place) {
  HookPair hooks{.place = place};
  if (before) {
    TRY(hooks.before, plan_hook(fmt::format("pre{}", what), *before, place));
  }
  if (after) {
    TRY(hooks.after, plan_hook(fmt::format("post{}", what), *after, place));
    hooks.after_policy = after->execution_policy;
  }
  return hooks;
}

Result<void> send_hook(const HookCall& call, const std::function<bool()>& go_on) {
  return call.kind == Kind::tcp ? tcp_connect(call.host, call.port, call.timeout, go_on)
                                : send_request(call.request, go_on);
}

Result<void> run_hook(Context& context, HostStatus& status, const HookCall& call, const std::function<bool()>& go_on) {
  log_info("running the hook {}", call.action);
  if (!go_on()) return fail(ErrorCode::cancelled, "stopped before the hook");
  return call.kind == Kind::exec ? await_controller(context, status, call, go_on) : send_hook(call, go_on);
}

std::optional<std::string> run_farewell_hook(Context& context, HostStatus& status, const HookPair& hooks,
                                             bool succeeded) {
  if (!hooks.after || !is_wanted(hooks.after_policy, succeeded, /*retries_left=*/0)) return std::nullopt;
  HookCall call = *hooks.after;
  call.timeout = std::min(call.timeout, kFarewell);
  call.request.connect_timeout = std::min(call.request.connect_timeout, kFarewell);
  call.request.total_timeout = std::min(call.request.total_timeout, kFarewell);
  call.grace = {};
  if (call.kind == Kind::exec && status.lost()) {
    log_warning("the hook {} cannot be asked for: the host is not this pod's any more", call.action);
    return std::nullopt;
  }
  const auto end = context.clock.steady() + kFarewell;
  const auto go_on = [&] { return context.clock.steady() < end; };
  const auto ended = run_hook(context, status, call, go_on);
  if (ended) return std::nullopt;
  std::string failed = failed_hook(call, hooks.place, ended.error());
  log_warning("{}", failed);
  return failed;
}

}  // namespace stash::sidecar
