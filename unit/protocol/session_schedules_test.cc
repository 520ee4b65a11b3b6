#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "unit/protocol/session_model.h"

using namespace stash;
using namespace stash::test;

// The seed is printed, so that a failure repeats.
TEST_CASE(
    "no schedule of crashes, partitions and pauses gives a host two writers, keeps a session from its end, or lets "
    "one succeed without its snapshots",
    "[protocol][F2][F3][F7][F9][F16][F19][F26][F52][I5][I6][I7]") {
  Counts all;
  constexpr unsigned kSeeds = 1200;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    try {
      const Counts counts = SessionModel(seed).run();
      all.succeeded += counts.succeeded;
      all.late_applied += counts.late_applied;
      all.late_refused += counts.late_refused;
      all.given_back += counts.given_back;
      all.stopped_alone += counts.stopped_alone;
    } catch (const Broken& broken) {
      FAIL_CHECK("seed " << seed << ": " << broken.what);
    }
  }
  INFO(fmt::format("{} succeeded, {} hosts given back, {} sidecars stopped alone, late writes: {} applied, {} refused",
                   all.succeeded, all.given_back, all.stopped_alone, all.late_applied, all.late_refused));
  // Schedules in which little happens, or nothing works, would prove nothing.
  CHECK(all.succeeded > 150);
  CHECK(all.succeeded < 1100);
  CHECK(all.given_back > 150);
  CHECK(all.stopped_alone > 50);
  CHECK(all.late_applied > 50);
  CHECK(all.late_refused > 50);
}
