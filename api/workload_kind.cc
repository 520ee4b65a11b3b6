#include "api/workload_kind.h"

#include <algorithm>
#include <array>

namespace stash::api {
namespace {

constexpr std::array kKinds = {
    WorkloadKind{{"apps", "v1", "deployments", "Deployment"}},
    WorkloadKind{{"apps", "v1", "statefulsets", "StatefulSet"}, HostScheme::ordinals},
    WorkloadKind{{"apps", "v1", "daemonsets", "DaemonSet"}, HostScheme::nodes},
    WorkloadKind{{"apps", "v1", "replicasets", "ReplicaSet"}, HostScheme::single, false},
    WorkloadKind{{"", "v1", "replicationcontrollers", "ReplicationController"}, HostScheme::single, false},
    WorkloadKind{{"apps.openshift.io", "v1", "deploymentconfigs", "DeploymentConfig"}, HostScheme::single, true, false},
};

}  // namespace

std::span<const WorkloadKind> workload_kinds() { return kKinds; }

std::string_view workload_group(std::string_view api_version) {
  const auto slash = api_version.find('/');
  const std::string_view group = slash == std::string_view::npos ? "" : api_version.substr(0, slash);
  return group == "extensions" ? "apps" : group;
}

const WorkloadKind* workload_kind(std::string_view group, std::string_view kind) {
  const std::string_view home = group == "extensions" ? "apps" : group;
  const auto* const found = std::ranges::find_if(kKinds, [&](const WorkloadKind& candidate) {
    return candidate.resource.group == home && candidate.resource.kind == kind;
  });
  return found == kKinds.end() ? nullptr : found;
}

const WorkloadKind* workload_kind(const TargetRef& ref) {
  return workload_kind(workload_group(ref.api_version), ref.kind);
}

const std::string& workload_kind_names() {
  static const std::string names = [] {
    std::string text;
    for (const WorkloadKind& kind : kKinds) {
      text += (text.empty() ? "" : ", ") + std::string(kind.resource.kind);
      if (!kind.resource.group.empty()) text += " (" + std::string(kind.resource.group) + ")";
    }
    return text;
  }();
  return names;
}

std::string to_string(const WorkloadRef& workload) {
  return std::string(workload.kind->resource.kind) + " " + to_string(workload.ref);
}

std::optional<WorkloadRef> workload_ref(std::string_view text) {
  const auto blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto* const kind = std::ranges::find_if(
      kKinds, [&](const WorkloadKind& candidate) { return candidate.resource.kind == text.substr(0, blank); });
  if (kind == kKinds.end()) return std::nullopt;
  return WorkloadRef{kind, object_ref(text.substr(blank + 1))};
}

}  // namespace stash::api
