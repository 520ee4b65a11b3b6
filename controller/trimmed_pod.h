#pragma once
#include "base/json.h"

namespace stash::controller {

/// The pod in the API's own form, with only what is read of it where the pods of a workload are judged together
/// (pod_trouble.h, stale_pods.h, workload_plan.h): the bodies of thousands have no room in memory. Total.
Json trimmed_pod(const Json& pod);

}  // namespace stash::controller
