#include <fmt/format.h>

#include <optional>

#include "cli/commands.h"
#include "cli/object.h"
#include "cli/terminal.h"

namespace stash::cli {

namespace {

/// Else the next object meets the same error.
bool is_of_one_object(ErrorCode code) {
  return code != ErrorCode::unreachable && code != ErrorCode::timed_out && code != ErrorCode::cancelled;
}

/// One that was named is itself, several are a List. One that was named and could not be changed is nothing, so that a
/// program never takes a List for it.
std::optional<Json> as_kubectl_prints(const Options& options, Json objects) {
  if (options.names.size() != 1) return Json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", std::move(objects)}};
  if (objects.empty()) return std::nullopt;
  return std::move(objects.front());
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
  Json changed = Json::array();
  std::optional<Error> outage;
  for (const std::string& name : names) {
    const auto patched = kubectl.patch(api::kBackupConfigurations, name, ns, {{"spec", {{"paused", paused}}}});
    if (!patched && !is_of_one_object(patched.error().code)) {
      outage = patched.error();
      break;
    }
    if (!patched) {
      complain(patched.error().message);
      code = kFailed;
      continue;
    }
    changed.push_back(*patched);
    if (options.output == "table")
      print(fmt::format("BackupConfiguration {}/{} {}\n", ns, name, paused ? "paused" : "resumed"));
  }
  if (const auto report = as_kubectl_prints(options, std::move(changed))) print_report(*report, options.output);
  if (outage) return std::unexpected(*std::move(outage));
  return code;
}

}  // namespace stash::cli
