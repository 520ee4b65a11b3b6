#include "webhook/access_reviewer.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <thread>

#include "unit/support/api_script.h"

using namespace stash;
using namespace stash::webhook;
using namespace std::chrono_literals;

namespace {

constexpr const char* kPath = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const Json kJane = {{"username", "jane"}, {"groups", {"developers"}}};
const std::vector<Right> kTwo = {{"get", "", "secrets", "", "s", "demo"}, {"create", "", "pods", "", "", "demo"}};
const std::vector<Right> kOne = {{"create", "", "pods", "", "", "demo"}};

Json answer(bool allowed) { return {{"status", {{"allowed", allowed}}}}; }

}  // namespace

TEST_CASE("each right is asked for by itself, in order", "[webhook][reviewer]") {
  ApiScript api;
  api.on("POST", kPath).reply(201, answer(true));
  api.on("POST", kPath).reply(201, answer(false));
  AccessReviewer reviewer(api.config());
  CHECK(reviewer.ask(kJane, kTwo) == std::vector{true, false});
  REQUIRE(api.calls().size() == 2);
  CHECK(api.calls()[0].json() == encode_access_review(kJane, kTwo[0]));
  CHECK(api.calls()[1].json() == encode_access_review(kJane, kTwo[1]));
}

TEST_CASE("an API server that fails or refuses gives no answer, and the next question is asked anew",
          "[webhook][reviewer]") {
  ApiScript api;
  api.on("POST", kPath).reply(403, status_of(403, "Forbidden", "subjectaccessreviews is forbidden"));
  api.on("POST", kPath).reply(201, Json::object());
  api.on("POST", kPath).reply(201, answer(true));
  AccessReviewer reviewer(api.config());
  CHECK(reviewer.ask(kJane, kOne).error().code == ErrorCode::denied);
  CHECK(reviewer.ask(kJane, kOne).error().code == ErrorCode::invalid);
  CHECK(reviewer.ask(kJane, kOne) == std::vector{true});
}

TEST_CASE("a silent API server is given up at the deadline", "[webhook][reviewer]") {
  ApiScript api;
  api.on("POST", kPath).then_hang();
  AccessReviewer reviewer(api.config(), {.deadline = 50ms});
  const auto has = reviewer.ask(kJane, kOne);
  REQUIRE_FALSE(has);
  CHECK(has.error() == Error{ErrorCode::timed_out, "the API server did not answer in time"});
}

TEST_CASE("no more connections are used than allowed, and more callers than that are turned away at once",
          "[webhook][reviewer]") {
  std::latch both_asked(2), go_on(1);
  ApiScript api;
  api.on("POST", kPath)
      .reply(201, answer(true))
      .before([&] {
        both_asked.count_down();
        go_on.wait();
      })
      .times(2);
  AccessReviewer reviewer(api.config(), {.connections = 2, .callers = 2, .deadline = 60s});
  std::atomic<int> yes{0};
  std::vector<std::jthread> callers;
  for (int i = 0; i < 2; ++i) {
    callers.emplace_back([&] { yes += reviewer.ask(kJane, kOne) == std::vector{true}; });
  }
  both_asked.wait();
  CHECK(reviewer.ask(kJane, kOne).error() == Error{ErrorCode::timed_out, "too many are asked for at once"});
  go_on.count_down();
  callers.clear();
  CHECK(yes == 2);
}

TEST_CASE("callers share the connections, and wait for one", "[webhook][reviewer]") {
  std::mutex mutex;
  std::condition_variable changed;
  int at_work = 0, most = 0;
  ApiScript api;
  api.on("POST", kPath)
      .reply(201, answer(true))
      .before([&] {
        std::unique_lock lock(mutex);
        most = std::max(most, ++at_work);
        changed.notify_all();
        // Time for a third one, which must not come.
        changed.wait_for(lock, 50ms, [&] { return at_work > 2; });
        --at_work;
      })
      .times(6);
  AccessReviewer reviewer(api.config(), {.connections = 2, .deadline = 60s});
  std::atomic<int> yes{0};
  std::vector<std::jthread> callers;
  for (int i = 0; i < 6; ++i) {
    callers.emplace_back([&] { yes += reviewer.ask(kJane, kOne) == std::vector{true}; });
  }
  callers.clear();
  CHECK(yes == 6);
  CHECK(most == 2);
}
