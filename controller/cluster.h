#pragma once
#include <atomic>
#include <chrono>

#include "controller/blueprint_book.h"
#include "controller/caches.h"
#include "controller/heartbeat_book.h"
#include "controller/hook_runner.h"
#include "controller/injection_book.h"
#include "controller/job_pod.h"
#include "controller/limits.h"
#include "controller/miss_count.h"
#include "controller/nudge_book.h"
#include "controller/push_outbox.h"
#include "controller/session_clock.h"
#include "controller/upgrade_book.h"
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
        blueprints(the_clock),
        upgrades(the_clock),
        heartbeats(the_clock),
        session_clock(the_clock),
        pushes(settings.pushgateway_url, the_clock),
        hooks(
            config,
            [config](const kube::ExecRequest& request, const std::function<bool()>& cancelled) {
              return kube::run_in_container(config, request, cancelled);
            },
            [&queues](const api::ObjectRef& session) { queues.sessions.add(to_string(session)); }, the_clock),
        began(the_clock.steady()) {}

  Caches caches;
  inject::Settings settings;
  Limits limits;
  bool dry_run;
  const Clock& clock;
  NudgeBook nudges;
  InjectionBook injections;
  BlueprintBook blueprints;
  UpgradeBook upgrades;
  HeartbeatBook heartbeats;
  SessionClock session_clock;  ///< of BackupSessions and RestoreSessions
  PushOutbox pushes;
  HookRunner hooks;
  MissCount misses;  ///< of Repositories' Secrets and claims
  /// When this process began to lead, or, before that, to run.
  std::atomic<std::chrono::steady_clock::time_point> began;
  JobResources job_resources;  ///< by flags, too; set before the workers begin

  std::chrono::seconds watched_for() const {
    return std::chrono::duration_cast<std::chrono::seconds>(clock.steady() - began.load());
  }

  Queues& queues() { return caches.queues; }
  /// It is over or gone. `name` is its name_in_books.
  void forget_session(const std::string& name) {
    heartbeats.forget(name);
    session_clock.forget(name);
  }
  Json namespace_labels(const std::string& ns) const;
  Living living() const;
  std::string not_opted_in(const std::string& ns) const;  ///< "" when it has opted in
  /// It is being deleted, with all that is in it; nothing new may be made there.
  bool is_going(const std::string& ns) const;
};

/// By which the books know a session: a BackupSession and a RestoreSession may have the same name.
std::string name_in_books(const api::Resource& kind, const api::ObjectRef& ref);

}  // namespace stash::controller
