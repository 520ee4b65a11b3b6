#include <unistd.h>

#include <array>
#include <cstdlib>
#include <thread>

#include "base/log.h"
#include "base/process.h"
#include "controller/certificates.h"
#include "controller/cluster.h"
#include "controller/health_server.h"
#include "controller/options.h"
#include "controller/workers.h"
#include "kube/leader.h"

namespace {

using namespace stash;
using namespace stash::controller;

std::string identity() {
  const char* pod = std::getenv("POD_NAME");
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return fmt::format("{}_{}", pod && *pod ? pod : host.data(), getpid());
}

/// Everything that only one process of the cluster may do.
void lead(Cluster& cluster, const kube::Config& config, const Options& options, Metrics& metrics,
          const kube::Term& term) {
  metrics.set_leader(true);
  std::jthread certificates;
  if (!options.cert_secret.empty() && !options.dry_run) {
    certificates = std::jthread([&] {
      kube::Api api(config);
      api.set_cancel([&term] { return term.over(); });
      keep_certificates(api,
                        {{options.ns, options.cert_secret},
                         options.webhook_service,
                         options.webhook_configuration,
                         options.validating_configuration},
                        system_clock(), term);
    });
  }
  run_workers(cluster, config, metrics, term);
  metrics.set_leader(false);
}

Result<void> run(Options options) {
  TRY(kube::Config config, kube::load_config(options.kubeconfig));
  inject::complete(options, config.ns);
  Queues queues;
  Metrics metrics;
  config.on_call = [&metrics](std::string_view verb, std::string_view code) { metrics.count_api_call(verb, code); };
  Cluster cluster(config, queues, options.settings, options.limits, options.dry_run, system_clock());
  cluster.job_resources = options.job_resources;
  const auto render = [&] {
    return metrics.render(gather_gauges(cluster.caches, system_clock().now()), cluster.caches.synced());
  };
  TRY(const auto health, HealthServer::start(options.health_address,
                                             {.ready = [&] { return cluster.caches.synced(); }, .metrics = render}));
  cluster.caches.start();
  log_info("health and metrics on port {}; {}", health->port(),
           options.dry_run ? "dry run: nothing is written" : "waiting for the lease " + options.lease);
  const auto lead_here = [&](const kube::Term& term) { lead(cluster, config, options, metrics, term); };
  if (options.dry_run) {
    // A dry run reads beside the real leader and needs no lease, which would be a write.
    kube::Term term;
    std::jthread watch([&term] {
      while (!stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
      term.end();
    });
    lead_here(term);
    return {};
  }
  kube::LeaderElection election(config, {.lease = {options.ns, options.lease}, .identity = identity()});
  if (election.run(stop_requested, lead_here)) return {};
  return fail(ErrorCode::cancelled, "the lease was lost to another process; ending, to start afresh");
}

}  // namespace

// Its many threads wait for the API server and not for memory: what each of them would keep for itself is half as much
// as all that is in use.
const char* malloc_conf = "narenas:2,dirty_decay_ms:2000,muzzy_decay_ms:2000,background_thread:true,tcache:false";

int main(int argc, char** argv) { return inject::run_server_program(argc, argv, controller::parse_options, run); }
