#include <catch2/catch.hpp>

#include "controller/heartbeat_book.h"
#include "controller/nudge_book.h"
#include "controller/session_clock.h"
#include "support/fake_clock.h"

using namespace stash;
using namespace stash::controller;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

Json claimed_by(const std::string& pod, const std::string& heartbeat) {
  return {{{"hostname", "host-0"}, {"phase", "Running"}, {"claim", {{"podUID", pod}, {"heartbeatTime", heartbeat}}}}};
}

}  // namespace

TEST_CASE("a claim is silent since it was last seen to change, whatever its own times say", "[controller][books]") {
  FakeClock clock;
  HeartbeatBook book(clock);
  CHECK(book.silent_for("s", claimed_by("u1", "1999-01-01T00:00:00Z")) ==
        std::map<std::string, seconds>{{"host-0", seconds(0)}});
  clock.advance(minutes(10));
  CHECK(book.silent_for("s", claimed_by("u1", "1999-01-01T00:00:00Z")).at("host-0") == minutes(10));
  CHECK(book.silent_for("s", claimed_by("u1", "2099-01-01T00:00:00Z")).at("host-0") == seconds(0));
  clock.advance(minutes(1));
  CHECK(book.silent_for("s", claimed_by("u2", "2099-01-01T00:00:00Z")).at("host-0") == seconds(0));
}

TEST_CASE("a jump of the wall clock makes no claim look silent", "[controller][books][F52][I7]") {
  FakeClock clock;
  HeartbeatBook book(clock);
  book.silent_for("s", claimed_by("u1", "t"));
  clock.set_wall("2036-01-01T00:00:00Z");
  CHECK(book.silent_for("s", claimed_by("u1", "t")).at("host-0") == seconds(0));
}

TEST_CASE("nudges are counted until the workload has been at rest for five minutes", "[controller][books]") {
  FakeClock clock;
  NudgeBook book(clock);
  CHECK(book.look("demo/web") == Nudges{});
  book.nudged("demo/web", "inject", "");
  clock.advance(seconds(7));
  CHECK(book.look("demo/web") == Nudges{1, 1, seconds(7), "", "inject"});
  // Somebody takes the sidecar away again and again: a fight must slow down although each nudge worked.
  book.at_rest("demo/web");
  book.nudged("demo/web", "inject", "refused");
  CHECK(book.look("demo/web") == Nudges{1, 2, seconds(0), "refused", "inject"});
  book.at_rest("demo/web");
  clock.advance(minutes(5));
  CHECK(book.look("demo/web") == Nudges{});
  book.nudged("demo/web", "inject", "");
  CHECK(book.look("demo/web").count == 1);
}

TEST_CASE("a BackupConfiguration is gone since it was first missed, and one that comes back was never away",
          "[controller][books][F82][I4]") {
  FakeClock clock;
  NudgeBook book(clock);
  CHECK(book.gone_for("demo/web", {}) == seconds::max());
  CHECK(book.gone_for("demo/web", {"a"}) == seconds(0));
  clock.advance(seconds(7));
  CHECK(book.gone_for("demo/web", {"a"}) == seconds(7));
  CHECK(book.gone_for("demo/other", {"a"}) == seconds(0));
  CHECK(book.gone_for("demo/web", {"a", "b"}) == seconds(0));
  clock.advance(seconds(7));
  CHECK(book.gone_for("demo/web", {"a"}) == seconds(14));
  CHECK(book.gone_for("demo/web", {}) == seconds::max());
  CHECK(book.gone_for("demo/web", {"a"}) == seconds(0));
}

TEST_CASE("another change of the workload is counted anew", "[controller][books]") {
  FakeClock clock;
  NudgeBook book(clock);
  book.nudged("demo/web", "inject", "");
  book.nudged("demo/web", "inject", "");
  CHECK(book.look("demo/web").in_vain == 2);
  book.nudged("demo/web", "restore", "");
  CHECK(book.look("demo/web") == Nudges{1, 1, seconds(0), "", "restore"});
}

