#include "kube/watch_event.h"

#include <catch2/catch.hpp>

#include "unit/support/api_script.h"

using namespace stash;
using kube::decode_watch_event;
using kube::WatchType;

namespace {

std::string line(std::string_view type, const Json& object) { return dump_json({{"type", type}, {"object", object}}); }

ErrorCode code_of(std::string_view text) { return decode_watch_event(text, "watch pods").error().code; }

}  // namespace

TEST_CASE("the four types of watch events are told apart", "[kube][watch]") {
  const std::pair<const char*, WatchType> table[] = {{"ADDED", WatchType::added},
                                                     {"MODIFIED", WatchType::modified},
                                                     {"DELETED", WatchType::deleted},
                                                     {"BOOKMARK", WatchType::bookmark}};
  for (const auto& [name, type] : table) {
    const auto event = decode_watch_event(line(name, an_object("a")), "watch pods");
    CHECK(event->type == type);
    CHECK(event->object == an_object("a"));
  }
}

TEST_CASE("an ERROR event is the error that its Status stands for", "[kube][watch]") {
  CHECK(decode_watch_event(line("ERROR", status_of(410, "Expired", "too old")), "watch pods").error() ==
        Error{ErrorCode::expired, "watch pods: too old"});
  CHECK(code_of(line("ERROR", status_of(400, "Expired", "too old"))) == ErrorCode::expired);
  CHECK(code_of(line("ERROR", status_of(403, "Forbidden", "no"))) == ErrorCode::denied);
  CHECK(code_of(line("ERROR", status_of(429, "TooManyRequests", "no"))) == ErrorCode::throttled);
  CHECK(code_of(line("ERROR", Json::object())) == ErrorCode::unreachable);
}

TEST_CASE("what is no watch event is invalid", "[kube][watch]") {
  for (const std::string& bad :
       {std::string("{"), std::string("[]"), std::string("{}"), line("ADDED", 5), line("ADDED", nullptr),
        line("RENAMED", an_object("a")), std::string(R"({"type":7,"object":{}})")}) {
    INFO(bad);
    CHECK(code_of(bad) == ErrorCode::invalid);
  }
}
