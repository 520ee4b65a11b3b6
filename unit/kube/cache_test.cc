#include "kube/cache.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "unit/support/api_script.h"
#include "unit/support/fake_clock.h"

using namespace stash;
using kube::Cache;
using std::chrono::seconds;

namespace {

constexpr const char* kPath = "/api/v1/namespaces/demo/pods";
using Changes = std::vector<std::string>;

/// Collects what a cache reports, as "added a", "modified a", "deleted a".
class Log {
 public:
  Cache::OnChange writer() {
    return [this](const api::ObjectRef& ref, const Cache::Object& before, const Cache::Object& after) {
      const std::lock_guard lock(mutex_);
      changes_.push_back((!before ? "added " : !after ? "deleted " : "modified ") + ref.name);
      changed_.notify_all();
    };
  }
  Changes wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, seconds(10), [this, count] { return changes_.size() >= count; });
    return changes_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Changes changes_;
};

Cache pods(const ApiScript& script, Log& log, Cache::Options options = {}) {
  options.ns = "demo";
  return Cache(script.config(), api::kPods, std::move(options), log.writer());
}

}  // namespace

TEST_CASE("a cache holds what was listed and follows the watch from there", "[kube][cache]") {
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("a", "1"), an_object("b", "2")}, "100"));
  script.on("GET", kPath, "watch=true&resourceVersion=100")
      .stream_events(
          {{"ADDED", an_object("c", "101")}, {"MODIFIED", an_object("a", "102")}, {"DELETED", an_object("b", "103")}})
      .then_hang();
  Cache cache = pods(script, log);
  CHECK_FALSE(cache.synced());
  cache.start();
  CHECK(log.wait_for(5) == Changes{"added a", "added b", "added c", "modified a", "deleted b"});
  CHECK(cache.wait_synced(seconds(10)));
  CHECK(cache.size() == 2);
  CHECK(string_at(*cache.get({"demo", "a"}), {"metadata", "resourceVersion"}) == "102");
  CHECK(cache.get({"demo", "b"}) == nullptr);
  CHECK(cache.refs("demo") == std::vector<api::ObjectRef>{{"demo", "a"}, {"demo", "c"}});
  CHECK(cache.refs("other").empty());
  CHECK(cache.contains({"demo", "a"}));
  CHECK_FALSE(cache.contains({"demo", "b"}));
}

TEST_CASE("a watch lists again after 410 and reports what vanished meanwhile", "[kube][cache][F14][I19]") {
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100")
      .reply(list_of({an_object("a", "1"), an_object("b", "2"), an_object("c", "3")}, "100"));
  script.on("GET", kPath, "watch=true&resourceVersion=100").reply(410);
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("b", "2"), an_object("c", "30")}, "140"));
  script.on("GET", kPath, "watch=true&resourceVersion=140").stream({}).then_hang();
  Cache cache = pods(script, log);
  cache.start();
  CHECK(log.wait_for(5) == Changes{"added a", "added b", "added c", "deleted a", "modified c"});
  CHECK(script.wait_until_done());
}

TEST_CASE("what a relist finds unchanged stays the object that it was", "[kube][cache]") {
  // Else all that lives long would move in the heap at every relist, and leave holes.
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("a", "1"), an_object("b", "2")}, "100"));
  script.on("GET", kPath, "watch=true&resourceVersion=100").reply(410);
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("a", "1"), an_object("b", "20")}, "140"));
  script.on("GET", kPath, "watch=true&resourceVersion=140").stream({}).then_hang();
  Cache::Object a;
  Cache* held = nullptr;
  Cache cache = pods(script, log, {.keys = [&](const Json& object) {
                       if (string_at(object, {"metadata", "resourceVersion"}) == "20") a = held->get({"demo", "a"});
                       return std::vector<std::string>();
                     }});
  held = &cache;
  cache.start();
  CHECK(log.wait_for(3) == Changes{"added a", "added b", "modified b"});
  CHECK(script.wait_until_done());
  REQUIRE(a);
  CHECK(cache.get({"demo", "a"}) == a);
}

