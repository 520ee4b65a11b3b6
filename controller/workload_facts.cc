#include "controller/workload_facts.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "inject/workload_view.h"

namespace stash::controller {
namespace {

std::string joined(const Json& values) {
  std::string text;
  for (const Json& value : values) {
    if (value.is_string()) text += (text.empty() ? "" : ",") + value.get_ref<const std::string&>();
  }
  return text;
}

const Json* status_of_container(const Json& pod, std::string_view container) {
  for (const char* list : {"containerStatuses", "initContainerStatuses"}) {
    for (const Json& status : array_at(pod, {"status", list})) {
      if (string_at(status, {"name"}) == container) return &status;
    }
  }
  return nullptr;
}

/// A DaemonSet's pod is bound to its node before the scheduler sees it.
/// https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#how-daemon-pods-are-scheduled
std::string node_of(const Json& pod) {
  if (std::string node = string_at(pod, {"spec", "nodeName"}); !node.empty()) return node;
  for (const Json& term : array_at(pod, {"spec", "affinity", "nodeAffinity",
                                         "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"})) {
    for (const Json& field : array_at(term, {"matchFields"})) {
      const Json& values = array_at(field, {"values"});
      if (string_at(field, {"key"}) == "metadata.name" && values.size() == 1 && values[0].is_string()) {
        return values[0].get_ref<const std::string&>();
      }
    }
  }
  return "";
}

std::string held_back(const api::WorkloadKind& kind, const Json& workload) {
  if (at(workload, {"spec", "paused"}) != nullptr && *at(workload, {"spec", "paused"}) == true) {
    return "its rollout is paused; resume it: kubectl rollout resume";
  }
  if (string_at(workload, {"spec", "updateStrategy", "type"}) == "OnDelete") {
    return "its updateStrategy is OnDelete; delete its pods, so that they come back with it";
  }
  if (kind.hosts == api::HostScheme::ordinals) {
    const auto partition = int_at(workload, {"spec", "updateStrategy", "rollingUpdate", "partition"});
    if (partition > 0)
      return fmt::format("updateStrategy.rollingUpdate.partition keeps pods below {} as they are", partition);
  }
  return "";
}

}  // namespace

std::string controller_uid(const Json& object) {
  for (const Json& owner : array_at(object, {"metadata", "ownerReferences"})) {
    const Json* controller = at(owner, {"controller"});
    if (controller != nullptr && *controller == true) return string_at(owner, {"uid"});
  }
  return "";
}

PodFacts pod_facts(const Json& pod, std::string_view container) {
  PodFacts facts{.name = string_at(pod, {"metadata", "name"}),
                 .uid = string_at(pod, {"metadata", "uid"}),
                 .phase = string_at(pod, {"status", "phase"}),
                 .runs_container = false,
                 .trouble = "",
                 .node = node_of(pod),
                 .owner_uid = controller_uid(pod),
                 .being_deleted = !string_at(pod, {"metadata", "deletionTimestamp"}).empty()};
  const Json* status = status_of_container(pod, container);
  if (!status) return facts;
  facts.runs_container = at(*status, {"state", "running"}) != nullptr;
  const std::string waiting = string_at(*status, {"state", "waiting", "reason"});
  const std::string ended = string_at(*status, {"lastState", "terminated", "reason"});
  if (!waiting.empty() && waiting != "PodInitializing" && waiting != "ContainerCreating") {
    facts.trouble = fmt::format("container {}: {}", container, waiting);
    if (!ended.empty()) facts.trouble += fmt::format(" (it ended with {})", ended);
  }
  return facts;
}

bool is_going(const Json& pod) {
  const std::string phase = string_at(pod, {"status", "phase"});
  return !string_at(pod, {"metadata", "deletionTimestamp"}).empty() || phase == "Succeeded" || phase == "Failed";
}

const Json* condition_with(const Json& object, std::string_view type, std::string_view status) {
  for (const Json& condition : array_at(object, {"status", "conditions"})) {
    if (string_at(condition, {"type"}) == type && string_at(condition, {"status"}) == status) return &condition;
  }
  return nullptr;
}

bool is_alive(const PodFacts& pod) { return pod.phase != "Succeeded" && pod.phase != "Failed"; }

WorkloadFacts workload_facts(const api::WorkloadKind& kind, const Json& workload, std::string_view container,
                             std::string_view invoker) {
  const bool init = container == api::names::kInitContainer;
  const Json* live = init ? inject::init_container_of(workload) : inject::sidecar_of(workload);
  const std::vector<std::string> served = live == nullptr ? std::vector<std::string>() : inject::invokers_of(*live);
  return {.replicas = static_cast<int>(int_at(workload, {"spec", "replicas"}, 1)),
          .has_container = live != nullptr && (invoker.empty() || std::ranges::find(served, invoker) != served.end()),
          .first_ordinal = static_cast<int>(int_at(workload, {"spec", "ordinals", "start"})),
          .wanted_nodes = static_cast<int>(int_at(workload, {"status", "desiredNumberScheduled"})),
          .uid = string_at(workload, {"metadata", "uid"}),
          .held_back = held_back(kind, workload)};
}

std::string selector_text(const Json& workload) {
  std::string text;
  const auto add = [&text](const std::string& term) { text += (text.empty() ? "" : ",") + term; };
  const Json& selector = object_at(workload, {"spec", "selector"});
  // ReplicationControllers and DeploymentConfigs have the labels themselves there.
  const bool structured = selector.contains("matchLabels") || selector.contains("matchExpressions");
  for (const auto& [key, value] : (structured ? object_at(selector, {"matchLabels"}) : selector).items()) {
    if (value.is_string()) add(key + "=" + value.get_ref<const std::string&>());
  }
  for (const Json& expression : array_at(workload, {"spec", "selector", "matchExpressions"})) {
    const std::string key = string_at(expression, {"key"});
    const std::string what = string_at(expression, {"operator"});
    const std::string values = joined(array_at(expression, {"values"}));
    if (what == "In") add(fmt::format("{} in ({})", key, values));
    if (what == "NotIn") add(fmt::format("{} notin ({})", key, values));
    if (what == "Exists") add(key);
    if (what == "DoesNotExist") add("!" + key);
  }
  return text;
}

}  // namespace stash::controller
