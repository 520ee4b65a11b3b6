#include <thread>

#include "base/process.h"
#include "kube/config.h"
#include "webhook/access_reviewer.h"
#include "webhook/caches.h"
#include "webhook/memory.h"
#include "webhook/options.h"
#include "webhook/service.h"

namespace {

using namespace stash;
using namespace stash::webhook;

constexpr std::chrono::seconds kFinishRequests{5};
constexpr std::chrono::milliseconds kLook{200};

void wait_until(const std::function<bool()>& done) {
  while (!done()) std::this_thread::sleep_for(kLook);
}

Result<void> run(Options options) {
  TRY(kube::Config config, kube::load_config(options.kubeconfig));
  inject::complete(options, config.ns);
  Metrics metrics;
  config.on_call = [&metrics](std::string_view verb, std::string_view code) { metrics.count_api_call(verb, code); };

  Index index;
  Certificate certificate;
  Caches caches(config, index);
  const auto certificate_watch = watch_certificate(config, {options.ns, options.cert_secret}, certificate);
  AccessReviewer reviewer(config);
  Service service(
      options.settings, index, certificate, [&] { return caches.synced(); },
      [&](const Json& user_info, const std::vector<Right>& rights) { return reviewer.ask(user_info, rights); },
      metrics);

  TRY(const auto server, Server::start({.address = options.listen,
                                        .certificate = [&] { return certificate.current(); },
                                        .routes = service.admission_routes(),
                                        .blocking_routes = service.authorization_routes()}));
  TRY(const auto health, Server::start({.address = options.health_address,
                                        .routes = service.health_routes([&] { return server->stats(); }),
                                        .max_connections = 64,
                                        .threads = 1,
                                        .max_threads = 16,
                                        .max_body = 1024}));
  caches.start();
  certificate_watch->start();
  log_info("listening on {} (reviews) and {} (health, metrics)", server->port(), health->port());

  wait_until(stop_requested);
  log_info("asked to stop; serving for another {} s while clients move", options.shutdown_delay.count());
  service.set_stopping();
  server->drain();
  const auto end = std::chrono::steady_clock::now() + options.shutdown_delay;
  wait_until([&] { return std::chrono::steady_clock::now() >= end; });
  server->stop(kFinishRequests);
  health->stop(kFinishRequests);
  return {};
}

}  // namespace

const char* malloc_conf = kMemorySettings;

int main(int argc, char** argv) { return inject::run_server_program(argc, argv, webhook::parse_options, run); }