TEST_CASE("workloads that come and go leave nothing behind in the book of nudges", "[controller][books]") {
  FakeClock clock;
  NudgeBook book(clock);
  for (int i = 0; i < 100; ++i) {
    const std::string name = "demo/web-" + std::to_string(i);
    book.nudged(name, "inject", "");
    book.at_rest(name);  // as when it is up to date, and again when it is gone
    book.at_rest(name);
    clock.advance(minutes(1));
  }
  CHECK(book.size() <= 6);
}

TEST_CASE("workloads that go while the webhook is away leave nothing behind either", "[controller][books]") {
  FakeClock clock;
  NudgeBook book(clock);
  book.nudged("demo/other", "inject", "");
  for (int i = 0; i < 100; ++i) book.nudged("demo/web-" + std::to_string(i), "inject", "refused");
  for (int i = 0; i < 100; ++i) book.gone("demo/web-" + std::to_string(i));
  // That they went is no answer of the webhook.
  CHECK(book.look("demo/other").count == 1);
  clock.advance(minutes(6));
  book.at_rest("demo/none");
  CHECK(book.size() == 1);
}

TEST_CASE("while the webhook cannot be reached one workload asks for all, every 15 s, and not always the same",
          "[controller][books][F60][I8][I20]") {
  FakeClock clock;
  NudgeBook book(clock);
  for (const char* workload : {"demo/a", "demo/b"}) book.nudged(workload, "inject", "");
  clock.advance(seconds(14));
  CHECK_FALSE(book.look("demo/a").asks_for_all);
  clock.advance(seconds(1));
  CHECK(book.look("demo/a").asks_for_all);
  CHECK_FALSE(book.look("demo/b").asks_for_all);
  clock.advance(seconds(5));
  CHECK(book.look("demo/b").asks_for_all);
  book.nudged("demo/a", "inject", "");
  CHECK_FALSE(book.look("demo/a").asks_for_all);
  CHECK_FALSE(book.look("demo/b").asks_for_all);
}

TEST_CASE("when the webhook answers one workload, the others need not wait for their turn",
          "[controller][books][F60][F87][I8]") {
  FakeClock clock;
  NudgeBook book(clock);
  for (int i = 0; i < 9; ++i) {
    for (const char* workload : {"demo/a", "demo/b"}) book.nudged(workload, "inject", "");
  }
  clock.advance(minutes(1));
  SECTION("one came back injected") {
    book.nudged("demo/a", "inject", "");
    clock.advance(seconds(1));
    book.at_rest("demo/a");
    CHECK(book.look("demo/b") == Nudges{});
    clock.advance(seconds(1));
    book.nudged("demo/b", "inject", "");  // in vain all the same: it is not the webhook's reach
    CHECK(book.look("demo/b").count == 10);
  }
  SECTION("one needs nothing any more, for a reason of its own") {
    book.at_rest("demo/a");
    CHECK(book.look("demo/b").count == 9);
  }
}

TEST_CASE("a workload whose writes are refused, or that somebody fights over, does not ask for all",
          "[controller][books][F86][I4]") {
  FakeClock clock;
  NudgeBook book(clock);
  book.nudged("demo/refused", "inject", "denied");
  book.nudged("demo/fought-over", "inject", "");
  book.at_rest("demo/fought-over");
  clock.advance(minutes(1));
  CHECK_FALSE(book.look("demo/refused").asks_for_all);
  CHECK_FALSE(book.look("demo/fought-over").asks_for_all);
}

TEST_CASE("a session's clock starts with the wall clock and then only counts", "[controller][books][F52][I6]") {
  FakeClock clock("2026-11-23T10:00:00Z");
  SessionClock sessions(clock);
  const TimePoint first = sessions.now("s", "u1");
  CHECK(first == clock.now());
  clock.set_wall("2026-11-23T11:00:00Z");
  CHECK(sessions.now("s", "u1") == first);
  clock.set_wall("2026-11-23T08:00:00Z");
  clock.advance(minutes(3));
  CHECK(sessions.now("s", "u1") == first + minutes(3));
  SECTION("another one of that name has a clock of its own") { CHECK(sessions.now("s", "u2") == clock.now()); }
  SECTION("what is forgotten starts anew") {
    sessions.forget("s");
    CHECK(sessions.now("s", "u1") == clock.now());
  }
}
