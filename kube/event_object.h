#pragma once
#include <string_view>

#include "base/json.h"
#include "base/time.h"

namespace stash::kube {

/// The core v1 Event that record_event writes: on `object`, in its namespace ("default" for cluster-scoped kinds).
/// https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
Json event_object(const Json& object, std::string_view type, std::string_view reason, std::string_view message,
                  std::string_view component, TimePoint now);

}  // namespace stash::kube
