#include "inject/configuration_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "api/hook_check.h"
#include "api/names.h"
#include "api/time_out.h"
#include "api/workload_kind.h"
#include "base/time.h"

namespace stash::inject {

namespace {

/// A backup without what should make it consistent would only look like one.
std::string unusable_hook(std::string_view action, const std::optional<api::Hook>& hook, bool exec_hooks) {
  if (!hook) return "";
  if (hook->exec && !exec_hooks) {
    return fmt::format(
        "spec.hooks.{}.exec, and the administrator has turned such hooks off (hooks.exec=false of the "
        "chart); use httpGet, httpPost or tcpSocket against the application, or remove it",
        action);
  }
  if (hook->exec && hook->container_name == api::names::kSidecar) {
    return fmt::format("spec.hooks.{}.containerName {}, which is Stash's own container; name one of the application's",
                       action, hook->container_name);
  }
  const auto checked = api::check_hook(action, *hook);
  return checked ? "" : "a hook that cannot be run: spec." + checked.error().message;
}

/// Without doubled slashes, "." and "..", and without a slash at the end.
std::string tidied(const std::string& path) {
  std::string tidy = std::filesystem::path(path).lexically_normal().string();
  while (tidy.size() > 1 && tidy.ends_with('/')) tidy.pop_back();
  return tidy;
}

/// At or below; both are tidied. A mount of nothing holds nothing.
bool is_below(std::string_view path, std::string_view mount) {
  if (mount == "/") return path.starts_with('/');
  return !mount.empty() && path.starts_with(mount) && (path.size() == mount.size() || path[mount.size()] == '/');
}

}  // namespace

std::string unusable(const api::BackupConfiguration& configuration, bool exec_hooks) {
  const api::BackupConfigurationSpec& spec = configuration.spec;
  const std::string name = "BackupConfiguration " + api::to_string(configuration.metadata.ref());
  if (!spec.driver.empty() && spec.driver != "Restic") {
    return fmt::format("{} has the driver {}, which this version does not support; remove spec.driver for Restic", name,
                       spec.driver);
  }
  if (!spec.target || spec.target->ref.name.empty()) {
    return name + " has no target; set spec.target.ref (backups by a Task are not supported by this version)";
  }
  if (api::workload_kind(spec.target->ref) == nullptr) {
    return fmt::format("{} targets {} {} of {}, which this version does not support; supported: {}", name,
                       spec.target->ref.kind, spec.target->ref.name, spec.target->ref.api_version,
                       api::workload_kind_names());
  }
  for (const auto& [action, hook] : {std::pair("preBackup", &spec.pre_backup), {"postBackup", &spec.post_backup}}) {
    if (const std::string why = unusable_hook(action, *hook, exec_hooks); !why.empty())
      return fmt::format("{} has {}", name, why);
  }
  if (spec.target->paths.empty()) return name + " names nothing to back up; set spec.target.paths";
  if (!spec.time_out.empty() && !api::time_out(spec.time_out)) {
    return fmt::format("{} has spec.timeOut {:?}, which is no duration above zero such as 30m or 2h", name,
                       spec.time_out);
  }
  if (const std::string why = unusable_retry(spec); !why.empty()) return name + " has " + why;
  return "";
}

bool is_mounted(const std::string& path, const std::vector<api::VolumeMount>& mounts) {
  const std::string tidy = tidied(path);
  return std::ranges::any_of(mounts,
                             [&](const api::VolumeMount& mount) { return is_below(tidy, tidied(mount.mount_path)); });
}

std::string unmounted_paths(const api::BackupTarget& target) {
  std::vector<std::string> mounts, outside;
  for (const api::VolumeMount& mount : target.volume_mounts) mounts.push_back(tidied(mount.mount_path));
  for (const std::string& path : target.paths) {
    if (!is_mounted(path, target.volume_mounts)) outside.push_back(path);
  }
  if (outside.empty()) return "";
  return fmt::format(
      "{} of spec.target.paths {} at or below no mountPath of spec.target.volumeMounts ({}); correct the "
      "path, or add the mount",
      fmt::join(outside, ", "), outside.size() == 1 ? "is" : "are",
      mounts.empty() ? "there is none" : fmt::format("{}", fmt::join(mounts, ", ")));
}

std::string unusable_retry(const api::BackupConfigurationSpec& spec) {
  if (!spec.retry_config) return "";
  const std::string& delay = spec.retry_config->delay;
  if (!delay.empty()) {
    const auto duration = parse_duration(delay);
    if (!duration || *duration < Nanoseconds(0)) {
      return fmt::format("spec.retryConfig.delay {:?}, which is no duration such as 30s or 5m", delay);
    }
  }
  if (spec.retry_config->max_retry < 0) return "spec.retryConfig.maxRetry below zero";
  return "";
}

}  // namespace stash::inject
