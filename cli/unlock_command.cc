#include "cli/commands.h"
#include "cli/locks.h"
#include "cli/sidecar_call.h"
#include "cli/terminal.h"

namespace stash::cli {

Result<int> unlock(Kubectl& kubectl, const Options& options) {
  TRY(const std::string ns, kubectl.ns());
  TRY(const std::string line, ask_sidecar(kubectl, ns, options.names.front(), "unlock"));
  TRY(const Json report, with_context(parse_json(line), "reading what the sidecar printed"));
  if (!print_report(report, options.output)) print(render_locks(report, wants_colours(), system_clock().now()));
  return array_at(report, {"left"}).empty() ? kSucceeded : kFailed;
}

}  // namespace stash::cli
