#pragma once
#include "api/shared_types.h"
#include "base/result.h"

namespace stash::inject {

/// runtimeSettings.container, checked: what is in here the API server takes.
struct ContainerSettings {
  Json resources = Json::object();         ///< limits and requests, each only when given
  Json hooks = Json::object();             ///< livenessProbe, readinessProbe, lifecycle; not for init containers
  Json security_context = Json::object();  ///< laid over ours field by field
  Json env = Json::array();                ///< those of nice and ionice first
  Json env_from = Json::array();
};

/// Error invalid names the field: "spec.runtimeSettings.container/resources/limits/cpu: not a quantity".
Result<ContainerSettings> container_settings(const api::RuntimeSettings& settings);

/// `resources` of a container, from JSON; a part that says nothing is left out, as the API server does. A limit below
/// its request becomes the request: who raises a request by a chart value gets the chart's limit along with it. Error
/// invalid: "resources/limits/cpu: not a quantity".
Result<Json> parse_resources(std::string_view json);

/// What a pod's spec states of these: nodeSelector, tolerations and priorityClassName, unchecked.
Json placement_in(const Json& pod);
/// Where the pods of a CronJob may run: nodeSelector, tolerations and priorityClassName of runtimeSettings.pod,
/// checked, each only when given. Error invalid as for container_settings.
Result<Json> pod_placement(const api::RuntimeSettings& settings);

/// Names in runtimeSettings.pod.imagePullSecrets.
std::vector<std::string> pull_secrets_of(const api::RuntimeSettings& settings);

}  // namespace stash::inject
