#include "controller/stale_pods.h"

#include <algorithm>
#include <charconv>

#include "api/names.h"
#include "controller/pod_image.h"
#include "controller/workload_facts.h"
#include "inject/workload_view.h"

namespace stash::controller {
namespace {

namespace names = api::names;

constexpr std::chrono::seconds kNextPod{5};

bool has_container(const Json& list, bool (*is_ours)(const Json&)) { return std::ranges::any_of(list, is_ours); }

bool is_stale(const Json& pod, const Json& workload) {
  const Json& spec = inject::pod_spec(workload);
  const auto differs = [&](const char* list, bool (*is_ours)(const Json&)) {
    return has_container(array_at(pod, {"spec", list}), is_ours) != has_container(array_at(spec, {list}), is_ours);
  };
  const auto changed = [&](std::string_view hash) {
    return string_at(pod, {"metadata", "annotations", hash}) !=
           string_at(workload, {"spec", "template", "metadata", "annotations", hash});
  };
  return differs("containers", inject::is_sidecar) || differs("initContainers", inject::is_init_container) ||
         changed(names::kAppliedBackupHash) || changed(names::kAppliedRestoreHash) ||
         changed(names::kAppliedRestoreUid);
}

/// Made from the StatefulSet's template as it is: whatever changed it since then would change the next one, too.
bool is_of_current_revision(const Json& pod, const Json& workload) {
  const std::string revision = string_at(workload, {"status", "updateRevision"});
  return !revision.empty() && string_at(pod, {"metadata", "labels", "controller-revision-hash"}) == revision;
}

/// The StatefulSet makes it anew as it was.
bool is_below_partition(const Json& pod, const Json& workload) {
  const std::int64_t partition = int_at(workload, {"spec", "updateStrategy", "rollingUpdate", "partition"});
  const std::string name = string_at(pod, {"metadata", "name"});
  std::int64_t ordinal = 0;
  const char* const digits = name.data() + name.rfind('-') + 1;
  std::from_chars(digits, name.data() + name.size(), ordinal);
  return partition > 0 && ordinal < int_at(workload, {"spec", "ordinals", "start"}) + partition;
}

bool is_ready(const Json& pod) { return condition_with(pod, "Ready", "True") != nullptr; }

}  // namespace

void replace_stale_pods(Plan& plan, const Json& workload, const std::vector<Json>& pods) {
  const std::string uid = string_at(workload, {"metadata", "uid"});
  std::vector<const Json*> stale, unready;
  int alive = 0;
  for (const Json& pod : pods) {
    if (controller_uid(pod) != uid || is_going(pod)) continue;
    ++alive;
    if (is_stale(pod, workload)) stale.push_back(&pod);
    if (!is_ready(pod)) unready.push_back(&pod);
  }
  if (stale.empty()) return;
  look_again(plan, kNextPod);
  // One that does not serve anyway costs nothing.
  const auto idle = std::ranges::find_if(stale, [](const Json* pod) { return !is_ready(*pod); });
  const bool all_serve = unready.empty() && alive >= int_at(workload, {"spec", "replicas"}, 1);
  if (idle == stale.end() && !all_serve) return;
  const Json& pod = idle != stale.end() ? **idle : *stale.front();
  evict_pod(plan, {string_at(pod, {"metadata", "namespace"}), string_at(pod, {"metadata", "name"})},
            string_at(pod, {"metadata", "uid"}));
}

void release_stuck_pods(Plan& plan, const Json& workload, const std::vector<Json>& pods) {
  const std::string uid = string_at(workload, {"metadata", "uid"});
  for (const Json& pod : pods) {
    if (controller_uid(pod) != uid || is_going(pod) || string_at(pod, {"status", "phase"}) != "Pending") continue;
    if (is_of_current_revision(pod, workload) || is_below_partition(pod, workload)) continue;
    if (!is_stale(pod, workload) && has_image_of(pod, workload)) continue;
    look_again(plan, kNextPod);
    return evict_pod(plan, {string_at(pod, {"metadata", "namespace"}), string_at(pod, {"metadata", "name"})},
                     string_at(pod, {"metadata", "uid"}));
  }
}

}  // namespace stash::controller
