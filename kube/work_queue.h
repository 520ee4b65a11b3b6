#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace stash::kube {

/// A keyed queue: a key is in it once, and is never handed to two workers at once; a key added while it is worked on
/// comes again afterwards. Thread-safe.
///
/// It has three lanes, so that who has a result does not wait behind thousands of keys that only begin, nor what has
/// changed behind those that are only due for another look. Workers take from them in turns: none is left waiting,
/// however much there is in the others.
class WorkQueue {
 public:
  WorkQueue();
  ~WorkQueue();
  /// Something about it has changed.
  void add(const std::string& key);
  /// The same, in one look with what changes in that time; the earliest of several delays wins.
  void add_after(const std::string& key, std::chrono::milliseconds delay);
  /// Somebody who has worked waits for it: it comes in the first lane, after that delay.
  void add_first(const std::string& key, std::chrono::milliseconds delay = {});
  /// Nothing has changed: it comes in the last lane, unless add() brings it into another.
  void look_again(const std::string& key, std::chrono::milliseconds delay = {});
  /// After a failure, before done(): again in the lane that it was taken from, after this key's own backoff (800 ms
  /// doubling to 30 s), or `at_least` if longer.
  void retry(const std::string& key, std::chrono::milliseconds at_least = {});
  void forget(const std::string& key);  ///< after a success: resets its backoff
  /// As long as it is on, each add is a look_again(): for when all that exists is added, whatever has changed of it.
  void set_all_at_once(bool on);
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
