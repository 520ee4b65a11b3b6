// How long an API server waits for an answer: an AdmissionReview of some 5 kB that gets the sidecar, over TLS on kept
// connections, next to an echo of the same bytes by the same server. Client and server share this machine, so read the
// ratio; the absolute numbers include the client's half.
//
// usage: webhook_latency [REQUESTS]      per row, 4000 unless given; prints JSON for bench/run

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <latch>
#include <thread>
#include <vector>

#include "base/log.h"
#include "inject/server_program.h"
#include "unit/support/https_server.h"
#include "unit/support/objects.h"
#include "unit/support/review.h"
#include "unit/support/workload.h"
#include "webhook/memory.h"
#include "webhook/service.h"

namespace {

using namespace stash;
using namespace stash::test;
using Clock = std::chrono::steady_clock;
using Micros = std::chrono::duration<double, std::micro>;

struct Latency {
  Micros median{}, p99{};
  double per_second = 0;
  std::size_t failed = 0;
};

/// Every thread has a connection of its own and asks again as soon as it has its answer.
Latency measure(const HttpsServer& server, std::string_view path, const std::string& body, std::size_t connections,
                std::size_t requests) {
  std::vector<std::vector<Micros>> times(connections);
  std::vector<std::size_t> failed(connections);
  std::vector<HttpsClient> clients;
  for (std::size_t i = 0; i < connections; ++i) {
    clients.push_back(server.connect());
    clients.back().post(path, body);
  }
  std::latch start(static_cast<std::ptrdiff_t>(connections) + 1);
  std::vector<std::thread> threads;
  threads.reserve(connections);
  for (std::size_t i = 0; i < connections; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      for (std::size_t n = 0; n < requests / connections; ++n) {
        const auto asked = Clock::now();
        const auto answer = clients[i].post(path, body);
        times[i].push_back(Clock::now() - asked);
        // An answer that admits the workload unchanged is no injection.
        const bool good = answer && answer->status == 200 && (path == "/echo" || answer->body.contains(R"("patch":")"));
        failed[i] += good ? 0 : 1;
      }
    });
  }
  start.arrive_and_wait();
  const auto begun = Clock::now();
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took = Clock::now() - begun;

  Latency latency;
  std::vector<Micros> all;
  for (std::size_t i = 0; i < connections; ++i) {
    all.insert(all.end(), times[i].begin(), times[i].end());
    latency.failed += failed[i];
  }
  if (all.empty()) return latency;
  std::ranges::sort(all);
  latency.median = all[all.size() / 2];
  latency.p99 = all[all.size() * 99 / 100];
  latency.per_second = static_cast<double>(all.size()) / took.count();
  return latency;
}

void fill(webhook::Index& index) {
  const Json ns = {{"metadata", {{"labels", {{"stash.appscode.com/injection", "enabled"}}}}}};
  const Json configuration = a_backup_configuration().json();
  const Json repository = a_repository().json();
  index.change(api::kNamespaces, {"", "demo"}, &ns);
  index.change(api::kBackupConfigurations, {"demo", "app-backup"}, &configuration);
  index.change(api::kRepositories, {"demo", "repo"}, &repository);
  index.set_complete();
}

}  // namespace

const char* malloc_conf = webhook::kMemorySettings;

int main(int argc, char** argv) {
  std::size_t requests = 4000;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::string_view(argv[1]).size(), requests);
  requests = std::clamp<std::size_t>(requests, 64, 1'000'000);
  set_log_level(LogLevel::error);

  webhook::Index index;
  fill(index);
  const webhook::Certificate none;
  webhook::Metrics metrics;
  webhook::Service service(
      {.image = "stash:bench", .allowed_host_paths = {"/"}}, index, none, [] { return true; }, {}, metrics);
  const HttpsServer server({.routes = service.admission_routes()});
  const std::string body = a_review("apps", "Deployment", a_usual_workload()).dump();

  auto first = server.connect().post("/mutate", body);
  const auto answer = parse_json(first ? first->body : "");
  if (!answer || patch_of(*answer).empty()) {
    fmt::print(stderr, "the review is not answered with a patch; nothing worth measuring\n");
    return 1;
  }
  Json rows = Json::array();
  std::vector<HttpsClient> idle;
  for (const auto& [busy, idle_count] :
       {std::pair<std::size_t, std::size_t>{1, 0}, {8, 0}, {64, 0}, {256, 0}, {64, 256}}) {
    while (idle.size() < idle_count) {
      idle.push_back(server.connect());
      idle.back().post("/echo", "x");
    }
    Json row = {{"connections", busy}, {"idle", idle_count}};
    for (const std::string path : {"echo", "mutate"}) {
      const Latency latency = measure(server, "/" + path, body, busy, requests);
      row[path] = {{"median_us", latency.median.count()},
                   {"p99_us", latency.p99.count()},
                   {"per_second", latency.per_second},
                   {"failed", latency.failed}};
    }
    rows.push_back(std::move(row));
  }
  fmt::print("{}\n", dump_json({{"review_bytes", body.size()},
                                {"answer_bytes", first->body.size()},
                                {"threads", server.server->stats().threads},
                                {"rows", std::move(rows)}}));
  return 0;
}
