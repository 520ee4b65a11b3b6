#pragma once
#include "kube/work_queue.h"

namespace stash::controller {

/// What has to be looked at, one queue per kind of decision. Keys are "namespace/name", of workloads
/// "Kind namespace/name".
struct Queues {
  kube::WorkQueue configurations, sessions, restores, repositories, workloads;

  void shut_down() {
    for (kube::WorkQueue* queue : {&configurations, &sessions, &restores, &repositories, &workloads})
      queue->shut_down();
  }
};

}  // namespace stash::controller
