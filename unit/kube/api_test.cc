#include "kube/api.h"

#include <catch2/catch.hpp>

#include "unit/support/api_script.h"

using namespace stash;
using kube::Api;
using kube::WatchEvent;
using kube::WatchType;

namespace {

constexpr const char* kPodsPath = "/api/v1/namespaces/demo/pods";
constexpr const char* kPodPath = "/api/v1/namespaces/demo/pods/web-0";
const api::ObjectRef kPod{"demo", "web-0"};

struct Watched {
  Result<std::string> ended;
  std::vector<std::pair<WatchType, std::string>> seen;
};

Watched watch(const ApiScript& script, const std::string& version = "100") {
  Watched watched{.ended = ""};
  Api api(script.config());
  watched.ended = api.watch(api::kPods, "demo", {.resource_version = version}, [&watched](const WatchEvent& event) {
    watched.seen.emplace_back(event.type, string_at(event.object, {"metadata", "name"}));
    return true;
  });
  return watched;
}

}  // namespace

TEST_CASE("get asks for JSON, says who asks, and sends the token", "[kube][api]") {
  ApiScript script;
  script.on("GET", kPodPath).reply(an_object("web-0"));
  kube::Config config = script.config();
  config.token = "secret";
  CHECK(Api(config).get(api::kPods, kPod).value() == an_object("web-0"));
  const auto headers = script.calls().at(0).headers;
  CHECK(headers.at("accept") == "application/json");
  CHECK(headers.at("user-agent").starts_with("stash/"));
  CHECK(headers.at("authorization") == "Bearer secret");
}

