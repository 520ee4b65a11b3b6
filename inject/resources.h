#pragma once
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "inject/workload_view.h"

/// Resources of our containers. A pod that gets one must stay what it was for the scheduler, for quotas and for
/// autoscalers, so ours states what the author's containers state and leaves open what they leave open: where the
/// namespace's LimitRange fills in theirs, it fills in ours.
/// https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
namespace stash::inject {

/// What the administrator gives a container of ours, by resource: cpu, memory, ephemeral-storage. Missing: never set.
struct DefaultResources {
  Json requests = Json::object();
  Json limits = Json::object();
  Json guaranteed = Json::object();  ///< request and limit in one, in a pod of QoS class Guaranteed
};

/// From JSON of those three members. Error invalid: "limits/cpu: not a quantity".
Result<DefaultResources> parse_default_resources(std::string_view json);

/// The container's `resources`. `wishes` (runtimeSettings) counts part by part, a part as a whole. Of the defaults:
/// - a request for what each of the author's containers requests: an autoscaler on utilisation computes with all
///   requests, and a ResourceQuota on requests asks each container for one;
/// - a limit on what each of them limits, for a ResourceQuota on limits asks each container for one; on
///   ephemeral-storage also when only one does, for the pod is evicted by the sum of its containers' limits;
/// - in a Guaranteed pod equal request and limit, so that it stays one: https://kubernetes.io/docs/concepts/workloads/
///   pods/pod-qos/;
/// - none where the pod as a whole has resources (spec.resources), which bound the sum of its containers.
/// A request never exceeds its limit. With empty `wishes` the pod's QoS class stays. Pure and total.
Json container_resources(const PodTemplate& pod, const DefaultResources& defaults, const Json& wishes);

/// Equal for the API server, which rewrites quantities and stores "none" as {}.
bool same_resources(const Json& left, const Json& right);

}  // namespace stash::inject
