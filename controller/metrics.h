#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "controller/object_gauges.h"

namespace stash::controller {

/// What GET /metrics shows, in the Prometheus text format. Thread-safe. Labels come from closed sets, but for the names
/// of objects, whose lines go with them.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  /// `result` is "ok" or the name of an error code.
  void count_reconcile(std::string_view kind, std::string_view result, std::chrono::duration<double> took);
  void set_queue_depth(std::string_view kind, std::size_t due, std::size_t delayed);
  void set_leader(bool leading);
  /// As kube::Config::on_call has it.
  void count_api_call(std::string_view verb, std::string_view code);
  std::string render(const ObjectGauges& objects, bool synced);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stash::controller
