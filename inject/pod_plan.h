#pragma once
#include <memory>
#include <string>
#include <vector>

#include "inject/containers.h"
#include "inject/decision.h"
#include "inject/volume_plan.h"

namespace stash::inject {

/// What becomes of one of our two containers.
struct ContainerPlan {
  enum class Fate {
    absent,     ///< it goes, if it is there
    untouched,  ///< it is there and stays as it is
    wanted,     ///< it must be as below
  };
  Fate fate = Fate::absent;
  std::shared_ptr<const MadeContainer> made = nullptr;  ///< null when it is not wanted
  std::string hash;  ///< of the container and its volumes; image and default resources do not count
  std::shared_ptr<const Value> applied = nullptr;  ///< for the annotation: what was applied
  std::string uid;  ///< of the RestoreSession, stated on the template; "": what is stated there stays
};

struct PodPlan {
  ContainerPlan sidecar, init_container;
  std::vector<PlannedVolume> volumes;
  std::vector<std::string> pull_secrets;
  bool renew = false;             ///< image and default resources do not wait for a rollout
  std::vector<Finding> findings;  ///< those of `desired`, then what the pod forbids
  std::vector<Finding> remarks;   ///< likewise: what works, but not quite as asked for
};

/// For a well-formed workload. What the pod would not bear has a finding; a container that is there for the same object
/// stays untouched then if the pod can be created with it, else it is absent. That of a restore at work stays anyway.
PodPlan plan_pod(const World& world, const Settings& settings, const Desired& desired);

}  // namespace stash::inject
