#include "kube/cache.h"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "base/backoff.h"
#include "base/log.h"
#include "kube/cache_index.h"

namespace stash::kube {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// A server that ends each watch at once must not be asked again at once.
constexpr milliseconds kShortWatch{1'000};
constexpr milliseconds kUnserved{60'000};

using Objects = std::map<ObjectRef, Cache::Object>;

struct Change {
  ObjectRef ref;
  Cache::Object before, after;
};

std::string version_of(const Cache::Object& object) { return string_at(*object, {"metadata", "resourceVersion"}); }

bool same(const Cache::Object& one, const Cache::Object& other) {
  const std::string version = version_of(one);
  return version.empty() ? *one == *other : version == version_of(other);
}

/// What is the same in `after` becomes the object of `before`: what lives long stays where it is, instead of moving in
/// among what goes at once, which would leave holes in the heap at every relist.
std::vector<Change> changes_between(const Objects& before, Objects& after) {
  std::vector<Change> changes;
  for (const auto& [ref, object] : before) {
    if (!after.contains(ref)) changes.push_back({ref, object, nullptr});
  }
  for (auto& [ref, object] : after) {
    const auto old = before.find(ref);
    if (old == before.end()) {
      changes.push_back({ref, nullptr, object});
    } else if (!same(old->second, object)) {
      changes.push_back({ref, old->second, object});
    } else {
      object = old->second;
    }
  }
  return changes;
}

}  // namespace

struct Cache::Impl {
  Config config;
  Resource resource;
  Options options;
  OnChange on_change;

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  Objects objects;
  CacheIndex index;
  bool has_synced = false;
  std::atomic<bool> unserved{false};
  std::atomic<steady_clock::time_point> heard{};
  std::atomic<bool> stopping{false};
  std::thread thread;

  // Only touched by the cache's own thread.
  std::optional<std::string> version;  ///< where to go on watching; none: list first
  Backoff backoff;

  void hear() { heard = options.clock->steady(); }

  void run() {
    Api api(config);
    api.set_cancel([this] { return stopping.load(); });
    while (!stopping) {
      if (!version) {
        const auto listed = list(api);
        if (listed) continue;
        // It is in touch, and says that there is none.
        if (listed.error().code == ErrorCode::not_found) hear();
        if (is_missing(listed.error().code)) {
          if (listed.error().code != ErrorCode::not_found) log_warning("{}; going on without", listed.error().message);
          unserved = true;
          replace_all({}, {});
          wait(kUnserved);
        } else {
          pause(listed.error());
        }
        continue;
      }
      const auto began = steady_clock::now();
      bool saw_event = false;
      const auto ended = watch(api, saw_event);
      if (saw_event) backoff.reset();
      if (!ended && ended.error().code == ErrorCode::expired) {
        version.reset();
      } else if (!ended) {
        // invalid: the server does not understand our version, or we not its stream
        if (ended.error().code == ErrorCode::invalid) version.reset();
        pause(ended.error());
      } else if (!saw_event && steady_clock::now() - began < kShortWatch) {
        wait(backoff.next());
      } else {
        backoff.reset();
      }
    }
  }

  /// Who may never read an optional kind, as with the roles of an older chart, does without. Rights that go while it is
  /// read are an outage: what is known stays.
  bool is_missing(ErrorCode code) const {
    if (!options.may_be_unserved) return false;
    const std::lock_guard lock(mutex);
    return code == ErrorCode::not_found || (code == ErrorCode::denied && objects.empty());
  }

  Result<void> list(Api& api) {
    TRY(Json listed, api.list(resource, options.ns,
                              {.label_selector = options.label_selector,
                               .field_selector = options.field_selector,
                               .metadata_only = options.metadata_only}));
    unserved = false;
    hear();
    Objects fresh;
    CacheIndex fresh_index;
    if (const auto items = listed.find("items"); items != listed.end()) {
      for (Json& item : *items) {
        auto entry = store_form(std::move(item));
        if (!entry) continue;
        fresh_index.add(entry->first, keys_of(entry->second));
        fresh.insert_or_assign(std::move(entry->first), entry->second);
      }
    }
    version = string_at(listed, {"metadata", "resourceVersion"});
    listed = nullptr;
    replace_all(std::move(fresh), std::move(fresh_index));
    backoff.reset();
    return {};
  }

  void replace_all(Objects fresh, CacheIndex fresh_index) {
    std::vector<Change> changes;
    {
      const std::lock_guard lock(mutex);
      changes = changes_between(objects, fresh);
      objects.swap(fresh);
      std::swap(index, fresh_index);
      has_synced = true;
      changed.notify_all();
    }
    fresh.clear();
    fresh_index = {};
    for (Change& change : changes) {
      report(change);
      change = {};
    }
  }

  Result<std::string> watch(Api& api, bool& saw_event) {
    const WatchOptions how{.label_selector = options.label_selector,
                           .field_selector = options.field_selector,
                           .resource_version = *version,
                           .metadata_only = options.metadata_only,
                           .on_open = [this] { hear(); }};
    return api.watch(resource, options.ns, how, [this, &saw_event](WatchEvent&& event) {
      saw_event = true;
      hear();
      version = string_at(event.object, {"metadata", "resourceVersion"}, *version);
      if (event.type != WatchType::bookmark) take(std::move(event));
      return !stopping;
    });
  }

  void take(WatchEvent&& event) {
    auto entry = store_form(std::move(event.object));
    if (!entry) return;
    Change change{entry->first, nullptr, event.type == WatchType::deleted ? nullptr : entry->second};
    const auto keys = keys_of(change.after);
    {
      const std::lock_guard lock(mutex);
      const auto known = objects.find(change.ref);
      if (known != objects.end()) change.before = known->second;
      // After a cut stream the server may repeat what we already know.
      if (change.before && change.after && same(change.before, change.after)) return;
      index.remove(change.ref, keys_of(change.before));
      index.add(change.ref, keys);
      if (change.after) {
        objects.insert_or_assign(change.ref, change.after);
      } else if (known != objects.end()) {
        objects.erase(known);
      }
    }
    if (change.before || change.after) report(change);
  }

  /// What is kept of an object; none for one without a name, which must not hide the others.
  std::optional<std::pair<ObjectRef, Object>> store_form(Json object) const {
    ObjectRef ref{string_at(object, {"metadata", "namespace"}), string_at(object, {"metadata", "name"})};
    if (ref.name.empty()) {
      log_warning("watching {}: left out an object without a name", resource.plural);
      return std::nullopt;
    }
    if (const auto metadata = object.find("metadata"); metadata != object.end()) metadata->erase("managedFields");
    if (options.trim) {
      try {
        options.trim(object);
      } catch (const Json::exception& problem) {
        log_warning("watching {}: {} kept whole: {}", resource.plural, api::to_string(ref), problem.what());
      }
    }
    return std::pair{std::move(ref), std::make_shared<const Json>(std::move(object))};
  }

  std::vector<std::string> keys_of(const Object& object) const {
    return object && options.keys ? options.keys(*object) : std::vector<std::string>();
  }

  void report(const Change& change) {
    if (on_change && !stopping) on_change(change.ref, change.before, change.after);
    if (options.versions_only && change.after) forget(change);
  }

  void forget(const Change& change) {
    const auto version_alone =
        std::make_shared<const Json>(Json{{"metadata", {{"resourceVersion", version_of(change.after)}}}});
    const std::lock_guard lock(mutex);
    const auto known = objects.find(change.ref);
    if (known != objects.end() && known->second == change.after) known->second = version_alone;
  }

  void pause(const Error& error) {
    if (error.code == ErrorCode::cancelled || stopping) return;
    const milliseconds delay =
        std::max(backoff.next(), milliseconds(error.retry_after.value_or(std::chrono::seconds{0})));
    log_warning("{}; trying again in {} ms", error.message, delay.count());
    wait(delay);
  }

  void wait(milliseconds delay) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, delay, [this] { return stopping.load(); });
  }

