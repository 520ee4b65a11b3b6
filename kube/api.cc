#include "kube/api.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <thread>

#include "base/backoff.h"
#include "base/failpoint.h"
#include "base/http.h"
#include "base/version.h"
#include "kube/request.h"
#include "kube/token.h"

namespace stash::kube {

namespace {

using Query = std::vector<std::pair<std::string, std::string>>;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kMetadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
constexpr std::string_view kMetadataList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
// The API server sends a bookmark about every minute: two missed ones and a half mean that nobody is there.
constexpr seconds kSilenceLimit{150};
constexpr seconds kBeyondServerTimeout{30};
// Five tries of the API server make one of these.
constexpr int kCrowdedTries = 6;
constexpr Backoff::Limits kCrowded{.first = milliseconds(100), .most = milliseconds(800)};

struct Call {
  std::string method = "GET";
  std::string path;
  std::string doing;
  std::string_view accept = kJson;
  std::string_view content_type = kJson;
  std::string body;
};

/// The first word of what it is doing.
std::string_view verb_of(std::string_view doing) { return doing.substr(0, doing.find(' ')); }

std::string describe(std::string_view verb, const Resource& resource, const ObjectRef& ref) {
  return fmt::format("{} {} {}", verb, resource.kind, api::to_string(ref));
}

std::string describe(std::string_view verb, const Resource& resource, std::string_view ns) {
  return ns.empty() ? fmt::format("{} {}", verb, resource.plural)
                    : fmt::format("{} {} in {}", verb, resource.plural, ns);
}

void add_selectors(Query& query, const std::string& labels, const std::string& fields) {
  if (!labels.empty()) query.emplace_back("labelSelector", labels);
  if (!fields.empty()) query.emplace_back("fieldSelector", fields);
}

std::string retry_after_of(const HttpResponse& response) {
  const auto found = response.headers.find("retry-after");
  return found == response.headers.end() ? "" : found->second;
}

/// On the wire the items of a built-in kind's list have no kind of their own.
void name_kind(Json& item, const Resource& resource) {
  if (!item.is_object()) return;
  if (!item.contains("kind")) item["kind"] = resource.kind;
  if (!item.contains("apiVersion")) item["apiVersion"] = resource.api_version();
}

/// What the API server answers to a patch that does not apply to the object as it is: a Status without causes, while
/// an object that breaks a rule is refused with the causes and its name. The text of the failed test is not passed on.
bool patch_did_not_apply(const HttpResponse& response) {
  if (response.status != 422) return false;
  const auto status = parse_json(response.body);
  return status && array_at(*status, {"details", "causes"}).empty() && string_at(*status, {"details", "kind"}).empty();
}

/// The API server tried, and each time somebody else had written in between. Nothing is written.
bool was_crowded_out(const HttpResponse& response) {
  if (response.status != 409) return false;
  const auto status = parse_json(response.body);
  return status && string_at(*status, {"reason"}) == "Conflict";
}

bool has_test(const Json& operations) {
  if (!operations.is_array()) return false;
  for (const Json& operation : operations) {
    if (string_at(operation, {"op"}) == "test") return true;
  }
  return false;
}

}  // namespace

struct Api::Impl {
  Config config;
  Token token;
  HttpClient http;
  std::optional<ServerTime> server_time;

  explicit Impl(Config the_config) : config(std::move(the_config)), token(config), http(config.trust) {}

  Result<HttpRequest> request(const Call& call) {
    HttpRequest request{.method = call.method, .url = config.server + call.path, .body = call.body};
    request.headers = {{"Accept", std::string(call.accept)}, {"User-Agent", fmt::format("stash/{}", version())}};
    if (!call.body.empty()) request.headers.emplace_back("Content-Type", call.content_type);
    TRY(const std::string bearer, with_context(token.get(std::chrono::steady_clock::now()), call.doing));
    if (!bearer.empty()) request.headers.emplace_back("Authorization", "Bearer " + bearer);
    return request;
  }

  Error refusal(const HttpResponse& response, std::string_view doing) {
    if (response.status == 401) token.distrust();
    return error_of(response.status, retry_after_of(response), response.body, doing);
  }

  /// The raw answer, whatever its status.
  Result<HttpResponse> send(const Call& call) {
    TRY(const HttpRequest built, request(call));
    if (call.method != "GET") STASH_FAILPOINT("before " + call.doing);
    auto response = with_context(http.send(built), call.doing);
    if (call.method != "GET") STASH_FAILPOINT("after " + call.doing);
    hear(response);
    tell(call.doing, response);
    return response;
  }

