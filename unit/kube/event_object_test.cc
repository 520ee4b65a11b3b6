#include "kube/event_object.h"

#include <catch2/catch.hpp>

#include "kube/events.h"
#include "unit/support/api_script.h"
#include "unit/support/fake_clock.h"

using namespace stash;
using kube::event_object;

namespace {

const Json kSession = {
    {"apiVersion", "stash.appscode.com/v1beta1"},
    {"kind", "BackupSession"},
    {"metadata", {{"name", "app-1"}, {"namespace", "demo"}, {"uid", "u1"}, {"resourceVersion", "7"}}}};

Json event(const Json& object, std::string_view message = "text") {
  return event_object(object, "Warning", "Failed", message, "stash-controller",
                      FakeClock("2026-11-23T10:25:06Z").now());
}

}  // namespace

TEST_CASE("an event points at its object and says who, when and what", "[kube][event]") {
  Json made = event(kSession);
  CHECK(string_at(made, {"metadata", "name"}).starts_with("app-1."));
  made["metadata"].erase("name");
  CHECK(made == Json::parse(R"({
    "apiVersion": "v1", "kind": "Event", "metadata": {"namespace": "demo"},
    "involvedObject": {"apiVersion": "stash.appscode.com/v1beta1", "kind": "BackupSession", "name": "app-1",
                       "namespace": "demo", "uid": "u1", "resourceVersion": "7"},
    "type": "Warning", "reason": "Failed", "message": "text", "count": 1,
    "source": {"component": "stash-controller"}, "reportingComponent": "stash-controller", "reportingInstance": "",
    "firstTimestamp": "2026-11-23T10:25:06Z", "lastTimestamp": "2026-11-23T10:25:06Z"})"));
}

TEST_CASE("an event on a cluster-scoped object lands in the default namespace", "[kube][event]") {
  const Json made = event({{"kind", "Namespace"}, {"metadata", {{"name", "demo"}}}});
  CHECK(string_at(made, {"metadata", "namespace"}) == "default");
  CHECK(at(made, {"involvedObject", "namespace"}) == nullptr);
}

TEST_CASE("a message is cut at 1,024 bytes, never inside a character", "[kube][event]") {
  CHECK(string_at(event(kSession, std::string(2'000, 'x')), {"message"}).size() == 1'024);
  std::string euros = "x";
  for (int i = 0; i < 500; ++i) euros += "\xe2\x82\xac";
  CHECK(string_at(event(kSession, euros), {"message"}).size() == 1'024);
  euros += "x";
  CHECK(string_at(event(kSession, euros.substr(1)), {"message"}).size() == 1'023);
}

TEST_CASE("two events at the same moment have two names within the limit", "[kube][event]") {
  Json session = kSession;
  session["metadata"]["name"] = std::string(253, 'n');
  const std::string one = string_at(event(session, "a"), {"metadata", "name"});
  CHECK(one != string_at(event(session, "b"), {"metadata", "name"}));
  CHECK(one.size() <= 253);
}

TEST_CASE("an event is posted to the namespace of its object", "[kube][event]") {
  ApiScript script;
  script.on("POST", "/api/v1/namespaces/demo/events").reply(201, Json::object());
  script.on("POST", "/api/v1/namespaces/demo/events").reply(403);
  kube::Api api(script.config());
  const auto record = [&api] {
    return kube::record_event(api, kSession, kube::EventType::normal, "Done", "text", "stash", FakeClock().now());
  };
  CHECK(record().has_value());
  CHECK(record().error().code == ErrorCode::denied);
  CHECK(string_at(script.calls().at(0).json(), {"type"}) == "Normal");
}
