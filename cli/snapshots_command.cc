#include "cli/commands.h"
#include "cli/sidecar_call.h"
#include "cli/terminal.h"

namespace stash::cli {

Result<int> list_snapshots(Kubectl& kubectl, const Options& options) {
  TRY(const std::string ns, kubectl.ns());
  TRY(auto snapshots, ask_for_snapshots(kubectl, ns, options.names.front()));
  if (!options.host.empty())
    std::erase_if(snapshots, [&](const SnapshotFacts& snapshot) { return snapshot.host != options.host; });
  if (!print_report(snapshots_report(snapshots), options.output))
    print(render_snapshots(snapshots, wants_colours(), system_clock().now()));
  return kSucceeded;
}

}  // namespace stash::cli
