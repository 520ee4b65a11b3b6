#include "cli/table.h"

#include <catch2/catch.hpp>

using namespace stash;
using namespace stash::cli;

TEST_CASE("columns are as wide as their widest cell, and an empty cell is a dash", "[cli][table]") {
  const Table table{{"NAME", "PHASE"}, {{{"web"}, {"Succeeded"}}, {{"größer-name"}, {""}}}};
  CHECK(render_table(table, false) ==
        "NAME          PHASE\n"
        "web           Succeeded\n"
        "größer-name   -\n");
}

TEST_CASE("colours do not move columns", "[cli][table]") {
  const Table table{{"A", "B"}, {{{"x", Tone::good}, {"y"}}}};
  CHECK(render_table(table, true) == "\x1b[1mA\x1b[0m   \x1b[1mB\x1b[0m\n\x1b[32mx\x1b[0m   y\n");
}

TEST_CASE("what others wrote into an object cannot command the terminal", "[cli][table]") {
  const Table table{{"A"}, {{{"x\x1b[2Jy\nz"}}}};
  CHECK(render_table(table, false) == "A\nx [2Jy z\n");
}

TEST_CASE("a table without rows is nothing", "[cli][table]") { CHECK(render_table({{"A"}, {}}, false).empty()); }

TEST_CASE("ages are shown as kubectl shows them", "[cli][table]") {
  using std::chrono::seconds;
  const TimePoint now{seconds(1'000'000)};
  const auto before = [now](int count) { return age(now - seconds(count), now); };
  CHECK(before(45) == "45s");
  CHECK(before(119) == "119s");
  CHECK(before(120) == "2m");
  CHECK(before(2 * 3600 + 20 * 60) == "2h20m");
  CHECK(before(11 * 3600 + 20 * 60) == "11h");
  CHECK(before(4 * 86'400) == "4d");
  CHECK(before(-5) == "0s");
  CHECK(age("no time", now).empty());
}
