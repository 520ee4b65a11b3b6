#include "kube/work_queue.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "base/backoff.h"

namespace stash::kube {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct WorkQueue::Impl {
  mutable std::mutex mutex;
  std::condition_variable changed;
  bool down = false;
  std::deque<std::string> ready;  ///< in order; `waiting` says whether a key is in it
  std::set<std::string> waiting;
  std::map<std::string, steady_clock::time_point> delayed;
  std::set<std::string> active;  ///< handed out, not done
  std::set<std::string> again;   ///< active, and added meanwhile
  std::map<std::string, Backoff> backoffs;

  void make_ready(std::string key) {
    delayed.erase(key);
    if (active.contains(key)) {
      again.insert(std::move(key));
    } else if (waiting.insert(key).second) {
      ready.push_back(std::move(key));
      changed.notify_one();
    }
  }

  void delay(std::string key, milliseconds wait) {
    if (down) return;
    if (wait.count() <= 0) return make_ready(std::move(key));
    if (waiting.contains(key) || again.contains(key)) return;
    const auto due = steady_clock::now() + wait;
    const auto [entry, added] = delayed.try_emplace(std::move(key), due);
    if (!added) entry->second = std::min(entry->second, due);
    changed.notify_one();
  }

  /// Makes what is due ready; returns when to look again.
  std::optional<steady_clock::time_point> promote_due() {
    const auto now = steady_clock::now();
    std::optional<steady_clock::time_point> next;
    std::vector<std::string> due;
    for (const auto& [key, when] : delayed) {
      if (when <= now) {
        due.push_back(key);
      } else if (!next || when < *next) {
        next = when;
      }
    }
    for (std::string& key : due) make_ready(std::move(key));
    return next;
  }
};

WorkQueue::WorkQueue() : impl_(std::make_unique<Impl>()) {}
WorkQueue::~WorkQueue() = default;

void WorkQueue::add(std::string key) { add_after(std::move(key), milliseconds{0}); }

void WorkQueue::add_after(std::string key, milliseconds delay) {
  const std::lock_guard lock(impl_->mutex);
  impl_->delay(std::move(key), delay);
}

void WorkQueue::retry(std::string key, milliseconds at_least) {
  const std::lock_guard lock(impl_->mutex);
  const milliseconds wait = std::max(impl_->backoffs[key].next(), at_least);
  impl_->delay(std::move(key), wait);
}

void WorkQueue::forget(const std::string& key) {
  const std::lock_guard lock(impl_->mutex);
  impl_->backoffs.erase(key);
}

std::optional<std::string> WorkQueue::next() {
  std::unique_lock lock(impl_->mutex);
  while (!impl_->down) {
    const auto look_again = impl_->promote_due();
    if (!impl_->ready.empty()) {
      std::string key = std::move(impl_->ready.front());
      impl_->ready.pop_front();
      impl_->waiting.erase(key);
      impl_->active.insert(key);
      return key;
    }
    if (look_again) {
      impl_->changed.wait_until(lock, *look_again);
    } else {
      impl_->changed.wait(lock);
    }
  }
  return std::nullopt;
}

void WorkQueue::done(const std::string& key) {
  const std::lock_guard lock(impl_->mutex);
  impl_->active.erase(key);
  if (impl_->again.erase(key) > 0 && !impl_->down) impl_->make_ready(key);
}

void WorkQueue::shut_down() {
  const std::lock_guard lock(impl_->mutex);
  impl_->down = true;
  impl_->changed.notify_all();
}

std::size_t WorkQueue::due() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->ready.size() + impl_->again.size();
}

std::size_t WorkQueue::size() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->ready.size() + impl_->delayed.size() + impl_->again.size();
}

}  // namespace stash::kube
