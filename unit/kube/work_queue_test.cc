#include "kube/work_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

using namespace stash;
using kube::WorkQueue;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST_CASE("keys come in the order in which they were added, each once", "[kube][queue]") {
  WorkQueue queue;
  for (const char* key : {"a", "b", "a", "c", "b"}) queue.add(key);
  CHECK(queue.size() == 3);
  CHECK(queue.next() == "a");
  CHECK(queue.next() == "b");
  CHECK(queue.next() == "c");
  CHECK(queue.size() == 0);
}

TEST_CASE("a key added while it is worked on comes again afterwards, once", "[kube][queue]") {
  WorkQueue queue;
  queue.add("a");
  CHECK(queue.next() == "a");
  queue.add("a");
  queue.add("a");
  queue.add("b");
  CHECK(queue.next() == "b");  // not a: somebody has it
  queue.done("a");
  CHECK(queue.next() == "a");
  queue.done("a");
  CHECK(queue.size() == 0);
}

TEST_CASE("a key is never with two workers at once", "[kube][queue]") {
  WorkQueue queue;
  std::atomic<int> inside{0}, worst{0}, rounds{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      while (const auto key = queue.next()) {
        const int now = ++inside;
        int seen = worst;
        while (seen < now && !worst.compare_exchange_weak(seen, now)) {
        }
        if (++rounds < 500) queue.add(*key);
        --inside;
        queue.done(*key);
        if (rounds >= 500) queue.shut_down();
      }
    });
  }
  queue.add("only");
  for (std::thread& worker : workers) worker.join();
  CHECK(worst == 1);
  CHECK(rounds == 500);
}

TEST_CASE("a delayed key comes when it is due, not before", "[kube][queue]") {
  WorkQueue queue;
  const auto began = steady_clock::now();
  queue.add_after("late", milliseconds(20));
  queue.add("now");
  CHECK(queue.size() == 2);
  CHECK(queue.due() == 1);
  CHECK(queue.next() == "now");
  CHECK(queue.next() == "late");
  CHECK(steady_clock::now() - began >= milliseconds(20));
}

TEST_CASE("the earliest of several delays wins, and an add wins over all", "[kube][queue]") {
  WorkQueue queue;
  queue.add_after("a", hours(1));
  queue.add_after("a", milliseconds(1));
  queue.add_after("a", hours(2));
  CHECK(queue.next() == "a");
  queue.done("a");
  CHECK(queue.size() == 0);
  queue.add_after("b", hours(1));
  queue.add("b");
  queue.add_after("b", hours(1));
  CHECK(queue.size() == 1);
  CHECK(queue.next() == "b");
}

TEST_CASE("a key that waits for its retry is not handed out, also after done", "[kube][queue]") {
  WorkQueue queue;
  queue.add("a");
  CHECK(queue.next() == "a");
  queue.retry("a", hours(1));
  queue.done("a");
  queue.add("b");
  CHECK(queue.next() == "b");
  CHECK(queue.size() == 1);
}

TEST_CASE("a retry waits for at least the first backoff", "[kube][queue]") {
  WorkQueue queue;
  const auto began = steady_clock::now();
  queue.retry("a");
  CHECK(queue.next() == "a");
  CHECK(steady_clock::now() - began >= milliseconds(640));
}

TEST_CASE("one failing key does not slow another", "[kube][queue][F17][I20]") {
  WorkQueue queue;
  for (int i = 0; i < 10; ++i) queue.retry("bad", hours(1));
  queue.add_after("good", milliseconds(1));
  CHECK(queue.next() == "good");
}

