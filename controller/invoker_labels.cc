#include "controller/invoker_labels.h"

#include <algorithm>

#include "api/names.h"

namespace stash::controller {

namespace names = api::names;

std::map<std::string, std::string> invoker_labels(const std::string& configuration) {
  const std::string value = api::configuration_label(configuration);
  return {{std::string(names::kComponentLabel), std::string(names::kBackupComponent)},
          {std::string(names::kManagedByLabel), std::string(names::kManagedBy)},
          {std::string(names::kBackupConfigurationLabel), value},
          {std::string(names::kInvokerTypeLabel), "BackupConfiguration"},
          {std::string(names::kInvokerNameLabel), value}};
}

bool belongs_to_another_invoker(const api::BackupSession& session) {
  const auto ours = [](std::string_view kind) { return kind.empty() || kind == "BackupConfiguration"; };
  if (!ours(session.spec.invoker_kind)) return true;
  const auto label = session.metadata.labels.find(std::string(names::kInvokerTypeLabel));
  const bool named = !session.spec.invoker_name.empty() || !session.spec.backup_configuration.empty();
  return !named && label != session.metadata.labels.end() && !ours(label->second);
}

Json missing_invoker_metadata(const Json& session, const api::BackupConfiguration& configuration) {
  Json patch = Json::object();
  const api::ObjectMeta meta = api::meta_of(session);
  for (const auto& [key, value] : invoker_labels(configuration.metadata.name)) {
    if (!meta.labels.contains(key)) patch["labels"][key] = value;
  }
  const bool owned = std::any_of(meta.owners.begin(), meta.owners.end(), [&](const api::OwnerReference& owner) {
    return owner.uid == configuration.metadata.uid;
  });
  if (!owned) {
    Json owners = array_at(session, {"metadata", "ownerReferences"});
    owners.push_back(owner_reference(api::kBackupConfigurations, configuration.metadata));
    patch["ownerReferences"] = std::move(owners);
  }
  return patch;
}

Json owner_reference(const api::Resource& resource, const api::ObjectMeta& owner) {
  return {{"apiVersion", resource.api_version()},
          {"kind", resource.kind},
          {"name", owner.name},
          {"uid", owner.uid},
          {"blockOwnerDeletion", false}};
}

}  // namespace stash::controller
