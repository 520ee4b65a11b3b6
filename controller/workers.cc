#include "controller/workers.h"

#include <algorithm>
#include <thread>

#include "base/log.h"
#include "controller/edges.h"

namespace stash::controller {
namespace {

constexpr std::chrono::milliseconds kLook{200};
constexpr std::chrono::seconds kRetryRefused{60};

struct Kind {
  std::string_view name;
  kube::WorkQueue& queue;
  Result<LookAgain> (*reconcile)(Cluster&, kube::Api&, const std::string& key);
  int threads = 2;
};

template <auto kReconcile>
Result<LookAgain> by_name(Cluster& cluster, kube::Api& api, const std::string& key) {
  return kReconcile(cluster, api, api::object_ref(key));
}

Result<LookAgain> by_workload(Cluster& cluster, kube::Api& api, const std::string& key) {
  const auto ref = api::workload_ref(key);
  return ref ? reconcile_workload(cluster, api, *ref) : LookAgain();
}

Result<LookAgain> by_blueprint(Cluster& cluster, kube::Api& api, const std::string& key) {
  const auto workload = api::workload_ref(key);
  return workload ? reconcile_blueprint_use(cluster, api, *workload) : reconcile_blueprint(cluster, api, key);
}

void react(const Kind& kind, const std::string& key, const Error& error) {
  switch (error.code) {
    case ErrorCode::conflict:
    case ErrorCode::already_exists:
    case ErrorCode::not_found:
      // Somebody was faster: what he wrote is on its way to the cache.
      log_debug("{} {}: {}; looking again", kind.name, key, error.message);
      kind.queue.retry(key);
      return;
    case ErrorCode::throttled:
    case ErrorCode::expired:
    case ErrorCode::unreachable:
    case ErrorCode::timed_out:
      log_warning("{} {}: {}; trying again", kind.name, key, error.message);
      kind.queue.retry(key, error.retry_after.value_or(std::chrono::seconds(0)));
      return;
    case ErrorCode::denied:
    case ErrorCode::invalid:
      log_error("{} {}: {}", kind.name, key, error.message);
      kind.queue.retry(key, kRetryRefused);
      return;
    case ErrorCode::cancelled:
      return;
  }
}

void work(Cluster& cluster, const kube::Config& config, const Kind& kind, Metrics& metrics, const kube::Term& term) {
  kube::Api api(config);
  api.set_cancel([&term] { return term.over(); });
  while (const auto key = kind.queue.next()) {
    const auto began = std::chrono::steady_clock::now();
    const auto result = kind.reconcile(cluster, api, *key);
    metrics.count_reconcile(kind.name, result ? "ok" : to_string(result.error().code),
                            std::chrono::steady_clock::now() - began);
    if (result) {
      kind.queue.forget(*key);
      if (*result) kind.queue.look_again(*key, **result);
    } else {
      react(kind, *key, result.error());
    }
    kind.queue.done(*key);
  }
}

}  // namespace

void run_workers(Cluster& cluster, const kube::Config& config, Metrics& metrics, const kube::Term& term) {
  while (!cluster.caches.synced()) {
    if (term.over()) return cluster.queues().shut_down();
    std::this_thread::sleep_for(kLook);
  }
  cluster.began = cluster.clock.steady();
  cluster.caches.start_waking();
  Queues& queues = cluster.queues();
  // These two make Roles and bindings, for each of which the API server lets its thread wait for a tenth of a second.
  const Kind kinds[] = {{"BackupConfiguration", queues.configurations, by_name<reconcile_configuration>, 8},
                        {"BackupSession", queues.sessions, by_name<reconcile_session>},
                        {"RestoreSession", queues.restores, by_name<reconcile_restore>},
                        {"Repository", queues.repositories, by_name<reconcile_repository>},
                        {"Workload", queues.workloads, by_workload, 6},
                        {"BackupBlueprint", queues.blueprints, by_blueprint}};
  std::vector<std::jthread> threads;
  for (const Kind& kind : kinds) {
    for (int i = 0; i < kind.threads; ++i) {
      threads.emplace_back([&cluster, &config, &kind, &metrics, &term] { work(cluster, config, kind, metrics, term); });
    }
  }
  if (!cluster.dry_run) {
    threads.emplace_back([&cluster, &term] { cluster.pushes.run([&cluster] { return cluster.living(); }, term); });
  }
  log_info("leading: {} threads", threads.size());
  while (!term.over()) {
    for (const Kind& kind : kinds) {
      const std::size_t due = kind.queue.due(), all = kind.queue.size();
      metrics.set_queue_depth(kind.name, due, all - std::min(due, all));
    }
    std::this_thread::sleep_for(kLook);
  }
  queues.shut_down();
  // First, for a worker may be about to start one.
  threads.clear();
  cluster.hooks.shut_down();
}

}  // namespace stash::controller
