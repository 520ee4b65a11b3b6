#include "controller/hosts.h"

#include <catch2/catch.hpp>

#include "unit/controller/worlds.h"

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

TEST_CASE("expected hosts that have no entry get one as Pending, others stay", "[controller][hosts]") {
  Json stats = {{{"hostname", "host-1"}, {"phase", "Succeeded"}}};
  add_missing_hosts(stats, {"host-0", "host-1"});
  CHECK(stats ==
        Json({{{"hostname", "host-1"}, {"phase", "Succeeded"}}, {{"hostname", "host-0"}, {"phase", "Pending"}}}));
}

TEST_CASE("an entry without a phase counts as Pending, one with a strange phase as Failed", "[controller][hosts]") {
  const Json stats = {{{"hostname", "a"}}, {{"hostname", "b"}, {"phase", "Unknown"}}, 7};
  CHECK(tally(stats) == Tally{.total = 3, .pending = 2, .running = 0, .succeeded = 0, .failed = 1});
}

TEST_CASE("a Running entry without a claim belongs to nobody and is free again", "[controller][hosts]") {
  Json stats = {{{"hostname", "host-0"}, {"phase", "Running"}}};
  Json lost = Json::array();
  CHECK(give_back(stats, std::vector<PodFacts>{}, lost) ==
        std::vector<std::string>{"host-0: pod (unnamed) is gone before it was done; another pod takes over"});
  CHECK(tally(stats).pending == 1);
}

TEST_CASE("a host that is given back keeps what is known of its incomplete snapshots", "[controller][hosts][F3][I5]") {
  Json stats = {{{"hostname", "host-0"}, {"phase", "Running"}, {"backedUp", false}, {"incomplete", {"c4aff7e4"}}}};
  Json lost = Json::array();
  give_back(stats, std::vector<PodFacts>{}, lost);
  CHECK(stats == Json({{{"hostname", "host-0"}, {"phase", "Pending"}, {"incomplete", {"c4aff7e4"}}}}));
}

TEST_CASE("only pods that read or write volumes are asked to stop, and once", "[controller][hosts][I13]") {
  Json stats =
      Json::array({{{"hostname", "host-0"}, {"phase", "Running"}, {"claim", {{"podUID", "u-0"}}}},
                   {{"hostname", "host-1"}, {"phase", "Running"}, {"claim", {{"podUID", "u-1"}}}, {"backedUp", true}},
                   {{"hostname", "host-2"}, {"phase", "Succeeded"}, {"claim", {{"podUID", "u-2"}}}},
                   {{"hostname", "host-3"}, {"phase", "Pending"}}});
  CHECK(uses_volumes(stats));
  ask_to_stop(stats, "first");
  ask_to_stop(stats, "second");
  CHECK(stats[0]["claim"]["stop"] == "first");
  for (const int other : {1, 2}) CHECK_FALSE(stats[other]["claim"].contains("stop"));
  CHECK_FALSE(stats[3].contains("claim"));
  stats.erase(0);
  CHECK_FALSE(uses_volumes(stats));
  CHECK(may_use_volumes(stats));
  stats.erase(2);
  CHECK_FALSE(may_use_volumes(stats));
}

TEST_CASE("a host of a restore that is given back keeps which snapshots it takes, and so does one that failed",
          "[controller][hosts][F5][I13]") {
  const Json chosen = Json::array({{{"name", "d2769cc2"}, {"path", "/data"}}});
  const Json begun = {{"hostname", "host-0"}, {"phase", "Running"}, {"attempts", 1}, {"snapshots", chosen}};
  Json stats = Json::array({begun}), lost = Json::array();
  give_back(stats, std::vector<PodFacts>{}, lost);
  CHECK(stats[0] == Json{{"hostname", "host-0"}, {"phase", "Pending"}, {"attempts", 1}, {"snapshots", chosen}});
  fail_hosts(stats, kHostPending, "stalled");
  CHECK(stats[0]["snapshots"] == chosen);
}

TEST_CASE("errors of all failed hosts are told together", "[controller][hosts]") {
  const Json stats = {{{"hostname", "a"}, {"phase", "Failed"}, {"error", "x"}},
                      {{"hostname", "b"}, {"phase", "Succeeded"}},
                      {{"hostname", "c"}, {"phase", "Failed"}}};
  CHECK(errors_of(stats) == "a: x; c: failed without a message");
}

TEST_CASE("of hundreds of hosts a text names ten and says how many more", "[controller][hosts]") {
  Json stats = Json::array();
  for (int i = 0; i < 500; ++i) {
    stats.push_back(
        {{"hostname", fmt::format("node-{}", i)}, {"phase", i < 13 ? "Failed" : "Running"}, {"error", "x"}});
  }
  CHECK(hosts_in(stats, kHostRunning).ends_with("node-22, and 477 more"));
  CHECK(errors_of(stats).ends_with("node-9: x; and 3 more"));
}