TEST_CASE("an ERROR event with 410 in the stream lists again too", "[kube][cache][F14][I19]") {
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("a", "1")}, "100"));
  script.on("GET", kPath, "watch=true&resourceVersion=100")
      .stream_events({{"ERROR", status_of(410, "Expired", "old")}});
  script.on("GET", kPath, "limit=100").reply(list_of({}, "140"));
  script.on("GET", kPath, "watch=true&resourceVersion=140").stream({}).then_hang();
  Cache cache = pods(script, log);
  cache.start();
  CHECK(log.wait_for(2) == Changes{"added a", "deleted a"});
  CHECK(script.wait_until_done());
}

TEST_CASE("a cut watch goes on from the last event without listing again, and repeats are not reported",
          "[kube][cache]") {
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100").reply(list_of({}, "100"));
  script.on("GET", kPath, "watch=true&resourceVersion=100")
      .stream_events({{"ADDED", an_object("a", "101")}})
      .then_cut();
  script.on("GET", kPath, "watch=true&resourceVersion=101")
      .stream_events({{"ADDED", an_object("a", "101")}, {"ADDED", an_object("b", "102")}})
      .then_hang();
  Cache cache = pods(script, log);
  cache.start();
  CHECK(log.wait_for(2) == Changes{"added a", "added b"});
}

TEST_CASE("a bookmark moves the place where the next watch begins", "[kube][cache]") {
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100").reply(list_of({}, "100"));
  script.on("GET", kPath, "watch=true&resourceVersion=100").stream_events({{"BOOKMARK", an_object("", "200")}});
  script.on("GET", kPath, "watch=true&resourceVersion=200").stream({}).then_hang();
  Cache cache = pods(script, log);
  cache.start();
  CHECK(script.wait_until_done());
  CHECK(log.wait_for(0).empty());
}

TEST_CASE("an object without a name hides no other", "[kube][cache]") {
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100").reply(list_of({Json{{"metadata", 5}}, 7, an_object("a", "1")}, "100"));
  script.on("GET", kPath, "watch=true&resourceVersion=100")
      .stream_events({{"ADDED", Json::object()}, {"ADDED", an_object("b", "101")}})
      .then_hang();
  Cache cache = pods(script, log);
  cache.start();
  CHECK(log.wait_for(2) == Changes{"added a", "added b"});
}

TEST_CASE("a line that cannot be read makes the cache list again, so that nothing is missed",
          "[kube][cache][F15][I19]") {
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100").reply(list_of({}, "100"));
  script.on("GET", kPath, "watch=true&resourceVersion=100").stream({"{\"type\":\"ADDED\"\n"}).then_hang();
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("a", "101")}, "101"));
  script.on("GET", kPath, "watch=true&resourceVersion=101").stream({}).then_hang();
  Cache cache = pods(script, log);
  cache.start();
  CHECK(log.wait_for(1) == Changes{"added a"});
  CHECK(script.wait_until_done());
}

TEST_CASE("managed fields are never kept, nor what the owner trims", "[kube][cache]") {
  ApiScript script;
  Log log;
  Json object = an_object("a", "1");
  object["metadata"]["managedFields"] = {{{"manager", "x"}}};
  object["spec"] = {{"big", "text"}};
  script.on("GET", kPath, "limit=100").reply(list_of({object}, "100"));
  script.on("GET", kPath, "watch=true").stream({}).then_hang();
  Cache cache = pods(script, log, {.trim = [](Json& pod) { pod.erase("spec"); }});
  cache.start();
  log.wait_for(1);
  CHECK(*cache.get({"demo", "a"}) == an_object("a", "1"));
  CHECK(script.wait_until_done());
}

