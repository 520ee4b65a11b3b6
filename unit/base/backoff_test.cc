#include "base/backoff.h"

#include <catch2/catch.hpp>

using namespace stash;
using std::chrono::milliseconds;

TEST_CASE("waiting times double up to the limit, each within a fifth", "[base][backoff]") {
  for (unsigned seed = 0; seed < 50; ++seed) {
    Backoff backoff(Backoff::Limits{}, seed);
    for (const int expected : {800, 1'600, 3'200, 6'400, 12'800, 25'600, 30'000, 30'000}) {
      const auto wait = backoff.next().count();
      CHECK(wait >= expected * 8 / 10 - 1);
      CHECK(wait <= expected * 12 / 10);
    }
  }
}

TEST_CASE("two clients wait for different times", "[base][backoff]") {
  Backoff one(Backoff::Limits{}, 1), other(Backoff::Limits{}, 2);
  CHECK((one.next() != other.next() || one.next() != other.next()));
}

TEST_CASE("after a success waiting starts small again", "[base][backoff]") {
  Backoff backoff(Backoff::Limits{milliseconds(100), milliseconds(1'000)}, 1);
  for (int i = 0; i < 10; ++i) backoff.next();
  backoff.reset();
  CHECK(backoff.next() <= milliseconds(120));
}
