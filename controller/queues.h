#pragma once
#include <array>

#include "kube/work_queue.h"

namespace stash::controller {

/// What has to be looked at, one queue per kind of decision. Keys are "namespace/name", of workloads
/// "Kind namespace/name". `blueprints` has both: names of BackupBlueprints, and workloads that may ask for one.
struct Queues {
  kube::WorkQueue configurations, sessions, restores, repositories, workloads, blueprints;

  std::array<kube::WorkQueue*, 6> all() {
    return {&configurations, &sessions, &restores, &repositories, &workloads, &blueprints};
  }
  void shut_down() {
    for (kube::WorkQueue* queue : all()) queue->shut_down();
  }
};

}  // namespace stash::controller
