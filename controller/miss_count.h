#pragma once
#include <map>
#include <mutex>
#include <string>

namespace stash::controller {

/// How often in a row something was looked for and not found. Thread-safe.
class MissCount {
 public:
  int count(const std::string& key, bool missed) {
    const std::scoped_lock lock(mutex_);
    if (missed) return ++misses_[key];
    misses_.erase(key);
    return 0;
  }
  void forget(const std::string& key) { count(key, false); }

 private:
  std::mutex mutex_;
  std::map<std::string, int> misses_;
};

}  // namespace stash::controller
