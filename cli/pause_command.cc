#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/object.h"
#include "cli/terminal.h"

namespace stash::cli {

namespace {

/// Else the next object meets the same error.
bool is_of_one_object(ErrorCode code) {
  return code != ErrorCode::unreachable && code != ErrorCode::timed_out && code != ErrorCode::cancelled;
}

}  // namespace

Result<int> set_paused(Kubectl& kubectl, const Options& options, bool paused) {
  if (options.all == !options.names.empty()) return misuse("name BackupConfigurations, or give --all");
  TRY(const std::string ns, kubectl.ns());
  std::vector<std::string> names = options.names;
  if (options.all) {
    TRY(const Json configurations, kubectl.list(api::kBackupConfigurations, ns));
    for (const Json& configuration : configurations) names.push_back(string_at(configuration, {"metadata", "name"}));
    if (names.empty()) say(fmt::format("namespace {} has no BackupConfiguration", ns));
  }
  int code = kSucceeded;
  for (const std::string& name : names) {
    const auto patched = kubectl.patch(api::kBackupConfigurations, name, ns, {{"spec", {{"paused", paused}}}});
    if (!patched && !is_of_one_object(patched.error().code)) return std::unexpected(patched.error());
    if (!patched) {
      complain(patched.error().message);
      code = kFailed;
      continue;
    }
    print(fmt::format("BackupConfiguration {}/{} {}\n", ns, name, paused ? "paused" : "resumed"));
  }
  return code;
}

}  // namespace stash::cli
