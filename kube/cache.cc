#include "kube/cache.h"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>

#include "base/backoff.h"
#include "base/log.h"
#include "kube/cache_index.h"
#include "kube/packer.h"

namespace stash::kube {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// A server that ends each watch at once must not be asked again at once.
constexpr milliseconds kShortWatch{1'000};
constexpr milliseconds kUnserved{60'000};
/// As a document an object takes up to ten times its text, and a dozen caches may list at once.
constexpr int kPage = 100;

std::string version_of(const Json& object) { return string_at(object, {"metadata", "resourceVersion"}); }

}  // namespace

struct Cache::Impl {
  /// An object in the form that it is kept in.
  struct Stored {
    std::string version;
    std::variant<std::monostate, Object, std::string> kept;  ///< nothing, whole, packed
  };

  struct Entry {
    Stored stored;
    std::uint32_t listed = 0;  ///< the number of the last list that had it
  };

  Config config;
  Resource resource;
  Options options;
  OnChange on_change;

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::map<ObjectRef, Entry> entries;
  CacheIndex index;
  bool has_synced = false;
  std::atomic<bool> unserved{false};
  std::atomic<steady_clock::time_point> heard{};
  std::atomic<bool> stopping{false};
  std::thread thread;
  Packer packer;

  // Only touched by the cache's own thread, which alone changes the entries.
  std::uint32_t listing = 0;                       ///< the number of the list that is taken, or was last
  std::vector<std::pair<ObjectRef, Object>> news;  ///< of a list that is not the first one
  std::optional<std::string> version;              ///< where to go on watching; none: list first
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
          begin_list();
          end_list();
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
    return code == ErrorCode::not_found || (code == ErrorCode::denied && entries.empty());
  }

  Result<void> list(Api& api) {
    begin_list();
    const ListOptions how{.label_selector = options.label_selector,
                          .field_selector = options.field_selector,
                          .metadata_only = options.metadata_only,
                          .page = kPage};
    TRY(version, api.for_each(resource, options.ns, how, [this](Json&& item) { take_listed(std::move(item)); }));
    unserved = false;
    hear();
    end_list();
    backoff.reset();
    return {};
  }

  void begin_list() {
    ++listing;
    news.clear();
  }

  void take_listed(Json item) {
    auto named = trimmed(std::move(item));
    if (!named) return;
    if (!has_synced) {
      change(named->first, named->second);
    } else if (!is_known(named->first, *named->second)) {
      news.push_back(*std::move(named));
    }
  }

  /// What this list did not have is gone, and told first: what took its place must not meet it.
  void end_list() {
    std::vector<ObjectRef> gone;
    for (const auto& [ref, entry] : entries) {
      if (entry.listed != listing) gone.push_back(ref);
    }
    for (const ObjectRef& ref : gone) change(ref, nullptr);
    for (auto& [ref, object] : std::exchange(news, {})) change(ref, std::exchange(object, nullptr));
    const std::lock_guard lock(mutex);
    has_synced = true;
    changed.notify_all();
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
      if (event.type != WatchType::bookmark) take(std::move(event.object), event.type == WatchType::deleted);
      return !stopping;
    });
  }

  void take(Json object, bool deleted = false) {
    auto named = trimmed(std::move(object));
    if (named) change(named->first, deleted ? nullptr : std::move(named->second));
  }

  /// A list repeats what is known already, and after a cut stream a watch may.
  bool is_known(const ObjectRef& ref, const Json& object) {
    const auto known = entries.find(ref);
    if (known == entries.end()) return false;
    known->second.listed = listing;
    return is_same(known->second.stored, object);
  }

  /// `after` is null for what is gone.
  void change(const ObjectRef& ref, const Object& after) {
    if (after && is_known(ref, *after)) return;
    const auto known = entries.find(ref);
    if (known == entries.end() && !after) return;
    const Object before = known == entries.end() ? nullptr : opened(known->second.stored);
    const auto keys = keys_of(before), new_keys = keys_of(after);
    Stored stored = after ? closed(after) : Stored();
    {
      const std::lock_guard lock(mutex);
      index.remove(ref, keys);
      index.add(ref, new_keys);
      if (after) {
        entries.insert_or_assign(ref, Entry{std::move(stored), listing});
      } else {
        entries.erase(known);
      }
    }
    if (on_change && !stopping) on_change(ref, before, after);
  }

  bool is_same(const Stored& stored, const Json& object) const {
    const std::string object_version = version_of(object);
    return object_version.empty() ? *opened(stored) == object : object_version == stored.version;
  }

  Stored closed(const Object& object) {
    Stored stored{.version = version_of(*object)};
    const bool whole = options.keep == Keep::whole || (options.whole && options.whole(*object));
    if (whole) stored.kept = object;
    if (options.keep == Keep::packed && !whole) stored.kept = packer.pack(dump_json(*object));
    return stored;
  }

  Object opened(const Stored& stored) const {
    if (const auto* whole = std::get_if<Object>(&stored.kept)) return *whole;
    if (const auto* packed = std::get_if<std::string>(&stored.kept))
      return std::make_shared<const Json>(parse_json(packer.unpack(*packed)).value());
    return std::make_shared<const Json>(Json{{"metadata", {{"resourceVersion", stored.version}}}});
  }

  /// Null when unknown. Unpacks while others may change and read the entries.
  Object get(const ObjectRef& ref) const {
    std::unique_lock lock(mutex);
    const auto found = entries.find(ref);
    if (found == entries.end()) return nullptr;
    const Stored stored = found->second.stored;
    lock.unlock();
    return opened(stored);
  }

  /// An object without what nobody reads; none for one without a name, which must not hide the others.
  std::optional<std::pair<ObjectRef, Object>> trimmed(Json object) const {
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

Cache::Object Cache::get(const ObjectRef& ref) const { return impl_->get(ref); }

bool Cache::contains(const ObjectRef& ref) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->entries.contains(ref);
}

std::vector<ObjectRef> Cache::refs(std::string_view ns) const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<ObjectRef> result;
  auto entry = ns.empty() ? impl_->entries.begin() : impl_->entries.lower_bound({std::string(ns), ""});
  for (; entry != impl_->entries.end() && (ns.empty() || entry->first.ns == ns); ++entry) {
    result.push_back(entry->first);
  }
  return result;
}

void Cache::for_each(std::string_view ns, const std::function<void(const ObjectRef&, const Json&)>& visit) const {
  for (const ObjectRef& ref : refs(ns)) {
    if (const Object object = get(ref)) visit(ref, *object);
  }
}

std::vector<ObjectRef> Cache::refs_with_key(std::string_view ns, std::string_view key) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->index.find(ns, key);
}

std::vector<Cache::Object> Cache::with_key(std::string_view ns, std::string_view key) const {
  std::vector<Object> result;
  for (const ObjectRef& ref : refs_with_key(ns, key)) {
    if (Object object = get(ref)) result.push_back(std::move(object));
  }
  return result;
}

std::chrono::nanoseconds Cache::silence() const { return impl_->options.clock->steady() - impl_->heard.load(); }

bool Cache::unserved() const { return impl_->unserved; }

std::size_t Cache::size() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->entries.size();
}

}  // namespace stash::kube
