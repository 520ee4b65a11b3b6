#include "cli/session_wait.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/terminal.h"

namespace stash::cli {

namespace {

using std::chrono::steady_clock;

bool may_heal(ErrorCode code) { return code == ErrorCode::unreachable || code == ErrorCode::timed_out; }

}  // namespace

Result<Json> wait_for(Kubectl& kubectl, const api::Resource& kind, const std::string& ns, const std::string& name,
                      double timeout_minutes) {
  const auto end = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(
                                             std::chrono::duration<double, std::ratio<60>>(timeout_minutes));
  ProgressDisplay display;
  while (true) {
    auto session = kubectl.get(kind, name, ns);
    if (session) {
      if (has_ended(*session)) return session;
      display.show(progress_of(*session));
    } else if (!may_heal(session.error().code) && !stop_requested()) {
      return session;
    }
    if (steady_clock::now() >= end) {
      return fail(ErrorCode::timed_out,
                  fmt::format("{} {}/{} has not ended within {} minutes; it goes on: kubectl stash status -n {}{}",
                              kind.kind, ns, name, timeout_minutes, ns,
                              session ? "" : "; the API server does not answer: " + session.error().message));
    }
    for (int i = 0; i < 5 && !stop_requested(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    if (stop_requested()) {
      display.clear();
      say(fmt::format("not waiting any longer; it goes on: kubectl stash status -n {}", ns));
      return fail(ErrorCode::cancelled, "stopped");
    }
  }
}

Result<int> report_end(const Json& session, const std::string& output) {
  if (!print_report(session, output)) print(render_hosts(session, wants_colours()) + verdict(session) + "\n");
  return progress_of(session).phase == "Succeeded" ? kSucceeded : kFailed;
}

}  // namespace stash::cli
