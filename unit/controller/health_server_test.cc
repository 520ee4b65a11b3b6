#include "controller/health_server.h"

#include <fmt/format.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>

#include "base/http.h"
#include "controller/metrics.h"
#include "unit/support/https_client.h"

namespace {

using namespace stash;
using namespace stash::controller;

HttpResponse get(const HealthServer& server, const std::string& path) {
  HttpClient client{TlsTrust{}};
  HttpRequest request;
  request.url = fmt::format("http://127.0.0.1:{}{}", server.port(), path);
  const auto response = client.send(request);
  REQUIRE(response);
  return *response;
}

}  // namespace

TEST_CASE("probes do not wait for a scrape, which takes long in a large cluster", "[controller][health][F24][I19]") {
  std::promise<void> begun, probed;
  const auto server = HealthServer::start("127.0.0.1:0", {.ready = [] { return true; },
                                                          .metrics =
                                                              [&] {
                                                                begun.set_value();
                                                                probed.get_future().wait_for(std::chrono::seconds(10));
                                                                return std::string("text");
                                                              }});
  REQUIRE(server);
  std::future<std::string> scrape = std::async(std::launch::async, [&] { return get(**server, "/metrics").body; });
  begun.get_future().wait();
  CHECK(get(**server, "/healthz").status == 200);
  CHECK(get(**server, "/readyz").status == 200);
  CHECK(scrape.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
  probed.set_value();
  CHECK(scrape.get() == "text");
}

TEST_CASE("health is told at once, readiness when the caches are filled", "[controller][health]") {
  std::atomic<bool> ready = false;
  Metrics metrics;
  metrics.set_leader(true);
  metrics.count_reconcile("BackupSession", "ok", std::chrono::milliseconds(3));
  const auto server = HealthServer::start(
      "127.0.0.1:0", {.ready = [&] { return ready.load(); }, .metrics = [&] { return metrics.render({}, true); }});
  REQUIRE(server);
  CHECK(get(**server, "/healthz").status == 200);
  CHECK(get(**server, "/readyz").status == 503);
  ready = true;
  CHECK(get(**server, "/readyz").status == 200);
  const std::string text = get(**server, "/metrics").body;
  CHECK(text.find("stash_controller_reconciles_total{kind=\"BackupSession\",result=\"ok\"} 1") != std::string::npos);
  CHECK(text.find("stash_controller_leader 1") != std::string::npos);
  CHECK(get(**server, "/other").status == 404);
}

TEST_CASE("clients that send no whole request keep nobody else from an answer", "[controller][health][F85][I17]") {
  const auto server =
      HealthServer::start("127.0.0.1:0", {.ready = [] { return true; }, .metrics = [] { return std::string(); }});
  REQUIRE(server);
  std::vector<test::HttpsClient> slow;
  for (int i = 0; i < 40; ++i) {
    slow.emplace_back((*server)->port());
    REQUIRE(slow.back().send("GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: "));
  }
  const auto start = std::chrono::steady_clock::now();
  CHECK(get(**server, "/healthz").status == 200);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(3));  // a probe's patience
}

TEST_CASE("an address that is none is refused", "[controller][health]") {
  for (const char* address : {"", "8081", ":", ":abc", ":99999"}) {
    CHECK(HealthServer::start(address, {}).error().code == ErrorCode::invalid);
  }
}
