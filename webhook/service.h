#pragma once
#include <atomic>
#include <functional>
#include <mutex>

#include "inject/settings.h"
#include "webhook/author_check.h"
#include "webhook/certificate.h"
#include "webhook/index.h"
#include "webhook/metrics.h"
#include "webhook/server.h"

namespace stash::webhook {

/// Whether the user of a review (its userInfo) has each of these rights, in their order. May block.
using AskRights = std::function<Result<std::vector<bool>>(const Json& user_info, const std::vector<Right>& rights)>;

/// What the two ports of the program answer. Thread-safe.
class Service {
 public:
  /// References must outlive this. `synced` is asked by /readyz and by each review.
  Service(inject::Settings settings, const Index& index, const Certificate& certificate, std::function<bool()> synced,
          AskRights ask_rights, Metrics& metrics);

  Routes admission_routes();      ///< POST /mutate, POST /warn: from memory
  Routes authorization_routes();  ///< POST /authorize: asks the API server, so it may block
  /// GET /healthz, /readyz, /metrics. `stats` are those of the admission server.
  Routes health_routes(std::function<ServerStats()> stats);
  /// From now on /readyz says no.
  void set_stopping();

 private:
  Reply answer(const std::string& path, std::string_view body);
  Answer decide(const std::string& path, const Review& review) const;
  Reply authorize(std::string_view body);
  Reply malformed(const std::string& path, const Error& error, std::chrono::steady_clock::time_point start);
  Reply readiness() const;

  inject::Settings settings_;
  const Index& index_;
  const Certificate& certificate_;
  std::function<bool()> synced_;
  AskRights ask_rights_;
  Metrics& metrics_;
  std::mutex large_;  ///< held while a large review is worked on, but never while the API server is asked
  std::atomic<bool> stopping_{false};
};

}  // namespace stash::webhook
