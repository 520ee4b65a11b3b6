#include "sidecar/upkeep.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "unit/support/objects.h"

namespace stash::sidecar {
namespace {

using test::a_backup_session;
using Turn = Upkeep::Turn;

api::HostStats entry(std::string host, std::string phase, std::optional<bool> told = std::nullopt) {
  api::HostStats stats;
  stats.hostname = std::move(host);
  stats.phase = std::move(phase);
  stats.backed_up = told;
  return stats;
}

/// What host-0 sees when the others are as given.
OtherHosts beside_host_0(const std::vector<api::HostStats>& others, std::optional<int> total = std::nullopt) {
  auto session = a_backup_session().phase("Running").host(entry("host-0", "Running", true));
  for (const api::HostStats& other : others) session.host(other);
  if (total) session.total_hosts(*total);
  return other_hosts(session.json(), "host-0");
}

Upkeep after_look(const OtherHosts& others) {
  Upkeep upkeep{.alone = false};
  note_others(upkeep, others);
  return upkeep;
}

Turn turn_beside(const std::vector<api::HostStats>& others) { return after_look(beside_host_0(others)).turn; }

TEST_CASE("the host whose snapshots come out last does the upkeep, and no other", "[sidecar][upkeep]") {
  CHECK(turn_beside({entry("host-1", "Running"), entry("host-2", "Succeeded")}) == Turn::others);
  CHECK(turn_beside({entry("host-1", "Running", true), entry("host-2", "Succeeded", true)}) == Turn::ours);
  CHECK(turn_beside({entry("host-1", "Running", false), entry("host-2", "Failed")}) == Turn::ours);
}

TEST_CASE("in every order in which hosts tell, exactly one does the upkeep", "[sidecar][upkeep]") {
  std::vector<int> order{0, 1, 2, 3};
  do {
    std::vector<api::HostStats> hosts;
    for (int i = 0; i < 4; ++i) hosts.push_back(entry("host-" + std::to_string(i), "Running"));
    std::vector<int> doing;
    for (const int i : order) {
      hosts[i].backed_up = i != 2;  // one fails
      auto session = a_backup_session().phase("Running");
      for (const api::HostStats& host : hosts) session.host(host);
      if (after_look(other_hosts(session.json(), hosts[i].hostname)).turn == Turn::ours) doing.push_back(i);
      // Some are through before the next one tells, some later.
      if (i % 2 == 0) hosts[i].phase = i == 2 ? "Failed" : "Succeeded";
    }
    CHECK(doing == std::vector<int>{order.back()});
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("hosts of sidecars that do not tell are judged by their phase", "[sidecar][upkeep]") {
  CHECK(turn_beside({entry("host-1", "Running")}) == Turn::others);
  CHECK(turn_beside({entry("host-1", "Succeeded")}) == Turn::ours);
}

TEST_CASE("CRDs that do not keep what is told leave the upkeep to every host", "[sidecar][upkeep]") {
  Upkeep upkeep{.alone = false};
  note_others(upkeep, std::nullopt);
  CHECK(upkeep.turn == Turn::ours);
  CHECK(hosts_to_forget(upkeep, "host-0", true) == std::nullopt);
  CHECK_FALSE(any_backed_up(upkeep, false));
}

TEST_CASE("hosts that no pod has taken are waited for, and then given up", "[sidecar][upkeep]") {
  const OtherHosts others = GENERATE(beside_host_0({entry("host-1", "Pending"), entry("host-2", "Succeeded", true)}),
                                     beside_host_0({entry("host-2", "Succeeded", true)}, 3));
  Upkeep upkeep{.alone = false};
  for (int look = 1; look < kUpkeepLooks; ++look) {
    note_others(upkeep, others);
    CHECK(upkeep.turn == Turn::unknown);
    note_wait(upkeep);
  }
  note_others(upkeep, others);
  CHECK(upkeep.turn == Turn::ours);
  CHECK(hosts_to_forget(upkeep, "host-0", true) == std::vector<std::string>{"host-0", "host-2"});
}

TEST_CASE("a host that a pod takes meanwhile comes after us, and does the upkeep", "[sidecar][upkeep]") {
  Upkeep upkeep = after_look(beside_host_0({entry("host-1", "Pending"), entry("host-2", "Succeeded", true)}));
  REQUIRE(upkeep.turn == Turn::unknown);
  SECTION("it is at work") {
    note_others(upkeep, beside_host_0({entry("host-1", "Running"), entry("host-2", "Succeeded", true)}));
    CHECK(upkeep.turn == Turn::others);
  }
  SECTION("it was so fast that it has told already") {
    note_others(upkeep, beside_host_0({entry("host-1", "Running", true), entry("host-2", "Succeeded", true)}));
    CHECK(upkeep.turn == Turn::others);
  }
  SECTION("it has failed, and told so") {
    note_others(upkeep, beside_host_0({entry("host-1", "Failed", false), entry("host-2", "Succeeded", true)}));
    CHECK(upkeep.turn == Turn::others);
  }
  SECTION("but not when the controller failed it, because no pod came") {
    note_others(upkeep, beside_host_0({entry("host-1", "Failed"), entry("host-2", "Succeeded", true)}));
    CHECK(upkeep.turn == Turn::ours);
  }
}

TEST_CASE("the policy is for the whole repository only when every host is backed up", "[sidecar][upkeep]") {
  const Upkeep all = after_look(beside_host_0({entry("host-1", "Succeeded", true), entry("host-2", "Running", true)}));
  CHECK(hosts_to_forget(all, "host-0", true) == std::nullopt);
  CHECK(hosts_left_alone(all, "host-0", true).empty());

  const Upkeep some =
      after_look(beside_host_0({entry("host-2", "Failed"), entry("host-10", "Succeeded"), entry("host-3", "Failed")}));
  CHECK(hosts_to_forget(some, "host-0", true) == std::vector<std::string>{"host-0", "host-10"});
  CHECK(hosts_left_alone(some, "host-0", true) == "the backup of host-2, host-3 failed");
  CHECK(hosts_to_forget(some, "host-0", false) == std::vector<std::string>{"host-10"});
  CHECK(hosts_left_alone(some, "host-0", false) == "the backup of host-0, host-2, host-3 failed");

  const Upkeep missing = after_look(beside_host_0({entry("host-1", "Pending"), entry("host-2", "Failed")}, 5));
  CHECK(hosts_left_alone(missing, "host-0", true) ==
        "the backup of host-2 failed, and no pod has taken host-1, 2 more");
}

TEST_CASE("of hundreds of hosts whose snapshots are left alone ten are named", "[sidecar][upkeep][F24][I6]") {
  Upkeep upkeep{.alone = false};
  for (int i = 0; i < 500; ++i) {
    const std::string name = "node-" + std::to_string(i);
    upkeep.others.named.push_back({name, i % 2 == 0 ? OtherHost::State::failed : OtherHost::State::awaited, true});
  }
  upkeep.others.unnamed = 7;
  const std::string text = hosts_left_alone(upkeep, "node-x", true);
  CHECK(text.find("node-18, and 240 more failed, and no pod has taken node-1, ") != std::string::npos);
  CHECK(text.ends_with("node-19, and 247 more"));
}

TEST_CASE("a session with one host has nobody to tell", "[sidecar][upkeep]") {
  CHECK(is_only_host(a_backup_session().stamped().json()));
  CHECK(is_only_host(a_backup_session().host("host-0", "Pending").json()));
  CHECK_FALSE(is_only_host(a_backup_session().total_hosts(2).host("node-a", "Pending").json()));
  CHECK_FALSE(is_only_host(a_backup_session().host("host-0", "Pending").host("host-1", "Pending").json()));
}

}  // namespace
}  // namespace stash::sidecar
