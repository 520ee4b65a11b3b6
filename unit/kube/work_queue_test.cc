#include "kube/work_queue.h"

#include <catch2/catch.hpp>
#include <thread>

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
