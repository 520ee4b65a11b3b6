#pragma once
#include "base/json.h"

namespace stash::controller {

/// securityContext of the containers in the Jobs that we make: passes Pod Security "restricted", whatever the namespace
/// demands.
inline Json job_security_context() {
  return {{"allowPrivilegeEscalation", false},
          {"readOnlyRootFilesystem", true},
          {"runAsNonRoot", true},
          {"runAsUser", 65535},
          {"runAsGroup", 65535},
          {"capabilities", {{"drop", Json::array({"ALL"})}}},
          {"seccompProfile", {{"type", "RuntimeDefault"}}}};
}

/// `resources` of these containers, by the administrator. Complete: where a ResourceQuota counts any of them, a pod
/// without it is refused. What begins a session needs about 10 MB.
struct JobResources {
  Json cron_job = {{"requests", {{"cpu", "10m"}, {"memory", "16Mi"}}},
                   {"limits", {{"cpu", "500m"}, {"memory", "64Mi"}}}};
  Json wipe_out = {{"requests", {{"cpu", "50m"}, {"memory", "64Mi"}}}, {"limits", {{"cpu", "1"}, {"memory", "1Gi"}}}};
};

/// metadata of their pods. The proxy of a service mesh would not end with our program, and the Job neither.
inline Json job_pod_metadata(Json labels) {
  labels["sidecar.istio.io/inject"] = "false";
  return {{"labels", std::move(labels)},
          {"annotations", {{"sidecar.istio.io/inject", "false"}, {"linkerd.io/inject", "disabled"}}}};
}

/// Their nodeSelector: our image is for Linux.
inline Json job_node_selector() { return {{"kubernetes.io/os", "linux"}}; }

}  // namespace stash::controller
