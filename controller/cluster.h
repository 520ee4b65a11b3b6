#pragma once
#include "controller/caches.h"
#include "controller/heartbeat_book.h"
#include "controller/limits.h"
#include "controller/miss_count.h"
#include "controller/nudge_book.h"
#include "inject/settings.h"

namespace stash::controller {

/// What all edges share: the copies of the cluster's objects, what was decided by flags, and what is remembered from
/// one look to the next. Lives as long as the workers.
struct Cluster {
  Cluster(const kube::Config& config, Queues& queues, inject::Settings the_settings, Limits the_limits, bool is_dry_run,
          const Clock& the_clock)
      : caches(config, queues),
        settings(std::move(the_settings)),
        limits(the_limits),
        dry_run(is_dry_run),
        clock(the_clock),
        nudges(the_clock),
        heartbeats(the_clock) {}

  Caches caches;
  inject::Settings settings;
  Limits limits;
  bool dry_run;
  const Clock& clock;
  NudgeBook nudges;
  HeartbeatBook heartbeats;
  MissCount misses;  ///< of Repositories' Secrets

  Queues& queues() { return caches.queues; }
  Json namespace_labels(const std::string& ns) const;
  std::string not_opted_in(const std::string& ns) const;  ///< "" when it has opted in
};

}  // namespace stash::controller
