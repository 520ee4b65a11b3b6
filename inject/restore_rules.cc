#include "inject/restore_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "api/hook_check.h"
#include "api/time_out.h"
#include "api/workload_kind.h"
#include "inject/configuration_rules.h"

namespace stash::inject {
namespace {

std::string unusable_target(const api::RestoreSessionSpec& spec) {
  if (!spec.driver.empty() && spec.driver != "Restic") {
    return fmt::format("the driver {} is not supported by this version; leave spec.driver out for Restic", spec.driver);
  }
  if (!spec.target || spec.target->ref.name.empty()) {
    return "it has no target; set spec.target.ref (restores by a Task are not supported by this version)";
  }
  if (spec.target->has_jobs) {
    return "spec.target.replicas and volumeClaimTemplates ask for a restore by jobs, which this version does not "
           "support";
  }
  if (api::workload_kind(spec.target->ref) == nullptr) {
    return fmt::format("its target {} {} of {} is not supported by this version; supported: {}", spec.target->ref.kind,
                       spec.target->ref.name, spec.target->ref.api_version, api::workload_kind_names());
  }
  for (const auto& [action, hook] : {std::pair("preRestore", &spec.pre_restore), {"postRestore", &spec.post_restore}}) {
    if (!*hook) continue;
    if ((*hook)->exec) {
      return fmt::format("spec.hooks.{}.exec cannot be run: the application's containers start after the restore",
                         action);
    }
    if (const auto checked = api::check_hook(action, **hook); !checked) return "spec." + checked.error().message;
  }
  if (!spec.time_out.empty() && !api::time_out(spec.time_out)) {
    return fmt::format("spec.timeOut {:?} is no duration above zero such as 30m or 2h", spec.time_out);
  }
  return "";
}

/// What holds for every host, whatever the snapshots are.
std::string unusable_paths(const std::vector<api::RestoreRule>& rules, const std::vector<api::VolumeMount>& mounts) {
  if (mounts.empty()) {
    return "spec.target.volumeMounts is empty, so nothing would reach the workload; name the volumes to restore into, "
           "where they were when they were backed up";
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!rules[i].include.empty() && !rules[i].exclude.empty()) {
      return fmt::format("rule[{}] has both include and exclude, of which restic takes only one", i);
    }
    for (const std::string& path : rules[i].paths) {
      if (!path.starts_with('/')) return fmt::format("rule[{}] names the path {:?}, which is not absolute", i, path);
      const bool has_volume = std::ranges::any_of(
          mounts, [&](const api::VolumeMount& mount) { return is_mounted(mount.mount_path, {{"", path, ""}}); });
      if (is_mounted(path, mounts) || has_volume) continue;
      std::vector<std::string> mounted;
      for (const api::VolumeMount& mount : mounts) mounted.push_back(mount.mount_path);
      return fmt::format(
          "rule[{}] names the path {}, which lies in none of the volumes of spec.target.volumeMounts ({}); correct the "
          "path, or mount the volume where it was when it was backed up",
          i, path, fmt::join(mounted, ", "));
    }
  }
  return "";
}

std::string unusable_rules(const std::vector<api::RestoreRule>& rules, const std::vector<std::string>& hosts) {
  if (rules.empty()) return "it has no rules, so nothing would be restored; set spec.rules[0].paths";
  std::map<std::string, std::size_t> rule_of;
  std::optional<std::size_t> rest;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const api::RestoreRule& rule = rules[i];
    if (rule.paths.empty() && rule.snapshots.empty()) {
      return fmt::format("rule[{}] has neither paths nor snapshots, so it would restore nothing", i);
    }
    if (!rule.paths.empty() && !rule.snapshots.empty()) {
      return fmt::format("rule[{}] has both paths and snapshots; only one of them is possible", i);
    }
    if (rule.target_hosts.empty()) {
      if (rest)
        return fmt::format("rule[{}] and rule[{}] both have no targetHosts; only one rule can be for all others", *rest,
                           i);
      rest = i;
    }
    for (const std::string& host : rule.target_hosts) {
      const auto [other, fresh] = rule_of.emplace(host, i);
      if (!fresh) return fmt::format("rule[{}] and rule[{}] both name the host {}", other->second, i, host);
    }
  }
  for (const std::string& host : hosts) {
    if (!rest && !rule_of.contains(host)) {
      return fmt::format("no rule is for {}, the host of its target; leave rules[0].targetHosts out, or name {} there",
                         host, host);
    }
  }
  return "";
}

}  // namespace

std::string unusable(const api::RestoreSession& session, const std::vector<std::string>& hosts) {
  std::string why = unusable_target(session.spec);
  if (why.empty()) why = unusable_rules(session.spec.rules, hosts);
  if (why.empty()) why = unusable_paths(session.spec.rules, session.spec.target->volume_mounts);
  if (why.empty()) return "";
  return fmt::format("RestoreSession {}: {}; create a new one", api::to_string(session.metadata.ref()), why);
}

}  // namespace stash::inject
