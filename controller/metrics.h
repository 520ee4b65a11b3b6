#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace stash::controller {

/// What GET /metrics shows, in the Prometheus text format. Thread-safe. Labels come from closed sets only.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  /// `result` is "ok" or the name of an error code.
  void count_reconcile(std::string_view kind, std::string_view result);
  void set_queue_depth(std::string_view kind, std::size_t depth);
  void set_leader(bool leading);
  std::string render();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stash::controller
