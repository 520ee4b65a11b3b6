#include <fmt/format.h>

#include "api/codec.h"
#include "cli/commands.h"
#include "cli/session_wait.h"
#include "cli/terminal.h"
#include "sidecar/session_name.h"

namespace stash::cli {

Result<int> trigger(Kubectl& kubectl, const Options& options) {
  const std::string& name = options.names.front();
  TRY(const std::string ns, kubectl.ns());
  TRY(const auto configuration, read_configuration(kubectl, ns, name));
  if (configuration.spec.paused) {
    return fail(
        ErrorCode::invalid,
        fmt::format("BackupConfiguration {}/{} is paused, so the session would be skipped; first: kubectl stash "
                    "resume {} -n {}",
                    ns, name, name, ns));
  }
  TRY(const Json created,
      kubectl.create(sidecar::backup_session_of(configuration, sidecar::session_name(name, system_clock().now()))));
  const std::string session = string_at(created, {"metadata", "name"});
  say(fmt::format("BackupSession {}/{} created", ns, session));
  if (!options.wait) {
    print_report(created, options.output);
    return kSucceeded;
  }
  TRY(const Json ended, wait_for(kubectl, api::kBackupSessions, ns, session, options.timeout_minutes));
  return report_end(ended, options.output);
}

}  // namespace stash::cli