  void hear(const Result<HttpResponse>& response) {
    if (response && response->server_time) server_time = response->server_time;
  }

  void tell(std::string_view doing, const Result<HttpResponse>& response) const {
    if (!config.on_call) return;
    const std::string code =
        response ? std::to_string(response->status) : std::string(to_string(response.error().code));
    config.on_call(verb_of(doing), code);
  }

  Result<Json> decode(const HttpResponse& response, std::string_view doing) {
    if (response.status / 100 != 2) return std::unexpected(refusal(response, doing));
    return with_context(parse_json(response.body), doing);
  }

  Result<Json> json(const Call& call) {
    TRY(const HttpResponse response, send(call));
    return decode(response, call.doing);
  }
};

Api::Api(Config config) : impl_(std::make_unique<Impl>(std::move(config))) {}
Api::~Api() = default;
Api::Api(Api&&) noexcept = default;
Api& Api::operator=(Api&&) noexcept = default;

void Api::set_cancel(std::function<bool()> cancelled, std::chrono::milliseconds every) {
  impl_->http.set_cancel(std::move(cancelled), every);
}

std::optional<Nanoseconds> Api::clock_skew() const {
  if (!impl_->server_time) return std::nullopt;
  const auto& [date, heard] = *impl_->server_time;
  // Steady since then, so that a step of the wall clock is part of the difference.
  return std::chrono::system_clock::now() - (date + (std::chrono::steady_clock::now() - heard));
}

Result<Json> Api::get(const Resource& resource, const ObjectRef& ref, bool metadata_only) {
  return impl_->json({.path = request_path(resource, ref),
                      .doing = describe("get", resource, ref),
                      .accept = metadata_only ? kMetadata : kJson});
}

Result<Json> Api::list(const Resource& resource, std::string_view ns, const ListOptions& options) {
  Json items = Json::array();
  TRY(std::string version,
      for_each(resource, ns, options, [&items](Json&& item) { items.push_back(std::move(item)); }));
  return Json{{"items", std::move(items)}, {"metadata", {{"resourceVersion", std::move(version)}}}};
}

Result<std::string> Api::for_each(const Resource& resource, std::string_view ns, const ListOptions& options,
                                  const std::function<void(Json&&)>& take) {
  const std::string doing = describe("list", resource, ns);
  std::string next_page;
  while (true) {
    Query query;
    add_selectors(query, options.label_selector, options.field_selector);
    if (options.from_cache) {
      query.emplace_back("resourceVersion", "0");  // served whole; a limit would be ignored
    } else {
      query.emplace_back("limit", std::to_string(options.page));
    }
    if (!next_page.empty()) query.emplace_back("continue", next_page);
    TRY(Json page, impl_->json({.path = request_path(resource, {std::string(ns), ""}, "", query),
                                .doing = doing,
                                .accept = options.metadata_only ? kMetadataList : kJson}));
    if (!page.is_object()) return fail(ErrorCode::invalid, doing + ": the answer is no list");
    if (const auto found = page.find("items"); found != page.end() && found->is_array()) {
      for (Json& item : *found) {
        if (!options.metadata_only) name_kind(item, resource);
        take(std::move(item));
      }
    }
    next_page = string_at(page, {"metadata", "continue"});
    if (next_page.empty() || options.from_cache) return string_at(page, {"metadata", "resourceVersion"});
  }
}

Result<std::string> Api::watch(const Resource& resource, std::string_view ns, const WatchOptions& options,
                               const std::function<bool(WatchEvent&&)>& on_event) {
  const std::string doing = describe("watch", resource, ns);
  Query query{{"watch", "true"},
              {"allowWatchBookmarks", "true"},
              {"timeoutSeconds", std::to_string(options.timeout.count())},
              {"resourceVersion", options.resource_version}};
  add_selectors(query, options.label_selector, options.field_selector);
  TRY(HttpRequest request, impl_->request({.path = request_path(resource, {std::string(ns), ""}, "", query),
                                           .doing = doing,
                                           .accept = options.metadata_only ? kMetadata : kJson}));
  request.idle_timeout = kSilenceLimit;
  request.on_begin = options.on_open;
  request.total_timeout = options.timeout + kBeyondServerTimeout;

  std::string version = options.resource_version;
  std::optional<Error> bad_event;
  const auto take_line = [&](std::string_view line) {
    if (line.empty()) return true;
    auto event = decode_watch_event(line, doing);
    if (!event) {
      bad_event = std::move(event.error());
      return false;
    }
    if (!options.metadata_only) name_kind(event->object, resource);
    version = string_at(event->object, {"metadata", "resourceVersion"}, version);
    return on_event(*std::move(event));
  };
  LineSplitter splitter;
  const auto take_bytes = [&](std::string_view bytes) {
    const Result<bool> go_on = splitter.feed(bytes, take_line);
    if (!go_on) bad_event = Error{go_on.error().code, doing + ": " + go_on.error().message};
    return go_on.value_or(false);
  };
  auto response = with_context(impl_->http.stream(request, take_bytes), doing);
  // Our own limit behind the server's: every event before it has been handed on, so it is an end like any other.
  if (!response && response.error().code == ErrorCode::timed_out) response = HttpResponse{.status = 200};
  impl_->hear(response);
  impl_->tell(doing, response);
  if (bad_event) return std::unexpected(*bad_event);
  if (!response) return std::unexpected(response.error());
  if (response->status / 100 != 2) return std::unexpected(impl_->refusal(*response, doing));
  return version;
}

Result<Json> Api::create(const Resource& resource, std::string_view ns, const Json& object) {
  const ObjectRef ref{std::string(ns), string_at(object, {"metadata", "name"})};
  return impl_->json({.method = "POST",
                      .path = request_path(resource, {ref.ns, ""}),
                      .doing = describe("create", resource, ref),
                      .body = dump_json(object)});
}

Result<Json> Api::merge_patch(const Resource& resource, const ObjectRef& ref, const Json& patch,
                              std::string_view subresource, std::string_view field_manager) {
  std::vector<std::pair<std::string, std::string>> query;
  if (!field_manager.empty()) query.emplace_back("fieldManager", field_manager);
  return impl_->json({.method = "PATCH",
                      .path = request_path(resource, ref, subresource, query),
                      .doing = describe("patch", resource, ref),
                      .content_type = "application/merge-patch+json",
                      .body = dump_json(patch)});
}

Result<Json> Api::json_patch(const Resource& resource, const ObjectRef& ref, const Json& operations,
                             std::string_view subresource) {
  const Call call{.method = "PATCH",
                  .path = request_path(resource, ref, subresource),
                  .doing = describe("patch", resource, ref),
                  .content_type = "application/json-patch+json",
                  .body = dump_json(operations)};
  const bool guarded = has_test(operations);
  Backoff backoff(kCrowded);
  TRY(HttpResponse response, impl_->send(call));
  for (int tries = 1; guarded && was_crowded_out(response) && tries < kCrowdedTries; ++tries) {
    std::this_thread::sleep_for(backoff.next());
    TRY(response, impl_->send(call));
  }
  auto result = impl_->decode(response, call.doing);
  if (!result && guarded && patch_did_not_apply(response)) result.error().code = ErrorCode::conflict;
  return result;
}

Result<Json> Api::apply(const Resource& resource, const ObjectRef& ref, const Json& object,
                        std::string_view field_manager) {
  return impl_->json(
      {.method = "PATCH",
       .path = request_path(resource, ref, "", {{"fieldManager", std::string(field_manager)}, {"force", "true"}}),
       .doing = describe("apply", resource, ref),
       .content_type = "application/apply-patch+yaml",
       .body = dump_json(object)});
}

Result<void> Api::remove(const Resource& resource, const ObjectRef& ref, const DeleteOptions& options) {
  Json body = {{"apiVersion", "v1"},
               {"kind", "DeleteOptions"},
               {"propagationPolicy", options.background ? "Background" : "Foreground"}};
  if (!options.uid.empty()) body["preconditions"] = {{"uid", options.uid}};
  const Call call{.method = "DELETE",
                  .path = request_path(resource, ref),
                  .doing = describe("delete", resource, ref),
                  .body = dump_json(body)};
  TRY(const HttpResponse response, impl_->send(call));
  if (response.status / 100 != 2) return std::unexpected(impl_->refusal(response, call.doing));
  return {};
}

Result<void> Api::evict(const ObjectRef& pod, const std::string& uid) {
  const Json eviction = {{"apiVersion", "policy/v1"},
                         {"kind", "Eviction"},
                         {"metadata", {{"name", pod.name}, {"namespace", pod.ns}}},
                         {"deleteOptions", {{"preconditions", {{"uid", uid}}}}}};
  const Call call{.method = "POST",
                  .path = request_path(api::kPods, pod, "eviction"),
                  .doing = describe("evict", api::kPods, pod),
                  .body = dump_json(eviction)};
  TRY(const HttpResponse response, impl_->send(call));
  if (response.status / 100 != 2) return std::unexpected(impl_->refusal(response, call.doing));
  return {};
}

}  // namespace stash::kube