  void request_stop() {
    const std::lock_guard lock(mutex);
    stopping = true;
    changed.notify_all();
  }
};

Cache::Cache(Config config, Resource resource, Options options, OnChange on_change) : impl_(std::make_unique<Impl>()) {
  impl_->config = std::move(config);
  impl_->resource = resource;
  impl_->options = std::move(options);
  impl_->on_change = std::move(on_change);
}

Cache::~Cache() { stop_all({this}); }

void Cache::stop_all(const std::vector<Cache*>& caches) {
  for (const Cache* cache : caches) cache->impl_->request_stop();
  for (const Cache* cache : caches) {
    if (cache->impl_->thread.joinable()) cache->impl_->thread.join();
  }
}

void Cache::start() {
  if (!impl_->thread.joinable()) impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

bool Cache::synced() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->has_synced;
}

bool Cache::wait_synced(milliseconds limit) const {
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(lock, limit, [this] { return impl_->has_synced; });
}

Cache::Object Cache::get(const ObjectRef& ref) const {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->objects.find(ref);
  return found == impl_->objects.end() ? nullptr : found->second;
}

std::vector<Cache::Object> Cache::list(std::string_view ns) const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<Object> result;
  auto entry = ns.empty() ? impl_->objects.begin() : impl_->objects.lower_bound({std::string(ns), ""});
  for (; entry != impl_->objects.end() && (ns.empty() || entry->first.ns == ns); ++entry) {
    result.push_back(entry->second);
  }
  return result;
}

std::vector<Cache::Object> Cache::with_key(std::string_view ns, std::string_view key) const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<Object> result;
  for (const ObjectRef& ref : impl_->index.find(ns, key)) result.push_back(impl_->objects.at(ref));
  return result;
}

std::chrono::nanoseconds Cache::silence() const { return impl_->options.clock->steady() - impl_->heard.load(); }

bool Cache::unserved() const { return impl_->unserved; }

std::size_t Cache::size() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->objects.size();
}

}  // namespace stash::kube
