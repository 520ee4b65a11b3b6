#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/workload_kind.h"
#include "base/json.h"

namespace stash::controller {

/// What decisions read of a pod; `container` is ours in it (sidecar or init container).
struct PodFacts {
  std::string name, uid, phase;
  bool runs_container = false;  ///< ours has been started and has not ended for good
  std::string trouble;          ///< "container stash: ImagePullBackOff", "" for none
  std::string node;             ///< where it runs or, of a DaemonSet's, must run; "" while that is open
  std::string owner_uid;        ///< of the controller that made it
  bool being_deleted = false;
  friend bool operator==(const PodFacts&, const PodFacts&) = default;
};
PodFacts pod_facts(const Json& pod, std::string_view container);

/// A pod that has ended, or has been told to.
bool is_going(const Json& pod);

/// The entry of status.conditions with this type and status; nullptr for none.
const Json* condition_with(const Json& object, std::string_view type, std::string_view status);

/// A pod that has not ended: it may still be working.
bool is_alive(const PodFacts& pod);

struct WorkloadFacts {
  int replicas = 1;
  bool has_container = false;  ///< ours is in the pod template and works for the object that is asked about
  int first_ordinal = 0;       ///< of a StatefulSet
  int wanted_nodes = 0;        ///< of a DaemonSet: nodes that shall run a pod of it
  std::string uid;
  std::string held_back;  ///< why its pods do not follow the template, with the remedy; "" when they do
  friend bool operator==(const WorkloadFacts&, const WorkloadFacts&) = default;
};
/// `container` is "stash" or "stash-init"; `invoker` the object that it must work for, "" for any.
WorkloadFacts workload_facts(const api::WorkloadKind& kind, const Json& workload, std::string_view container,
                             std::string_view invoker = "");

/// spec.selector as the text that list requests take. Empty when there is none: such a workload has no pods.
std::string selector_text(const Json& workload);

/// The UID of the controller in metadata.ownerReferences; "" for none.
std::string controller_uid(const Json& object);

}  // namespace stash::controller
