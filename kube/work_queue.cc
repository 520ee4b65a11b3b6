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
  /// The better one has the lower number.
  enum class Lane { first, changed, again };
  static constexpr int kLanes = 3;
  static Lane after(Lane lane) { return static_cast<Lane>((static_cast<int>(lane) + 1) % kLanes); }

  using Time = steady_clock::time_point;
  struct Delayed {
    Time due;
    Lane lane;
  };

  mutable std::mutex mutex;
  std::condition_variable changed;
  bool down = false, all_at_once = false;
  std::map<Lane, std::deque<std::string>> ready;  ///< in order; also keys that have left this lane or the queue
  std::map<std::string, Lane> waiting;            ///< what is in `ready`, and where it counts
  Lane turn = Lane::first;
  std::map<std::string, Delayed> delayed;
  std::set<std::pair<Time, std::string>> by_due;  ///< of `delayed`
  std::map<std::string, Lane> active;             ///< handed out, not done; from which lane
  std::map<std::string, Lane> again;              ///< active, and added meanwhile
  std::map<std::string, Backoff> backoffs;

  std::optional<Delayed> undelay(const std::string& key) {
    const auto found = delayed.extract(key);
    if (found.empty()) return std::nullopt;
    by_due.erase({found.mapped().due, key});
    return found.mapped();
  }

  void make_ready(const std::string& key, Lane lane) {
    if (const auto was = undelay(key)) lane = std::min(lane, was->lane);
    auto& keys = active.contains(key) ? again : waiting;
    const auto [entry, added] = keys.try_emplace(key, lane);
    if (!added && entry->second <= lane) return;
    entry->second = lane;
    if (&keys == &again) return;
    ready[lane].push_back(key);
    changed.notify_one();
  }

  /// Comes anyway, and no later than in this lane.
  bool is_coming(const std::string& key, Lane lane) const {
    for (const auto* keys : {&waiting, &again}) {
      if (const auto found = keys->find(key); found != keys->end() && found->second <= lane) return true;
    }
    return false;
  }

  void delay(const std::string& key, milliseconds wait, Lane lane) {
    if (down) return;
    if (wait.count() <= 0) return make_ready(key, lane);
    if (is_coming(key, lane)) return;
    Time due = steady_clock::now() + wait;
    if (const auto was = undelay(key)) {
      due = std::min(due, was->due);
      lane = std::min(lane, was->lane);
    }
    delayed.emplace(key, Delayed{due, lane});
    by_due.emplace(due, key);
    changed.notify_one();
  }

  /// Makes what is due ready; returns when to look again.
  std::optional<Time> promote_due() {
    const auto now = steady_clock::now();
    while (!by_due.empty() && by_due.begin()->first <= now) {
      const std::string key = by_due.begin()->second;
      make_ready(key, delayed.at(key).lane);
    }
    return by_due.empty() ? std::nullopt : std::optional(by_due.begin()->first);
  }

  std::optional<std::string> take(Lane lane) {
    auto& keys = ready[lane];
    while (!keys.empty()) {
      std::string key = std::move(keys.front());
      keys.pop_front();
      const auto found = waiting.find(key);
      if (found == waiting.end() || found->second != lane) continue;
      waiting.erase(found);
      undelay(key);
      active.emplace(key, lane);
      turn = after(lane);
      return key;
    }
    return std::nullopt;
  }
};

WorkQueue::WorkQueue() : impl_(std::make_unique<Impl>()) {}
WorkQueue::~WorkQueue() = default;

void WorkQueue::add(const std::string& key) { add_after(key, milliseconds{0}); }

void WorkQueue::add_after(const std::string& key, milliseconds delay) {
  const std::lock_guard lock(impl_->mutex);
  impl_->delay(key, delay, impl_->all_at_once ? Impl::Lane::again : Impl::Lane::changed);
}

void WorkQueue::add_first(const std::string& key, milliseconds delay) {
  const std::lock_guard lock(impl_->mutex);
  impl_->delay(key, delay, impl_->all_at_once ? Impl::Lane::again : Impl::Lane::first);
}

void WorkQueue::look_again(const std::string& key, milliseconds delay) {
  const std::lock_guard lock(impl_->mutex);
  impl_->delay(key, delay, Impl::Lane::again);
}

void WorkQueue::retry(const std::string& key, milliseconds at_least) {
  const std::lock_guard lock(impl_->mutex);
  const milliseconds wait = std::max(impl_->backoffs[key].next(), at_least);
  // What has changed is new until it was dealt with.
  const auto taken = impl_->active.find(key);
  impl_->delay(key, wait, taken == impl_->active.end() ? Impl::Lane::again : taken->second);
}

void WorkQueue::forget(const std::string& key) {
  const std::lock_guard lock(impl_->mutex);
  impl_->backoffs.erase(key);
}

void WorkQueue::set_all_at_once(bool on) {
  const std::lock_guard lock(impl_->mutex);
  impl_->all_at_once = on;
}

std::optional<std::string> WorkQueue::next() {
  std::unique_lock lock(impl_->mutex);
  while (!impl_->down) {
    const auto look_again = impl_->promote_due();
    Impl::Lane lane = impl_->turn;
    for (int i = 0; i < Impl::kLanes; ++i, lane = Impl::after(lane)) {
      if (auto key = impl_->take(lane)) return key;
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
  const auto again = impl_->again.extract(key);
  if (!again.empty() && !impl_->down) impl_->make_ready(key, again.mapped());
}

void WorkQueue::shut_down() {
  const std::lock_guard lock(impl_->mutex);
  impl_->down = true;
  impl_->changed.notify_all();
}

std::size_t WorkQueue::due() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->waiting.size() + impl_->again.size();
}

std::size_t WorkQueue::size() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->waiting.size() + impl_->delayed.size() + impl_->again.size();
}

}  // namespace stash::kube
