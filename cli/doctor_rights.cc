#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/doctor_world.h"
#include "cli/object.h"
#include "cli/program_deployment.h"

/// May the programs do what they do?
namespace stash::cli {

namespace {

struct Right {
  std::string_view program, group, resource, verb;
};
/// Those without which nothing works; the chart's tests prove the whole list.
constexpr std::array kRights = {
    Right{kControllerProgram, "stash.appscode.com", "backupconfigurations", "watch"},
    Right{kControllerProgram, "stash.appscode.com", "backupsessions/status", "patch"},
    Right{kControllerProgram, "stash.appscode.com", "restoresessions/status", "patch"},
    Right{kControllerProgram, "stash.appscode.com", "backupblueprints", "watch"},
    Right{kControllerProgram, "apps", "deployments", "patch"},
    Right{kControllerProgram, "batch", "cronjobs", "create"},
    Right{kControllerProgram, "rbac.authorization.k8s.io", "rolebindings", "create"},
    Right{kControllerProgram, "", "pods", "list"},
    Right{kControllerProgram, "", "namespaces", "watch"},
    Right{kWebhookProgram, "stash.appscode.com", "backupconfigurations", "watch"},
    Right{kWebhookProgram, "stash.appscode.com", "repositories", "watch"},
    Right{kWebhookProgram, "", "namespaces", "watch"},
    Right{kWebhookProgram, "authorization.k8s.io", "subjectaccessreviews", "create"},
};

bool holds(const Json& list, std::string_view wanted) {
  return std::ranges::any_of(list, [&](const Json& item) { return item == wanted || item == "*"; });
}

bool grants(const Json& role, const Right& right) {
  return std::ranges::any_of(array_at(role, {"rules"}), [&](const Json& rule) {
    return array_at(rule, {"resourceNames"}).empty() && holds(array_at(rule, {"apiGroups"}), right.group) &&
           holds(array_at(rule, {"resources"}), right.resource) && holds(array_at(rule, {"verbs"}), right.verb);
  });
}

bool is_granted(const DoctorWorld& world, const Right& right, const std::string& ns, const std::string& account) {
  return std::ranges::any_of(list_of(world, "clusterrolebindings"), [&](const Json& binding) {
    const bool bound = std::ranges::any_of(array_at(binding, {"subjects"}), [&](const Json& subject) {
      return string_at(subject, {"kind"}) == "ServiceAccount" && string_at(subject, {"name"}) == account &&
             string_at(subject, {"namespace"}) == ns;
    });
    if (!bound) return false;
    const Json* role = find_named(list_of(world, "clusterroles"), string_at(binding, {"roleRef", "name"}));
    return role != nullptr && grants(*role, right);
  });
}

}  // namespace

void check_rights(const DoctorWorld& world, Checks& checks) {
  constexpr std::string_view kArea = "rbac";
  if (!readable(world, kArea, {"clusterroles", "clusterrolebindings"}, checks)) return;
  for (const std::string_view program : {kControllerProgram, kWebhookProgram}) {
    const auto deployments = program_deployments(list_of(world, "deployments"), program);
    if (deployments.empty()) continue;
    const std::string ns = ns_of(*deployments[0]);
    const std::string account =
        string_at(*deployments[0], {"spec", "template", "spec", "serviceAccountName"}, "default");
    bool good = true;
    for (const Right& right : kRights) {
      if (right.program != program || is_granted(world, right, ns, account)) continue;
      good = false;
      wrong(checks, Check::Level::problem, kArea,
            fmt::format("ServiceAccount {}/{} of {} may not {} {}{}{}", ns, account, program, right.verb,
                        right.resource, right.group.empty() ? "" : ".", right.group),
            "upgrade the chart, which grants it; or ask who changed its ClusterRole or ClusterRoleBinding");
    }
    if (good) well(checks, kArea, fmt::format("ServiceAccount {}/{} has the rights of {}", ns, account, program));
  }
}

}  // namespace stash::cli
