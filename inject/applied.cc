#include "inject/applied.h"

#include <algorithm>

#include "api/codec.h"
#include "api/names.h"
#include "api/resource.h"
#include "inject/shared_configuration.h"
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
std::string applied(const Kind& object, const api::Resource& resource) {
  Json applied = Json::object();
  applied["apiVersion"] = resource.api_version();
  applied["kind"] = resource.kind;
  applied["metadata"] = applied_metadata(object.metadata);
  applied["spec"] = api::encode_spec(object.spec);
  return dump_json(applied);
}

}  // namespace

std::string applied_text(const api::BackupConfiguration& configuration) {
  return applied(configuration, api::kBackupConfigurations);
}
std::string applied_text(const api::RestoreSession& session) { return applied(session, api::kRestoreSessions); }

std::string applied_annotation(std::string applied, const std::vector<std::string>& serves,
                               const std::vector<std::string>& added_pull_secrets) {
  if (serves.size() < 2 && added_pull_secrets.empty()) return applied;
  Json object = parse_json(applied).value();
  if (serves.size() > 1) object["serves"] = serves;
  if (!added_pull_secrets.empty()) object["added"] = {{"imagePullSecrets", added_pull_secrets}};
  return dump_json(object);
}

SharedConfiguration::SharedConfiguration(api::BackupConfiguration configuration) {
  std::string applied = applied_text(configuration);
  state_ = std::make_shared<const State>(std::move(configuration), std::move(applied));
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
