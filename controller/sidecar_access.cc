#include "controller/sidecar_access.h"

#include <fmt/format.h>

#include <set>

#include "api/names.h"
#include "base/hash.h"
#include "controller/invoker_labels.h"
#include "controller/kind_name.h"
#include "controller/owned_object.h"

namespace stash::controller {
namespace {

namespace names = api::names;

Json rule(std::string_view group, std::string_view resource, Json verbs, const std::set<std::string>& only = {}) {
  Json result = {{"apiGroups", {group}}, {"resources", {resource}}, {"verbs", std::move(verbs)}};
  if (!only.empty()) result["resourceNames"] = only;
  return result;
}

Json workload_owner(const Json& workload, const api::WorkloadKind& kind) {
  return {{"apiVersion", kind.resource.api_version()},
          {"kind", kind.resource.kind},
          {"name", string_at(workload, {"metadata", "name"})},
          {"uid", string_at(workload, {"metadata", "uid"})},
          {"blockOwnerDeletion", false}};
}

Access access(const Json& workload, const api::WorkloadKind& kind, const std::string& name, Json rules) {
  const std::string ns = string_at(workload, {"metadata", "namespace"});
  const std::string account = string_at(workload, {"spec", "template", "spec", "serviceAccountName"}, "default");
  const Json metadata = owned_metadata(ns, name,
                                       {{std::string(names::kComponentLabel), std::string(names::kBackupComponent)},
                                        {std::string(names::kManagedByLabel), std::string(names::kManagedBy)}},
                                       workload_owner(workload, kind));
  return {{{"apiVersion", api::kRoles.api_version()},
           {"kind", api::kRoles.kind},
           {"metadata", metadata},
           {"rules", std::move(rules)}},
          {{"apiVersion", api::kRoleBindings.api_version()},
           {"kind", api::kRoleBindings.kind},
           {"metadata", metadata},
           {"roleRef", {{"apiGroup", api::kRoles.group}, {"kind", api::kRoles.kind}, {"name", name}}},
           {"subjects", Json::array({{{"kind", api::kServiceAccounts.kind}, {"name", account}, {"namespace", ns}}})}}};
}

std::string role_name(std::string_view prefix, const api::WorkloadKind& kind, std::string_view workload) {
  return shorten_name(fmt::format("{}{}-{}", prefix, singular(kind.resource.kind), workload), 253);
}

}  // namespace

std::string sidecar_role_name(const api::WorkloadKind& kind, std::string_view workload) {
  return role_name(names::kSidecarRolePrefix, kind, workload);
}

std::string restore_role_name(const api::WorkloadKind& kind, std::string_view workload) {
  return role_name(names::kRestoreRolePrefix, kind, workload);
}

Access sidecar_access(const Json& workload, const api::WorkloadKind& kind, const inject::Desired& desired) {
  std::set<std::string> configurations, repositories;
  for (const inject::Served& served : desired.backups) {
    configurations.insert(served.configuration->metadata.name);
    repositories.insert(served.configuration->spec.repository);
  }
  repositories.erase("");
  Json rules = {rule(names::kGroup, "backupsessions", {"get", "list", "watch"}),
                rule(names::kGroup, "backupsessions/status", {"patch"}),
                rule(names::kGroup, "backupconfigurations", {"get"}, configurations),
                rule(names::kGroup, "repositories", {"get"}, repositories),
                rule(names::kGroup, "repositories/status", {"patch"}, repositories),
                rule("", "events", {"create"})};
  // Only a session of many hosts has them.
  if (kind.hosts != api::HostScheme::single)
    rules.push_back(rule(names::kGroup, "backupsessionhosts", {"get", "patch"}));
  return access(workload, kind, sidecar_role_name(kind, string_at(workload, {"metadata", "name"})), std::move(rules));
}

Access restore_access(const Json& workload, const api::WorkloadKind& kind, const inject::Desired& desired) {
  std::set<std::string> repository;
  if (desired.restore && !desired.restore->spec.repository.empty()) repository.insert(desired.restore->spec.repository);
  return access(workload, kind, restore_role_name(kind, string_at(workload, {"metadata", "name"})),
                {rule(names::kGroup, "restoresessions", {"get", "watch"}),
                 rule(names::kGroup, "restoresessions/status", {"patch"}),
                 rule(names::kGroup, "repositories", {"get"}, repository), rule("", "events", {"create"})});
}

}  // namespace stash::controller