TEST_CASE("what has changed does not wait behind thousands of keys that are only looked at again",
          "[kube][queue][F24][I6]") {
  WorkQueue queue;
  const auto next = [&queue] {
    const auto key = queue.next();
    queue.done(*key);
    return *key;
  };
  for (int i = 0; i < 5000; ++i) queue.look_again(std::to_string(i));
  queue.add("new");
  SECTION("when it is new") {
    CHECK(next() == "new");
    CHECK(next() == "0");
  }
  SECTION("when it is one of them, which comes once") {
    queue.add("4999");
    CHECK(next() == "new");
    CHECK(next() == "0");
    CHECK(next() == "4999");
    CHECK(queue.size() == 4998);
    while (queue.size() > 0) REQUIRE(next() != "4999");
  }
  SECTION("when it gathers what changes for a moment") {
    queue.add_after("4999", milliseconds(1));
    std::this_thread::sleep_for(milliseconds(2));
    std::vector<std::string> first;
    for (int i = 0; i < 4; ++i) first.push_back(next());
    CHECK(std::ranges::count(first, "4999") == 1);
  }
  SECTION("when all at once is over") {
    queue.set_all_at_once(true);
    queue.add("one of all");
    queue.set_all_at_once(false);
    queue.add("newer");
    CHECK(next() == "new");
    CHECK(next() == "0");
    CHECK(next() == "newer");
  }
}

TEST_CASE("however much changes, what is due for another look has every second turn", "[kube][queue][F24][I6]") {
  WorkQueue queue;
  queue.look_again("deadline");
  queue.look_again("another");
  std::vector<std::string> seen;
  for (int i = 0; i < 4; ++i) {
    queue.add(std::to_string(2 * i));
    queue.add(std::to_string(2 * i + 1));
    seen.push_back(*queue.next());
    queue.done(seen.back());
  }
  CHECK(seen == std::vector<std::string>{"0", "deadline", "1", "another"});
}

TEST_CASE("who has a result does not wait behind thousands that begin, nor keeps them from beginning",
          "[kube][queue][F24][I6]") {
  WorkQueue queue;
  for (const char* key : {"begins", "begins too", "has a result"}) queue.add(key);
  queue.look_again("deadline");
  queue.add_first("has a result");
  queue.add_first("another");
  std::vector<std::string> seen;
  while (queue.size() > 0) {
    seen.push_back(*queue.next());
    queue.done(seen.back());
  }
  CHECK(seen == std::vector<std::string>{"has a result", "begins", "deadline", "another", "begins too"});
}

TEST_CASE("a result that is gathered with others comes first when its time has come", "[kube][queue][F24][I6]") {
  WorkQueue queue;
  queue.add_first("gathered", milliseconds(20));
  for (int i = 0; i < 9; ++i) queue.add(fmt::format("begins-{}", i));
  std::this_thread::sleep_for(milliseconds(60));
  const auto first = queue.next(), second = queue.next();
  CHECK((first == "gathered" || second == "gathered"));
}

TEST_CASE("what has changed and failed does not wait behind what is only looked at again, either",
          "[kube][queue][F18][F24][I6]") {
  WorkQueue queue;
  for (int i = 0; i < 100; ++i) queue.look_again(fmt::format("old-{}", i));
  queue.add("new");
  REQUIRE(queue.next() == "new");
  queue.retry("new");
  queue.done("new");
  std::this_thread::sleep_for(milliseconds(1100));  // longer than the first backoff
  const auto first = queue.next(), second = queue.next();
  CHECK((first == "new" || second == "new"));
}

TEST_CASE("a key keeps the first lane when it is also looked at again", "[kube][queue]") {
  WorkQueue queue;
  for (const char* key : {"a", "b"}) queue.look_again(key);
  queue.add_after("c", hours(1));
  queue.look_again("c");
  CHECK(queue.size() == 3);
  CHECK(queue.next() == "c");
  // While it is worked on, too.
  queue.add("c");
  queue.look_again("c");
  queue.done("c");
  CHECK(queue.next() == "a");
  CHECK(queue.next() == "c");
  CHECK(queue.next() == "b");
  CHECK(queue.size() == 0);
}

TEST_CASE("a shut down wakes everybody who waits", "[kube][queue]") {
  WorkQueue queue;
  queue.add_after("later", hours(1));
  std::vector<std::thread> workers;
  std::atomic<int> ended{0};
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([&] {
      if (!queue.next()) ++ended;
    });
  }
  queue.shut_down();
  for (std::thread& worker : workers) worker.join();
  CHECK(ended == 3);
  queue.add("after");
  CHECK(queue.next() == std::nullopt);
}
