#include "controller/health_server.h"

#include "webhook/server.h"

namespace stash::controller {
namespace {

constexpr std::chrono::seconds kFinishRequests{1};

webhook::Reply text(int status, std::string body) { return {status, "text/plain", std::move(body)}; }

}  // namespace

struct HealthServer::Impl {
  std::unique_ptr<webhook::Server> server;
};

HealthServer::HealthServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HealthServer::~HealthServer() { impl_->server->stop(kFinishRequests); }
int HealthServer::port() const { return impl_->server->port(); }

Result<std::unique_ptr<HealthServer>> HealthServer::start(const std::string& address, Routes routes) {
  // The webhook's server, because slow clients hold none of its threads: a kubelet that gets no answer ends the leader.
  TRY(auto server,
      webhook::Server::start({.address = address,
                              .routes = {{"GET /healthz", [](std::string_view) { return text(200, "ok\n"); }},
                                         {"GET /readyz",
                                          [ready = std::move(routes.ready)](std::string_view) {
                                            return ready() ? text(200, "ok\n")
                                                           : text(503, "caches are not filled yet\n");
                                          }}},
                              // In a large cluster it takes seconds, and probes do not wait for it.
                              .blocking_routes = {{"GET /metrics",
                                                   [metrics = std::move(routes.metrics)](std::string_view) {
                                                     return webhook::Reply{200, "text/plain; version=0.0.4", metrics()};
                                                   }}},
                              .max_connections = 64,
                              .threads = 1,
                              .max_threads = 16,
                              .max_body = 1024}));
  return std::unique_ptr<HealthServer>(new HealthServer(std::make_unique<Impl>(std::move(server))));
}

}  // namespace stash::controller
