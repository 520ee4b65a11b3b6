#pragma once

#include "controller/cluster.h"
#include "controller/metrics.h"
#include "kube/config.h"
#include "kube/term.h"

namespace stash::controller {

/// Works on the queues of `cluster`, each with threads of its own, and each of these with an Api of its own, until
/// `term` is over; then shuts the queues down, for good. Blocks. What reaction follows from which error is
/// decided here and nowhere else.
void run_workers(Cluster& cluster, const kube::Config& config, Metrics& metrics, const kube::Term& term);

}  // namespace stash::controller
