#include "controller/trimmed_pod.h"

#include "api/names.h"
#include "inject/workload_view.h"

namespace stash::controller {
namespace {

namespace names = api::names;
using Fields = std::initializer_list<std::string_view>;

Json kept(const Json& object, Fields fields) {
  Json some = Json::object();
  for (const std::string_view field : fields) {
    if (const Json* value = at(object, {field})) some[std::string(field)] = *value;
  }
  return some;
}

Json ours(const Json& containers, bool (*is_ours)(const Json&)) {
  Json some = Json::array();
  for (const Json& container : containers) {
    if (is_ours(container)) some.push_back(kept(container, {"name", "image", "args"}));
  }
  return some;
}

Json each_kept(const Json& list, Fields fields) {
  Json some = Json::array();
  for (const Json& entry : list) some.push_back(kept(entry, fields));
  return some;
}

}  // namespace

Json trimmed_pod(const Json& pod) {
  Json metadata = kept(object_at(pod, {"metadata"}),
                       {"name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "ownerReferences"});
  metadata["annotations"] = kept(object_at(pod, {"metadata", "annotations"}),
                                 {names::kAppliedBackupHash, names::kAppliedRestoreHash, names::kAppliedRestoreUid});
  metadata["labels"] = kept(object_at(pod, {"metadata", "labels"}), {"controller-revision-hash"});
  Json status = kept(object_at(pod, {"status"}), {"phase"});
  status["conditions"] =
      each_kept(array_at(pod, {"status", "conditions"}), {"type", "status", "reason", "message", "lastTransitionTime"});
  for (const char* list : {"containerStatuses", "initContainerStatuses"}) {
    status[list] = each_kept(array_at(pod, {"status", list}), {"name", "state", "lastState"});
  }
  return {{"metadata", std::move(metadata)},
          {"spec",
           {{"containers", ours(array_at(pod, {"spec", "containers"}), inject::is_sidecar)},
            {"initContainers", ours(array_at(pod, {"spec", "initContainers"}), inject::is_init_container)}}},
          {"status", std::move(status)}};
}

}  // namespace stash::controller
