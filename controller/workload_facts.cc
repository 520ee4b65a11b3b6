#include "controller/workload_facts.h"

#include "api/names.h"
#include "inject/injector.h"

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

}  // namespace

PodFacts pod_facts(const Json& pod, std::string_view container) {
  PodFacts facts{string_at(pod, {"metadata", "name"}), string_at(pod, {"metadata", "uid"}),
                 string_at(pod, {"status", "phase"}), false, ""};
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

bool is_alive(const PodFacts& pod) { return pod.phase != "Succeeded" && pod.phase != "Failed"; }

WorkloadFacts workload_facts(const Json& workload, std::string_view container) {
  const bool init = container == api::names::kInitContainer;
  return {static_cast<int>(int_at(workload, {"spec", "replicas"}, 1)),
          init ? inject::has_init_container(workload) : inject::has_sidecar(workload)};
}

std::string selector_text(const Json& workload) {
  std::string text;
  const auto add = [&text](const std::string& term) { text += (text.empty() ? "" : ",") + term; };
  for (const auto& [key, value] : object_at(workload, {"spec", "selector", "matchLabels"}).items()) {
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

bool is_supported_kind(const api::TargetRef& ref) {
  const std::string group = ref.api_version.substr(0, ref.api_version.find('/'));
  return ref.kind == "Deployment" && (group == "apps" || group == "extensions");
}

std::vector<std::string> expected_hosts(const api::TargetRef& ref) {
  if (is_supported_kind(ref)) return {"host-0"};
  return {};
}

}  // namespace stash::controller
