#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/object.h"
#include "cli/terminal.h"

namespace stash::cli {

Result<int> set_paused(Kubectl& kubectl, const Options& options, bool paused) {
  if (options.all == !options.names.empty()) return misuse("name BackupConfigurations, or give --all");
  TRY(const std::string ns, kubectl.ns());
  std::vector<std::string> names = options.names;
  if (options.all) {
    TRY(const Json configurations, kubectl.list(api::kBackupConfigurations, ns));
    for (const Json& configuration : configurations) names.push_back(string_at(configuration, {"metadata", "name"}));
    if (names.empty()) say(fmt::format("namespace {} has no BackupConfiguration", ns));
  }
  for (const std::string& name : names) {
    TRY_VOID(kubectl.patch(api::kBackupConfigurations, name, ns, {{"spec", {{"paused", paused}}}}));
    print(fmt::format("BackupConfiguration {}/{} {}\n", ns, name, paused ? "paused" : "resumed"));
  }
  return kSucceeded;
}

}  // namespace stash::cli
