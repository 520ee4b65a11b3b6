#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/resource.h"
#include "base/http.h"
#include "base/json.h"
#include "kube/config.h"
#include "kube/watch_event.h"

namespace stash::kube {

using api::ObjectRef;
using api::Resource;

struct ListOptions {
  std::string label_selector, field_selector;
  bool from_cache = false;     ///< resourceVersion=0: any version will do, served from the API server's memory
  bool metadata_only = false;  ///< PartialObjectMetadata: names and labels, never the content (Secrets)
  int page = 500;              ///< objects a page
};

struct WatchOptions {
  std::string label_selector, field_selector;
  std::string resource_version;
  bool metadata_only = false;
  std::chrono::seconds timeout{290};   ///< asked of the server; it ends the stream then, which is no error
  std::function<void()> on_open = {};  ///< the server has accepted the watch, though it may have nothing to tell yet
};

/// One API server as raw REST over one kept-alive connection. Not thread-safe: one Api per thread.
///
/// Errors, one code per reaction: not_found, already_exists, conflict, expired (410), throttled (429, 503 with
/// Retry-After, capped at 60 s), denied (401, 403), invalid (400, 422, 413, bad JSON), unreachable (other 5xx,
/// network), timed_out (504, no answer in time; the write may have happened), cancelled.
/// Messages carry the verb, the object and the server's own sentence.
/// No call but json_patch retries by itself. https://kubernetes.io/docs/reference/using-api/api-concepts/
class Api {
 public:
  explicit Api(Config config);
  ~Api();
  Api(Api&&) noexcept;
  Api& operator=(Api&&) noexcept;

  /// As HttpClient::set_cancel, in every call; true ends the call with `cancelled`.
  void set_cancel(std::function<bool()> cancelled, std::chrono::milliseconds every = HttpClient::kCancelPoll);

  /// By how much this machine's clock is ahead of the API server's now, to a second or so, by the Date header of the
  /// last answer that had one. A clock that was set since then shows. nullopt before such an answer.
  std::optional<Nanoseconds> clock_skew() const;

  Result<Json> get(const Resource& resource, const ObjectRef& ref, bool metadata_only = false);

  /// All pages as one List: {"items": [...], "metadata": {"resourceVersion": ...}}. An empty `ns` of a
  /// namespaced resource means all namespaces. Unlike on the wire each item carries its apiVersion and kind.
  Result<Json> list(const Resource& resource, std::string_view ns, const ListOptions& options = {});

  /// The same items, each handed to `take` as its page comes, so that no more than one page is in memory. Returns the
  /// resourceVersion. After an error some have been handed over.
  Result<std::string> for_each(const Resource& resource, std::string_view ns, const ListOptions& options,
                               const std::function<void(Json&&)>& take);

  /// Blocks; calls `on_event` for each event in order; false from it ends the watch. A clean end (timeout, close)
  /// returns the last resourceVersion seen. An ERROR event becomes this function's error (410: expired).
  /// A stream silent for 150 s is not trusted: unreachable (the server sends a bookmark about every minute).
  /// A line that is no event ends the watch with `invalid`: after it nothing on the stream can be trusted.
  Result<std::string> watch(const Resource& resource, std::string_view ns, const WatchOptions& options,
                            const std::function<bool(WatchEvent&&)>& on_event);

  Result<Json> create(const Resource& resource, std::string_view ns, const Json& object);
  /// RFC 7386; `subresource` "" or "status". Put metadata.resourceVersion into the patch for optimistic locking.
  /// Admission sees `field_manager`, which "" leaves to the API server.
  Result<Json> merge_patch(const Resource& resource, const ObjectRef& ref, const Json& patch,
                           std::string_view subresource = "", std::string_view field_manager = "");
  /// RFC 6902. A failed `test` operation is reported as `conflict`: somebody was faster, read again. With one, a patch
  /// that the API server gave up for others that wrote at the same time is sent again, for some two seconds.
  Result<Json> json_patch(const Resource& resource, const ObjectRef& ref, const Json& operations,
                          std::string_view subresource = "");
  /// Server-side apply with force; creates what is missing.
  Result<Json> apply(const Resource& resource, const ObjectRef& ref, const Json& object,
                     std::string_view field_manager);
  struct DeleteOptions {
    std::string uid;         ///< precondition; "" for none
    bool background = true;  ///< propagationPolicy Background, else Foreground
  };
  Result<void> remove(const Resource& resource, const ObjectRef& ref, const DeleteOptions& options);
  /// Deletes the pod with that UID unless a PodDisruptionBudget forbids it now (throttled).
  /// https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
  Result<void> evict(const ObjectRef& pod, const std::string& uid);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stash::kube
