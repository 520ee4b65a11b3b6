#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kube/api.h"

namespace stash::kube {

/// A local copy of all objects of one kind (or of one selector), kept by list + watch on a thread of its own.
/// Thread-safe. Objects are immutable snapshots: hold the pointer as long as you like.
/// The first list is taken page by page, so that one page at a time is in memory, and each object is reported as it
/// comes. After 410 it lists again, and reports what vanished meanwhile and then what is new; errors back off 800 ms to
/// 30 s.
class Cache {
 public:
  using Object = std::shared_ptr<const Json>;
  enum class Keep {
    whole,     ///< as documents: what is looked at all the time
    packed,    ///< as compressed text, a twentieth of it: each look unpacks, some 50 us for a workload
    versions,  ///< metadata.resourceVersion alone: `before` and get() have no more. Not with `keys`
  };
  struct Options {
    std::string ns;  ///< "" for all
    std::string label_selector, field_selector;
    bool metadata_only = false;
    std::function<void(Json&)> trim;  ///< drops what is not needed before an object is stored; managedFields always go
    /// Keys under which with_key finds an object. Called on the cache's thread, with what is stored; must not throw.
    std::function<std::vector<std::string>(const Json&)> keys;
    Keep keep = Keep::whole;
    std::function<bool(const Json&)> whole;  ///< of Keep::packed, those that are kept whole; as `keys`
    const Clock* clock = &system_clock();
    bool may_be_unserved = false;  ///< without this kind, or the right to it, there is none of it; asked each minute
  };
  /// Called on the cache's thread, after the change is visible: before is null for added, after is null for deleted.
  /// Unchanged objects of a relist are not reported.
  using OnChange = std::function<void(const ObjectRef& ref, const Object& before, const Object& after)>;

  Cache(Config config, Resource resource, Options options, OnChange on_change = {});
  ~Cache();  ///< stops and joins
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  void start();
  /// Returns when no OnChange of any of them runs any more. Stopping takes up to a second, of all together as of one.
  static void stop_all(const std::vector<Cache*>& caches);
  bool synced() const;  ///< true when all of the first complete list was reported
  bool wait_synced(std::chrono::milliseconds limit) const;
  Object get(const ObjectRef& ref) const;  ///< null when unknown
  bool contains(const ObjectRef& ref) const;
  /// Ordered by namespace and name; "" for all.
  std::vector<ObjectRef> refs(std::string_view ns = "") const;
  /// Each that refs() tells and that is still there, one at a time: what is packed is not unpacked all at once.
  void for_each(std::string_view ns, const std::function<void(const ObjectRef&, const Json&)>& visit) const;
  /// Those for which Options::keys named `key`, ordered by name; the time it takes grows with their number alone.
  std::vector<Object> with_key(std::string_view ns, std::string_view key) const;
  std::vector<ObjectRef> refs_with_key(std::string_view ns, std::string_view key) const;  ///< "": in all namespaces
  std::size_t size() const;
  /// For how long the API server has told nothing: no list, event or bookmark, not even that it accepts the watch. What
  /// changed in that time is not known here. Without bookmarks it reaches some 200 s in good order.
  std::chrono::nanoseconds silence() const;
  bool unserved() const;  ///< Options::may_be_unserved: there was no such kind, or no right to it, when last asked

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stash::kube
