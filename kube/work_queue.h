#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace stash::kube {

/// A keyed queue: a key is in it once, and is never handed to two workers at once; a key added while it is worked on
/// comes again afterwards. Thread-safe.
class WorkQueue {
 public:
  WorkQueue();
  ~WorkQueue();
  void add(std::string key);
  void add_after(std::string key, std::chrono::milliseconds delay);  ///< the earliest of several delays wins
  /// After a failure: add_after with this key's own backoff (800 ms doubling to 30 s), or `at_least` if longer.
  void retry(std::string key, std::chrono::milliseconds at_least = {});
  void forget(const std::string& key);  ///< after a success: resets its backoff
  /// Blocks until a key is due; nullopt after shut_down. done() must follow, on any thread.
  std::optional<std::string> next();
  void done(const std::string& key);
  void shut_down();
  std::size_t due() const;   ///< of those in size(), what a worker could take now
  std::size_t size() const;  ///< due and delayed, not those being worked on

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stash::kube