TEST_CASE("of what was reported a cache keeps the version alone, if it is asked to, and still reports each change once",
          "[kube][cache]") {
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("a", "1"), an_object("b", "2")}, "100"));
  script.on("GET", kPath, "watch=true&resourceVersion=100")
      .stream_events({{"MODIFIED", an_object("b", "2")}, {"MODIFIED", an_object("a", "101")}})
      .then_cut();
  script.on("GET", kPath, "watch=true&resourceVersion=101").reply(410);
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("b", "2"), an_object("c", "3")}, "140"));
  script.on("GET", kPath, "watch=true&resourceVersion=140").stream({}).then_hang();
  Cache cache = pods(script, log, {.keep = Cache::Keep::versions});
  cache.start();
  CHECK(log.wait_for(5) == Changes{"added a", "added b", "modified a", "deleted a", "added c"});
  CHECK(script.wait_until_done());
  CHECK(*cache.get({"demo", "b"}) == Json{{"metadata", {{"resourceVersion", "2"}}}});
}

TEST_CASE("a cache that packs its objects reports and finds them as they are", "[kube][cache]") {
  ApiScript script;
  Log log;
  const auto colored = [](const char* name, const char* version, const char* color) {
    Json object = an_object(name, version);
    object["metadata"]["labels"] = {{"color", color}, {"text", "\u00fcber \u20ac\n"}};
    object["spec"] = {{"numbers", {1, -2, 18446744073709551615u, 0.1, 1e300}}, {"nothing", nullptr}};
    return object;
  };
  script.on("GET", kPath, "limit=100").reply(list_of({colored("a", "1", "red"), colored("b", "2", "red")}, "100"));
  script.on("GET", kPath, "watch=true&resourceVersion=100")
      .stream_events({{"MODIFIED", colored("a", "1", "red")},
                      {"MODIFIED", colored("a", "101", "blue")},
                      {"DELETED", colored("b", "102", "red")},
                      {"ADDED", colored("c", "103", "red")}})
      .then_hang();
  Json before_blue;
  Cache cache(script.config(), api::kPods,
              {.ns = "demo",
               .keys = [](const Json& object) -> std::vector<std::string> {
                 return {string_at(object, {"metadata", "labels", "color"})};
               },
               .keep = Cache::Keep::packed},
              [&, write = log.writer()](const auto& ref, const auto& before, const auto& after) {
                if (before && after) before_blue = *before;
                write(ref, before, after);
              });
  cache.start();
  CHECK(log.wait_for(5) == Changes{"added a", "added b", "modified a", "deleted b", "added c"});
  CHECK(before_blue == colored("a", "1", "red"));
  REQUIRE(cache.get({"demo", "a"}));
  CHECK(*cache.get({"demo", "a"}) == colored("a", "101", "blue"));
  CHECK(cache.get({"demo", "b"}) == nullptr);
  CHECK(cache.refs_with_key("", "red") == std::vector<api::ObjectRef>{{"demo", "c"}});
  CHECK(cache.with_key("demo", "blue").size() == 1);
  std::vector<Json> all;
  cache.for_each("demo", [&](const api::ObjectRef&, const Json& object) { all.push_back(object); });
  CHECK(all == std::vector<Json>{colored("a", "101", "blue"), colored("c", "103", "red")});
}

TEST_CASE("of packed objects those that are looked at all the time may be whole", "[kube][cache]") {
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("a", "1"), an_object("b", "2")}, "100"));
  script.on("GET", kPath, "watch=true").stream({}).then_hang();
  Cache cache = pods(script, log, {.keep = Cache::Keep::packed, .whole = [](const Json& object) {
                                     return string_at(object, {"metadata", "name"}) == "a";
                                   }});
  cache.start();
  REQUIRE(log.wait_for(2).size() == 2);
  CHECK(cache.get({"demo", "a"}) == cache.get({"demo", "a"}));
  CHECK(cache.get({"demo", "b"}) != cache.get({"demo", "b"}));
  CHECK(*cache.get({"demo", "b"}) == an_object("b", "2"));
  CHECK(script.wait_until_done());
}

