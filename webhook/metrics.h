#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "webhook/server.h"

namespace stash::webhook {

/// What GET /metrics shows, in the Prometheus text format. Thread-safe. Labels come from closed sets only.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  void count_request(const std::string& path, const std::string& outcome, const std::string& reason,
                     std::chrono::duration<double> took);
  /// As kube::Config::on_call has it.
  void count_api_call(std::string_view verb, std::string_view code);
  /// `certificate_ends`: nullopt when there is none.
  std::string render(const ServerStats& stats, std::optional<TimePoint> certificate_ends, bool synced);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stash::webhook
