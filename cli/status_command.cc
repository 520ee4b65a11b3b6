#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace stash::cli {

Result<int> show_status(Kubectl& kubectl, const Options& options) {
  if (options.all_namespaces && !options.names.empty())
    return misuse("a name and --all-namespaces exclude one another");
  std::string ns;
  if (!options.all_namespaces) {
    TRY(ns, kubectl.ns());
  }
  StatusWorld world;
  TRY(world.configurations, kubectl.list(api::kBackupConfigurations, ns));
  TRY(world.sessions, kubectl.list(api::kBackupSessions, ns));
  TRY(world.restores, kubectl.list(api::kRestoreSessions, ns));
  TRY(world.repositories, kubectl.list(api::kRepositories, ns));
  const std::string only = options.names.empty() ? "" : options.names.front();
  const Json report = status_report(world, only);
  if (!only.empty() && array_at(report, {"backups"}).empty()) {
    return fail(ErrorCode::not_found,
                fmt::format("there is no BackupConfiguration {} in namespace {}; kubectl stash status -A lists them",
                            only, ns));
  }
  if (!print_report(report, options.output))
    print(render_status(report, options.all_namespaces, wants_colours(), system_clock().now()));
  if (world.configurations.empty()) say("kubectl stash doctor tells whether Stash is installed, and what is missing");
  return in_trouble(report) ? kFailed : kSucceeded;
}

}  // namespace stash::cli