TEST_CASE("a cache is synced when all of the first list was reported, page by page", "[kube][cache]") {
  ApiScript script;
  Log log;
  Json first_page = list_of({an_object("a", "1")}, "100");
  first_page["metadata"]["continue"] = "more";
  script.on("GET", kPath, "limit=100").reply(first_page);
  bool first_was_told = false, synced_between = true;
  Cache* self = nullptr;
  script.on("GET", kPath, "limit=100&continue=more").reply(list_of({an_object("b", "2")}, "100")).before([&] {
    first_was_told = log.wait_for(1) == Changes{"added a"};
    synced_between = self->synced();
  });
  script.on("GET", kPath, "watch=true&resourceVersion=100").stream({}).then_hang();
  std::atomic<bool> synced_while_telling{false};
  Cache cache(script.config(), api::kPods, {.ns = "demo"},
              [&, write = log.writer()](const auto& ref, const auto& before, const auto& after) {
                if (self->synced()) synced_while_telling = true;
                write(ref, before, after);
              });
  self = &cache;
  cache.start();
  CHECK(cache.wait_synced(seconds(10)));
  CHECK(log.wait_for(0) == Changes{"added a", "added b"});
  CHECK(script.wait_until_done());
  CHECK(first_was_told);
  CHECK_FALSE(synced_between);
  CHECK_FALSE(synced_while_telling);
}

TEST_CASE("a list that ends in the middle loses nothing and drops nothing", "[kube][cache][F14][I19]") {
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("a", "1"), an_object("b", "2")}, "100"));
  script.on("GET", kPath, "watch=true&resourceVersion=100").reply(410);
  Json first_page = list_of({an_object("a", "11")}, "140");
  first_page["metadata"]["continue"] = "more";
  script.on("GET", kPath, "limit=100").reply(first_page);
  script.on("GET", kPath, "limit=100&continue=more").reply(410);
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("a", "11"), an_object("b", "2")}, "150"));
  script.on("GET", kPath, "watch=true&resourceVersion=150").stream({}).then_hang();
  Cache cache = pods(script, log);
  cache.start();
  CHECK(script.wait_until_done());
  CHECK(log.wait_for(3) == Changes{"added a", "added b", "modified a"});
  CHECK(cache.size() == 2);
}

TEST_CASE("a trim that fails leaves the object whole", "[kube][cache]") {
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("a", "1")}, "100"));
  script.on("GET", kPath, "watch=true").stream({}).then_hang();
  Cache cache = pods(script, log, {.trim = [](Json& pod) { std::ignore = pod.at("nothing"); }});
  cache.start();
  CHECK(log.wait_for(1) == Changes{"added a"});
  CHECK(script.wait_until_done());
}

TEST_CASE("a cache knows for how long it has heard nothing, and that a watch without events is accepted",
          "[kube][cache][F16][I19]") {
  ApiScript script;
  Log log;
  FakeClock clock;
  std::atomic<bool> silent_before_watch{false};
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("a", "1")}, "100"));
  Cache cache = pods(script, log, {.clock = &clock});
  script.on("GET", kPath, "watch=true").stream({}).then_hang().before([&] {
    clock.advance(seconds(100));
    silent_before_watch = cache.silence() == seconds(100);
  });
  cache.start();
  CHECK(script.wait_until_done());
  for (int i = 0; i < 1000 && cache.silence() != seconds(0); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(silent_before_watch);
  CHECK(cache.silence() == seconds(0));
  clock.advance(seconds(50));
  CHECK(cache.silence() == seconds(50));
}

TEST_CASE("a list that fails is asked for again", "[kube][cache][F19][I19]") {
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100").reply(500);
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("a", "1")}, "100"));
  script.on("GET", kPath, "watch=true").stream({}).then_hang();
  Cache cache = pods(script, log);
  cache.start();
  CHECK(log.wait_for(1) == Changes{"added a"});
  CHECK(script.wait_until_done());
}

