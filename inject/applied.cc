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

std::shared_ptr<const Value> as_text(const Json& object) {
  Json text = dump_json(object);
  std::string quoted = dump_json(text);
  return std::make_shared<const Value>(std::move(text), std::move(quoted));
}

template <class Kind>
std::shared_ptr<const Value> applied(const Kind& object, const api::Resource& resource) {
  Json applied = Json::object();
  applied["apiVersion"] = resource.api_version();
  applied["kind"] = resource.kind;
  applied["metadata"] = applied_metadata(object.metadata);
  applied["spec"] = api::encode_spec(object.spec);
  return as_text(applied);
}

}  // namespace

std::shared_ptr<const Value> applied(const api::BackupConfiguration& configuration) {
  return applied(configuration, api::kBackupConfigurations);
}
std::shared_ptr<const Value> applied(const api::RestoreSession& session) {
  return applied(session, api::kRestoreSessions);
}

std::shared_ptr<const Value> applied_annotation(std::shared_ptr<const Value> applied,
                                                const std::vector<std::string>& serves,
                                                const std::vector<std::string>& added_pull_secrets) {
  if (serves.size() < 2 && added_pull_secrets.empty()) return applied;
  Json object = parse_json(applied->json.get_ref<const std::string&>()).value();
  if (serves.size() > 1) object["serves"] = serves;
  if (!added_pull_secrets.empty()) object["added"] = {{"imagePullSecrets", added_pull_secrets}};
  return as_text(object);
}

std::vector<std::string> recorded_pull_secrets(const PodTemplate& pod) {
  std::vector<std::string> recorded;
  if (sidecar_of(pod) == nullptr && init_container_of(pod) == nullptr) return recorded;
  for (const std::string_view key : {names::kAppliedBackup, names::kAppliedRestore}) {
    const Result<Json> applied = parse_json(string_at(*pod.workload, {"metadata", "annotations", key}, "{}"));
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
