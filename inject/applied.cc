#include "inject/applied.h"

#include <algorithm>

#include "api/codec.h"
#include "api/names.h"
#include "api/resource.h"
#include "inject/workload_view.h"

namespace stash::inject {
namespace {

namespace names = api::names;

Json applied_metadata(const api::ObjectMeta& meta) {
  Json metadata = Json::object();
  metadata["name"] = meta.name;
  metadata["namespace"] = meta.ns;
  metadata["uid"] = meta.uid;
  if (!meta.labels.empty()) metadata["labels"] = meta.labels;
  Json annotations = Json::object();
  for (const auto& [key, value] : meta.annotations) {
    if (!key.starts_with("kubectl.kubernetes.io/")) annotations[key] = value;
  }
  if (!annotations.empty()) metadata["annotations"] = std::move(annotations);
  return metadata;
}

template <class Kind>
Json applied(const Kind& object, const api::Resource& resource) {
  Json applied = Json::object();
  applied["apiVersion"] = resource.api_version();
  applied["kind"] = resource.kind;
  applied["metadata"] = applied_metadata(object.metadata);
  applied["spec"] = api::encode_spec(object.spec);
  return applied;
}

}  // namespace

Json applied_object(const api::BackupConfiguration& configuration) {
  return applied(configuration, api::kBackupConfigurations);
}
Json applied_object(const api::RestoreSession& session) { return applied(session, api::kRestoreSessions); }

std::string applied_annotation(const Json& applied, const std::vector<std::string>& added_pull_secrets) {
  if (added_pull_secrets.empty()) return dump_json(applied);
  Json with_added = applied;
  with_added["added"] = {{"imagePullSecrets", added_pull_secrets}};
  return dump_json(with_added);
}

std::vector<std::string> recorded_pull_secrets(const Json& workload) {
  std::vector<std::string> recorded;
  if (sidecar_of(workload) == nullptr && init_container_of(workload) == nullptr) return recorded;
  for (const std::string_view key : {names::kAppliedBackup, names::kAppliedRestore}) {
    const Result<Json> applied = parse_json(string_at(workload, {"metadata", "annotations", key}, "{}"));
    if (!applied) continue;
    for (const Json& name : array_at(*applied, {"added", "imagePullSecrets"})) {
      if (!name.is_string()) continue;
      const std::string& text = name.get_ref<const std::string&>();
      if (std::ranges::find(recorded, text) == recorded.end()) recorded.push_back(text);
    }
  }
  return recorded;
}

}  // namespace stash::inject