TEST_CASE("selectors go with the list and with the watch", "[kube][cache]") {
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100&labelSelector=a=b&fieldSelector=metadata.name=x").reply(list_of({}, "100"));
  script.on("GET", kPath, "watch=true&labelSelector=a=b&fieldSelector=metadata.name=x").stream({}).then_hang();
  Cache cache = pods(script, log, {.label_selector = "a=b", .field_selector = "metadata.name=x"});
  cache.start();
  CHECK(script.wait_until_done());
}

TEST_CASE("the change is visible and no lock is held when it is reported", "[kube][cache]") {
  ApiScript script;
  script.on("GET", kPath, "limit=100").reply(list_of({an_object("a", "1")}, "100"));
  script.on("GET", kPath, "watch=true").stream({}).then_hang();
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<bool> visible;
  Cache* self = nullptr;
  Cache cache(script.config(), api::kPods, {.ns = "demo"}, [&](const auto& ref, const auto&, const auto& after) {
    const std::lock_guard lock(mutex);
    visible = self->get(ref) == after;
    changed.notify_all();
  });
  self = &cache;
  cache.start();
  std::unique_lock lock(mutex);
  changed.wait_for(lock, seconds(10), [&visible] { return visible.has_value(); });
  CHECK(visible == true);
  lock.unlock();
  CHECK(script.wait_until_done());
}

TEST_CASE("a cache that never started ends at once", "[kube][cache]") {
  const ApiScript script;
  Log log;
  const Cache cache = pods(script, log);
  CHECK_FALSE(cache.wait_synced(std::chrono::milliseconds(0)));
}

TEST_CASE("a cache finds objects under keys that follow their content", "[kube][cache]") {
  ApiScript script;
  Log log;
  const auto colored = [](const char* name, const char* version, const char* color) {
    Json object = an_object(name, version);
    object["metadata"]["labels"] = {{"color", color}};
    return object;
  };
  script.on("GET", kPath, "limit=100").reply(list_of({colored("a", "1", "red"), colored("b", "2", "blue")}, "100"));
  script.on("GET", kPath, "watch=true&resourceVersion=100")
      .stream_events({{"ADDED", colored("c", "101", "red")},
                      {"MODIFIED", colored("b", "102", "red")},
                      {"MODIFIED", colored("a", "103", "blue")},
                      {"DELETED", colored("c", "104", "red")}})
      .then_hang();
  Cache cache = pods(script, log, {.keys = [](const Json& object) {
                       return std::vector<std::string>{"all", string_at(object, {"metadata", "labels", "color"})};
                     }});
  const auto names = [&](std::string_view key, std::string_view ns = "demo") {
    std::vector<std::string> found;
    for (const auto& object : cache.with_key(ns, key)) found.push_back(string_at(*object, {"metadata", "name"}));
    return found;
  };
  CHECK(names("red").empty());
  cache.start();
  REQUIRE(log.wait_for(6).size() == 6);
  CHECK(names("red") == std::vector<std::string>{"b"});
  CHECK(names("blue") == std::vector<std::string>{"a"});
  CHECK(names("all") == std::vector<std::string>{"a", "b"});
  CHECK(names("re").empty());
  CHECK(names("red", "other").empty());
}

TEST_CASE("an optional kind that may not be read holds nothing up", "[kube][cache][F20][F84][I19]") {
  ApiScript script;
  Log log;
  script.on("GET", kPath, "limit=100").always().reply(403);
  Cache optional = pods(script, log, {.may_be_unserved = true});
  optional.start();
  CHECK(optional.wait_synced(seconds(10)));
  Cache needed = pods(script, log);
  needed.start();
  CHECK_FALSE(needed.wait_synced(std::chrono::milliseconds(300)));
}
