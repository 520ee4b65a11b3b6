#include "unit/support/api_script.h"

#include <catch2/catch.hpp>

#include "base/http.h"

using namespace stash;

namespace {

HttpResponse ask(const ApiScript& api, const std::string& target, const std::string& method = "GET",
                 const std::string& body = "") {
  HttpClient client({});
  return client.send({.method = method, .url = api.config().server + target, .body = body}).value();
}

}  // namespace

TEST_CASE("a call outside the script fails with its method, target and body", "[kube][script]") {
  ApiScript api;
  CHECK(ask(api, "/a?b=c", "POST", "text").status == 500);
  CHECK(api.take_failures() == std::vector<std::string>{"call outside the script: POST /a?b=c text"});
}

TEST_CASE("a scripted call that never came fails", "[kube][script]") {
  ApiScript api;
  api.on("GET", "/a");
  CHECK_FALSE(api.wait_until_done(std::chrono::milliseconds(0)));
  CHECK(api.take_failures() == std::vector<std::string>{"scripted call never came: GET /a"});
}

TEST_CASE("steps of one path come in order, other paths do not matter", "[kube][script]") {
  ApiScript api;
  api.on("GET", "/a").reply_raw(200, "first");
  api.on("GET", "/b").reply_raw(200, "other");
  api.on("GET", "/a").reply_raw(200, "second").times(2);
  CHECK(ask(api, "/a").body == "first");
  CHECK(ask(api, "/a").body == "second");
  CHECK(ask(api, "/b").body == "other");
  CHECK(ask(api, "/a").body == "second");
  CHECK(api.wait_until_done());
}

TEST_CASE("a step takes only calls that have its query", "[kube][script]") {
  ApiScript api;
  api.on("GET", "/a", "watch=true&version=1").reply_raw(200, "watch");
  api.on("GET", "/a").always().reply_with([](const ApiScript::Call& call) {
    return ApiScript::Reply{.body = call.query.at("watch")};
  });
  CHECK(ask(api, "/a?watch=false").body == "false");
  CHECK(ask(api, "/a?version=1&more=x&watch=true").body == "watch");
  CHECK(ask(api, "/a?watch=true&version=1").body == "true");
}
