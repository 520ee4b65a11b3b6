#include "controller/health_server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <charconv>
#include <thread>

namespace stash::controller {
namespace {

constexpr std::size_t kThreads = 2;

struct Address {
  std::string host;
  int port = 0;
};

Result<Address> parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  Address address;
  bool valid = colon != std::string::npos;
  if (valid) {
    const char* const first = text.data() + colon + 1;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(first, last, address.port);
    valid = error == std::errc() && end == last && address.port >= 0 && address.port <= 65535;
  }
  if (!valid) return fail(ErrorCode::invalid, fmt::format("{:?} is no address such as :8081 or 127.0.0.1:8081", text));
  address.host = text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  return address;
}

int listen_on(httplib::Server& server, const std::string& host, int port) {
  if (port == 0) return server.bind_to_any_port(host);
  return server.bind_to_port(host, port) ? port : -1;
}

}  // namespace

struct HealthServer::Impl {
  httplib::Server server;
  int port = -1;
  std::jthread thread;
};

HealthServer::HealthServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HealthServer::~HealthServer() { impl_->server.stop(); }
int HealthServer::port() const { return impl_->port; }

Result<std::unique_ptr<HealthServer>> HealthServer::start(const std::string& text, Routes routes) {
  TRY(const Address address, parse_address(text));
  auto impl = std::make_unique<Impl>();
  httplib::Server& server = impl->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_keep_alive_timeout(1);
  server.set_read_timeout(5);
  server.set_write_timeout(5);
  server.set_payload_max_length(1024);
  server.Get("/healthz",
             [](const httplib::Request&, httplib::Response& answer) { answer.set_content("ok\n", "text/plain"); });
  server.Get("/readyz", [ready = std::move(routes.ready)](const httplib::Request&, httplib::Response& answer) {
    const bool is_ready = ready();
    answer.status = is_ready ? 200 : 503;
    answer.set_content(is_ready ? "ok\n" : "caches are not filled yet\n", "text/plain");
  });
  server.Get("/metrics", [metrics = std::move(routes.metrics)](const httplib::Request&, httplib::Response& answer) {
    answer.set_content(metrics(), "text/plain; version=0.0.4");
  });
  // All interfaces of both families where there is IPv6, else of IPv4.
  impl->port = listen_on(server, address.host.empty() ? "::" : address.host, address.port);
  if (impl->port < 0 && address.host.empty()) impl->port = listen_on(server, "0.0.0.0", address.port);
  if (impl->port < 0) return fail(ErrorCode::unreachable, fmt::format("cannot listen on {}", text));
  impl->thread = std::jthread([&server] { server.listen_after_bind(); });
  // stop() before the loop runs would be lost.
  while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return std::unique_ptr<HealthServer>(new HealthServer(std::move(impl)));
}

}  // namespace stash::controller