TEST_CASE("metadata only asks the server to leave the content out", "[kube][api]") {
  ApiScript script;
  script.on("GET", kPodPath).reply(an_object("web-0"));
  script.on("GET", kPodsPath).reply(list_of({}, "1"));
  Api api(script.config());
  CHECK(api.get(api::kPods, kPod, true).has_value());
  CHECK(api.list(api::kPods, "demo", {.metadata_only = true}).has_value());
  CHECK(script.calls().at(0).headers.at("accept") == "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
  CHECK(script.calls().at(1).headers.at("accept") ==
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
}

TEST_CASE("a refusal names the verb, the object and the server's sentence", "[kube][api]") {
  ApiScript script;
  script.on("GET", kPodPath).reply(404, status_of(404, "NotFound", "pods \"web-0\" not found"));
  CHECK(Api(script.config()).get(api::kPods, kPod).error() ==
        Error{ErrorCode::not_found, "get Pod demo/web-0: pods \"web-0\" not found"});
}

TEST_CASE("who wants to count calls is told the verb and the code of each", "[kube][api]") {
  ApiScript script;
  script.on("GET", kPodPath).reply(404);
  script.on("GET", kPodsPath).reply(list_of({}, "1"));
  script.on("GET", kPodsPath, "watch=true").stream_events({{"ADDED", an_object("web-0")}});
  script.on("POST", kPodsPath).reply(201, an_object("web-0"));
  script.on("PATCH", kPodPath).reply(409);
  script.on("DELETE", kPodPath).reply(200);
  kube::Config config = script.config();
  std::vector<std::string> told;
  config.on_call = [&told](std::string_view verb, std::string_view code) {
    told.push_back(std::string(verb) + " " + std::string(code));
  };
  Api api(config);
  CHECK_FALSE(api.get(api::kPods, kPod));
  CHECK(api.list(api::kPods, "demo"));
  CHECK(api.watch(api::kPods, "demo", {.resource_version = "1"}, [](const WatchEvent&) { return true; }));
  CHECK(api.create(api::kPods, "demo", an_object("web-0")));
  CHECK_FALSE(api.merge_patch(api::kPods, kPod, Json::object()));
  CHECK(api.remove(api::kPods, kPod, {}));
  api.set_cancel([] { return true; });
  CHECK_FALSE(api.get(api::kPods, kPod));
  CHECK(told == std::vector<std::string>{"get 404", "list 200", "watch 200", "create 201", "patch 409", "delete 200",
                                         "get cancelled"});
}

TEST_CASE("no call retries by itself", "[kube][api][F19][I20]") {
  ApiScript script;
  script.on("GET", kPodPath).reply_raw(429, "", {{"Retry-After", "7"}});
  CHECK(Api(script.config()).get(api::kPods, kPod).error() ==
        Error{ErrorCode::throttled, "get Pod demo/web-0: HTTP 429", std::chrono::seconds(7)});
  CHECK(script.calls().size() == 1);
}

TEST_CASE("an answer that is no JSON is invalid", "[kube][api]") {
  ApiScript script;
  script.on("GET", kPodPath).reply_raw(200, "<html>");
  CHECK(Api(script.config()).get(api::kPods, kPod).error().code == ErrorCode::invalid);
}

TEST_CASE("how far our clock is from the API server's is known from the last answer that told the time",
          "[kube][api][F52][I12]") {
  using namespace std::chrono_literals;
  ApiScript script;
  Api api(script.config());
  // Whole seconds on the wire, and the way of the answer.
  const auto is_about = [&api](Nanoseconds expected) {
    const auto skew = api.clock_skew();
    return skew && *skew >= expected - 1s && *skew < expected + 20s;
  };
  CHECK_FALSE(api.clock_skew());
  script.clock_ahead(std::nullopt);
  script.on("GET", kPodPath).times(3).reply(an_object("web-0"));
  REQUIRE(api.get(api::kPods, kPod));
  CHECK_FALSE(api.clock_skew());
  script.clock_ahead(-1h);
  REQUIRE(api.get(api::kPods, kPod));
  CHECK(is_about(1h));
  script.clock_ahead(std::nullopt);
  REQUIRE(api.get(api::kPods, kPod));
  CHECK(is_about(1h));
  script.clock_ahead(1h);
  SECTION("a refusal tells it too") {
    script.on("GET", kPodPath).reply(403);
    CHECK_FALSE(api.get(api::kPods, kPod));
  }
  SECTION("and so does a watch") {
    script.on("GET", kPodsPath, "watch=true").stream({});
    REQUIRE(api.watch(api::kPods, "demo", {}, [](const WatchEvent&) { return true; }));
  }
  CHECK(is_about(-1h));
}

TEST_CASE("a list is read page by page and each item knows its kind", "[kube][api]") {
  ApiScript script;
  Json bare = an_object("a");
  bare.erase("kind");
  bare.erase("apiVersion");
  script.on("GET", kPodsPath, "limit=500&labelSelector=app=web").reply(list_of({bare}, "7", "more"));
  script.on("GET", kPodsPath, "limit=500&labelSelector=app=web&continue=more").reply(list_of({bare, bare}, "7"));
  const Json list = Api(script.config()).list(api::kPods, "demo", {.label_selector = "app=web"}).value();
  CHECK(list["items"].size() == 3);
  CHECK(string_at(list["items"][2], {"kind"}) == "Pod");
  CHECK(string_at(list["items"][2], {"apiVersion"}) == "v1");
  CHECK(string_at(list, {"metadata", "resourceVersion"}) == "7");
}

TEST_CASE("a page that has expired makes the whole list expired", "[kube][api][F14][I19]") {
  ApiScript script;
  script.on("GET", kPodsPath).reply(list_of({an_object("a")}, "7", "more"));
  script.on("GET", kPodsPath, "continue=more").reply(410);
  CHECK(Api(script.config()).list(api::kPods, "demo").error().code == ErrorCode::expired);
}

TEST_CASE("a list from the server's memory is asked for in one piece", "[kube][api]") {
  ApiScript script;
  script.on("GET", "/api/v1/pods", "resourceVersion=0").reply(list_of({}, "7"));
  CHECK(Api(script.config()).list(api::kPods, "", {.from_cache = true}).has_value());
  CHECK_FALSE(script.calls().at(0).query.contains("limit"));
}

TEST_CASE("each kind of patch goes out with its media type", "[kube][api]") {
  ApiScript script;
  script.on("PATCH", kPodPath + std::string("/status")).reply(an_object("web-0"));
  script.on("PATCH", kPodPath).reply(an_object("web-0"));
  script.on("PATCH", kPodPath, "fieldManager=stash&force=true").reply(an_object("web-0"));
  script.on("POST", kPodsPath).reply(201, an_object("web-0"));
  Api api(script.config());
  const Json operations = Json::parse(R"([{"op": "add", "path": "/a", "value": 1}])");
  CHECK(api.merge_patch(api::kPods, kPod, {{"a", 1}}, "status").has_value());
  CHECK(api.json_patch(api::kPods, kPod, operations).has_value());
  CHECK(api.apply(api::kPods, kPod, an_object("web-0"), "stash").has_value());
  CHECK(api.create(api::kPods, "demo", an_object("web-0")).has_value());
  std::vector<std::string> types;
  for (const auto& call : script.calls()) types.push_back(call.headers.at("content-type"));
  CHECK(types == std::vector<std::string>{"application/merge-patch+json", "application/json-patch+json",
                                          "application/apply-patch+yaml", "application/json"});
  CHECK(script.calls().at(1).json() == operations);
}

TEST_CASE("a failed test of a JSON patch is a conflict, a rule that is broken is not", "[kube][api]") {
  Json broke_a_rule = status_of(422, "Invalid", "Pod \"web-0\" is invalid: spec: Forbidden");
  broke_a_rule["details"] = {{"kind", "Pod"}, {"causes", {{{"field", "spec"}}}}};
  const Json with_test = Json::parse(R"([{"op": "test", "path": "/a", "value": 1}])");
  const Json without = Json::parse(R"([{"op": "remove", "path": "/a"}])");
  ApiScript script;
  script.on("PATCH", kPodPath).refuse_test().times(2);
  script.on("PATCH", kPodPath).reply(422, broke_a_rule);
  Api api(script.config());
  CHECK(api.json_patch(api::kPods, kPod, with_test).error().code == ErrorCode::conflict);
  CHECK(api.json_patch(api::kPods, kPod, without).error().code == ErrorCode::invalid);
  CHECK(api.json_patch(api::kPods, kPod, with_test).error().code == ErrorCode::invalid);
}

TEST_CASE("a patch that others crowded out is sent again if its tests say when it holds", "[kube][api][F17][I7]") {
  const Json crowded = status_of(409, "Conflict", "the object has been modified; please apply your changes");
  const Json with_test = Json::parse(R"([{"op": "test", "path": "/a", "value": 1}])");
  const Json without = Json::parse(R"([{"op": "remove", "path": "/a"}])");
  ApiScript script;
  script.on("PATCH", kPodPath).reply(409, crowded).times(2);
  script.on("PATCH", kPodPath).reply(an_object("web-0"));
  script.on("PATCH", kPodPath).reply(409, crowded);
  script.on("PATCH", kPodPath).reply(409, crowded).times(6);
  Api api(script.config());
  CHECK(api.json_patch(api::kPods, kPod, with_test).has_value());
  CHECK(api.json_patch(api::kPods, kPod, without).error().code == ErrorCode::conflict);
  CHECK(api.json_patch(api::kPods, kPod, with_test).error().code == ErrorCode::conflict);
  CHECK(script.calls().size() == 10);
}

TEST_CASE("a deletion says how and whom", "[kube][api]") {
  ApiScript script;
  script.on("DELETE", kPodPath).reply(an_object("web-0"));
  script.on("DELETE", kPodPath).reply(409);
  Api api(script.config());
  CHECK(api.remove(api::kPods, kPod, {}).has_value());
  CHECK(api.remove(api::kPods, kPod, {.uid = "u1", .background = false}).error().code == ErrorCode::conflict);
  CHECK(script.calls().at(0).json() ==
        Json::parse(R"({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"})"));
  CHECK(script.calls().at(1).json() ==
        Json::parse(R"({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground",
                        "preconditions": {"uid": "u1"}})"));
}

TEST_CASE("a watch hands on each event and ends with the last version", "[kube][watch]") {
  ApiScript script;
  script.on("GET", kPodsPath, "watch=true&resourceVersion=100&allowWatchBookmarks=true&timeoutSeconds=290")
      .stream_events(
          {{"ADDED", an_object("a", "101")}, {"DELETED", an_object("b", "102")}, {"BOOKMARK", an_object("", "110")}});
  const Watched watched = watch(script);
  CHECK(watched.ended.value() == "110");
  CHECK(watched.seen ==
        decltype(watched.seen){{WatchType::added, "a"}, {WatchType::deleted, "b"}, {WatchType::bookmark, ""}});
}

TEST_CASE("a watch that cannot begin because its version is too old is expired", "[kube][watch][F14][I19]") {
  ApiScript script;
  script.on("GET", kPodsPath, "watch=true").reply(410);
  CHECK(watch(script).ended.error().code == ErrorCode::expired);
}

TEST_CASE("an ERROR event ends the watch as that error, after the events before it", "[kube][watch][F14][I19]") {
  ApiScript script;
  script.on("GET", kPodsPath, "watch=true")
      .stream_events(
          {{"ADDED", an_object("a", "101")}, {"ERROR", status_of(410, "Expired", "too old resource version")}});
  const Watched watched = watch(script);
  CHECK(watched.ended.error() == Error{ErrorCode::expired, "watch pods in demo: too old resource version"});
  CHECK(watched.seen.size() == 1);
}

TEST_CASE("a watch that is cut is unreachable, and half an event is no event", "[kube][watch][F15][I19]") {
  ApiScript script;
  const std::string line = dump_json({{"type", "ADDED"}, {"object", an_object("a", "101")}});
  script.on("GET", kPodsPath, "watch=true").stream({line + "\n" + line.substr(0, 20)}).then_cut();
  const Watched watched = watch(script);
  CHECK(watched.ended.error().code == ErrorCode::unreachable);
  CHECK(watched.seen.size() == 1);
}

TEST_CASE("a line that is no event ends the watch, for nothing after it can be trusted", "[kube][watch]") {
  ApiScript script;
  script.on("GET", kPodsPath, "watch=true").stream({"<html>\n"}).then_hang();
  CHECK(watch(script).ended.error().code == ErrorCode::invalid);
}

TEST_CASE("the reader of a watch may end it", "[kube][watch]") {
  ApiScript script;
  script.on("GET", kPodsPath, "watch=true").stream_events({{"ADDED", an_object("a", "101")}}).then_hang();
  Api api(script.config());
  CHECK(api.watch(api::kPods, "demo", {.resource_version = "100"}, [](const WatchEvent&) { return false; }).value() ==
        "101");
}

TEST_CASE("a silent watch ends when it is cancelled", "[kube][watch]") {
  ApiScript script;
  script.on("GET", kPodsPath, "watch=true").stream({}).then_hang().always();
  Api api(script.config());
  int asked = 0;
  api.set_cancel([&asked] { return ++asked > 3; });
  const auto ended = api.watch(api::kPods, "demo", {.resource_version = "100"}, [](const WatchEvent&) { return true; });
  CHECK(ended.error().code == ErrorCode::cancelled);
}
