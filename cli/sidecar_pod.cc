#include <algorithm>

#include "api/names.h"
#include "cli/sidecar_call.h"
#include "inject/workload_view.h"

namespace stash::cli {

namespace {

const Json* sidecar_in(const Json& pod) {
  for (const Json& container : array_at(pod, {"spec", "containers"})) {
    if (inject::is_sidecar(container)) return &container;
  }
  return nullptr;
}

bool runs(const Json& pod, std::string_view container) {
  if (!string_at(pod, {"metadata", "deletionTimestamp"}).empty()) return false;
  return std::ranges::any_of(array_at(pod, {"status", "containerStatuses"}), [&](const Json& status) {
    return string_at(status, {"name"}) == container && at(status, {"state", "running"}) != nullptr;
  });
}

bool is_ready(const Json& pod) {
  return std::ranges::any_of(array_at(pod, {"status", "conditions"}), [](const Json& condition) {
    return string_at(condition, {"type"}) == "Ready" && string_at(condition, {"status"}) == "True";
  });
}

/// "ReplicaSet" for a Deployment's pods: what matters is whether the pods are numbered.
std::string owner_kind(const Json& pod) {
  for (const Json& owner : array_at(pod, {"metadata", "ownerReferences"})) {
    if (bool_at(owner, {"controller"})) return string_at(owner, {"kind"});
  }
  return "";
}

/// Flags of run-backup that say where restic finds things; the others are about other work.
bool is_about_restic(std::string_view argument) {
  constexpr std::string_view kFlags[] = {"--secret-dir",   "--repository-secret-dir", "--local-mount",
                                         "--enable-cache", "--max-connections",       "--temp-dir",
                                         "--podinfo-dir"};
  return std::ranges::any_of(kFlags, [&](std::string_view flag) {
    return argument == flag || (argument.starts_with(flag) && argument.substr(flag.size()).starts_with('='));
  });
}

}  // namespace

const Json* pod_with_sidecar(const Json& pods, const std::vector<std::string>& configurations) {
  const Json* found = nullptr;
  for (const Json& pod : pods) {
    const Json* sidecar = sidecar_in(pod);
    if (sidecar == nullptr || !runs(pod, api::names::kSidecar)) continue;
    const bool serves = std::ranges::any_of(inject::invokers_of(*sidecar), [&](const std::string& name) {
      return std::ranges::find(configurations, name) != configurations.end();
    });
    if (!serves) continue;
    if (is_ready(pod)) return &pod;
    if (found == nullptr) found = &pod;
  }
  return found;
}

std::vector<std::string> exec_arguments(const Json& pod, const std::string& subcommand, const std::string& repository,
                                        const std::vector<std::string>& more) {
  std::vector<std::string> arguments{
      "exec",     string_at(pod, {"metadata", "name"}), "-n", string_at(pod, {"metadata", "namespace"}),
      "-c",       std::string(api::names::kSidecar),    "--", "/usr/bin/stash",
      subcommand, "--repository=" + repository};
  const std::string owner = owner_kind(pod);
  if (!owner.empty()) arguments.push_back("--target-kind=" + owner);
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Json* sidecar = sidecar_in(pod);
  if (sidecar == nullptr) return arguments;
  const Json& own = array_at(*sidecar, {"args"});
  for (std::size_t i = 1; i < own.size(); ++i) {
    if (!own[i].is_string() || !is_about_restic(own[i].get_ref<const std::string&>())) continue;
    const std::string argument = own[i].get<std::string>();
    arguments.push_back(argument);
    // "--flag", "value"
    const bool has_value = argument.contains('=') || i + 1 >= own.size() || !own[i + 1].is_string() ||
                           own[i + 1].get_ref<const std::string&>().starts_with("--");
    if (!has_value) arguments.push_back(own[++i].get<std::string>());
  }
  return arguments;
}

}  // namespace stash::cli
