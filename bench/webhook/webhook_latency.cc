// How long an API server waits for an answer: an AdmissionReview of some 5 kB that gets the sidecar, over TLS on kept
// connections, next to an echo of the same bytes by the same server. Client and server share this machine, so read the
// ratio; the absolute numbers include the client's half.
//
// usage: webhook_latency [REQUESTS]      per row, 16000 unless given; prints JSON for bench/run

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

constexpr int kTurns = 8;

struct Measured {
  std::vector<Micros> times;
  std::chrono::duration<double> took{};
  std::size_t failed = 0;
};

/// Every thread has a connection of its own and asks again as soon as it has its answer.
void measure(const HttpsServer& server, std::string_view path, const std::string& body, std::size_t connections,
             std::size_t requests, Measured& measured) {
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
  measured.took += Clock::now() - begun;
  for (std::size_t i = 0; i < connections; ++i) {
    measured.times.insert(measured.times.end(), times[i].begin(), times[i].end());
    measured.failed += failed[i];
  }
}

Json told(Measured measured) {
  std::vector<Micros>& times = measured.times;
  std::ranges::sort(times);
  return {{"median_us", times[times.size() / 2].count()},
          {"p99_us", times[times.size() * 99 / 100].count()},
          {"per_second", static_cast<double>(times.size()) / measured.took.count()},
          {"failed", measured.failed}};
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
  std::size_t requests = 16'000;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::string_view(argv[1]).size(), requests);
  requests = std::clamp<std::size_t>(requests, 256 * kTurns, 1'000'000);
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
    // In turns, for the machine is now faster, now slower.
    Measured echo, mutate;
    for (int turn = 0; turn < kTurns; ++turn) {
      measure(server, "/echo", body, busy, requests / kTurns, echo);
      measure(server, "/mutate", body, busy, requests / kTurns, mutate);
    }
    Json row = {{"connections", busy}, {"idle", idle_count}, {"echo", told(echo)}, {"mutate", told(mutate)}};
    rows.push_back(std::move(row));
  }
  fmt::print("{}\n", dump_json({{"review_bytes", body.size()},
                                {"answer_bytes", first->body.size()},
                                {"threads", server.server->stats().threads},
                                {"rows", std::move(rows)}}));
  return 0;
}
