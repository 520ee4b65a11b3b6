#include "controller/thaw.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "controller/hook_requests.h"
#include "controller/hosts.h"

namespace stash::controller {
namespace {

bool is_known_to_be_gone(const std::string& uid, const std::optional<std::vector<PodFacts>>& pods) {
  return pods && std::ranges::none_of(*pods, [&](const PodFacts& pod) { return pod.uid == uid && is_alive(pod); });
}

bool is_post(const Json& host) { return string_at(host, {"hook", "action"}) == kPostBackup; }

/// Whether a preBackup may have frozen the application, and no postBackup has ended since.
bool may_be_frozen(const Json& host, const api::BackupConfiguration& configuration) {
  if (!configuration.spec.pre_backup) return false;
  if (is_post(host)) return !has_hook_ended(string_at(host, {"hook", "phase"}));
  // What the sidecar sends itself, it tells nobody.
  return !configuration.spec.pre_backup->exec || !string_at(host, {"hook", "action"}).empty();
}

}  // namespace

void request_thaws(const Json& before, Json& after, const api::BackupConfiguration& configuration,
                   const std::optional<std::vector<PodFacts>>& pods, TimePoint now) {
  const auto& thaw = configuration.spec.post_backup;
  if (!thaw || !thaw->exec || thaw->execution_policy == "OnSuccess") return;
  for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    const Json& host = before[i];
    const std::string uid = string_at(host, {"claim", "podUID"});
    if (string_at(host, {"phase"}) != kHostRunning || string_at(after[i], {"phase"}) != kHostFailed || uid.empty() ||
        is_known_to_be_gone(uid, pods) || !may_be_frozen(host, configuration))
      continue;
    after[i]["claim"] = host["claim"];
    if (is_post(host)) continue;
    after[i]["hook"] = {{"action", kPostBackup}, {"phase", kHookRequested}, {"requestTime", format_time(now)}};
  }
}

std::string hosts_to_thaw(const Json& stats, const std::optional<std::vector<PodFacts>>& pods) {
  std::vector<std::string> names;
  for (const Json& host : stats) {
    const std::string phase = string_at(host, {"phase"}), uid = string_at(host, {"claim", "podUID"});
    if ((phase != kHostSucceeded && phase != kHostFailed) || !is_post(host) || uid.empty() ||
        has_hook_ended(string_at(host, {"hook", "phase"})) || is_known_to_be_gone(uid, pods))
      continue;
    names.push_back(string_at(host, {"hostname"}));
  }
  return first_of(std::move(names), ", ");
}

void tell_of_failed_thaws(Json& stats) {
  for (Json& host : stats) {
    const std::string phase = string_at(host, {"hook", "phase"});
    if (!is_post(host) || phase == kHookSucceeded || string_at(host, {"phase"}) != kHostFailed) continue;
    const std::string said = phase == kHookFailed ? "failed: " + string_at(host, {"hook", "error"}) : "has not ended";
    const std::string error = string_at(host, {"error"});
    host["error"] =
        fmt::format("{}{}the hook postBackup, run by the controller, {}", error, error.empty() ? "" : "; ", said);
  }
}

}  // namespace stash::controller
