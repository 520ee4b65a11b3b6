#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "unit/controller/worlds.h"

/// Random schedules of the session machine against a store with versions: pods are born, die and stall, claims and
/// results arrive between a look and its write, the clock jumps, references vanish. Printed seed, so that a failure
/// repeats.
namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

class Schedule {
 public:
  explicit Schedule(unsigned seed) : random_(seed) {
    world_ = a_session_world();
    // A target with several hosts: more interleavings than this version's Deployments have.
    hosts_ = 1 + pick(4);
    world_.session["status"] = {{"phase", "Pending"}, {"totalHosts", hosts_}, {"stats", Json::array()}};
    for (int i = 0; i < hosts_; ++i) {
      world_.session["status"]["stats"].push_back({{"hostname", fmt::format("host-{}", i)}, {"phase", "Pending"}});
    }
    world_.target.pods = std::vector<PodFacts>();
    if (chance(10)) world_.configuration->spec.time_out = "20m";
  }

  void run() {
    for (int step = 0; step < 4000 && !ended(); ++step) {
      switch (pick(8)) {
        case 0:
          bear();
          break;
        case 1:
          kill();
          break;
        case 2:
        case 3:
          claim();
          break;
        case 4:
          finish();
          break;
        case 5:
          world_.now += seconds(pick(90));
          break;
        case 6:
          upset();
          break;
        default:
          look();
      }
      check();
    }
    // Whatever was broken stays broken; time alone must end it.
    for (int step = 0; step < 200 && !ended(); ++step) {
      world_.now += minutes(20);
      look();
      check();
    }
    REQUIRE(ended());
    const Json last = world_.session;
    look();
    CHECK(world_.session == last);
    if (phase_of(world_.session) == "Succeeded") {
      for (const Json& host : world_.session["status"]["stats"]) CHECK(host["phase"] == "Succeeded");
      CHECK(static_cast<int>(world_.session["status"]["stats"].size()) == hosts_);
    }
  }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  bool chance(int one_in) { return pick(one_in) == 0; }
  bool ended() const { return api::is_final_phase(phase_of(world_.session)); }
  std::vector<PodFacts>& pods() { return *world_.target.pods; }
  Json& stats() { return world_.session["status"]["stats"]; }
  void touched() {
    Json& version = world_.session["metadata"]["resourceVersion"];
    version = std::to_string(std::stoi(version.get<std::string>()) + 1);
  }

  void bear() {
    if (pods().size() < 4) pods().push_back(a_pod(fmt::format("web-{}", ++born_)));
  }
  void kill() {
    if (pods().empty()) return;
    if (chance(2)) {
      pods()[static_cast<std::size_t>(pick(static_cast<int>(pods().size())))].phase = "Failed";
    } else {
      pods().erase(pods().begin() + pick(static_cast<int>(pods().size())));
    }
  }
  /// As a sidecar claims: a compare-and-swap on one entry, only in a session that is not final.
  void claim() {
    if (pods().empty() || ended()) return;
    const PodFacts& pod = pods()[static_cast<std::size_t>(pick(static_cast<int>(pods().size())))];
    Json& host = stats()[static_cast<std::size_t>(pick(hosts_))];
    if (!is_alive(pod) || host["phase"] != "Pending") return;
    host["phase"] = "Running";
    host["claim"] = {{"podName", pod.name}, {"podUID", pod.uid}};
    touched();
  }
  /// A result is written by whoever holds the claim, also by a pod that dies right after.
  void finish() {
    Json& host = stats()[static_cast<std::size_t>(pick(hosts_))];
    if (ended() || host["phase"] != "Running") return;
    host["phase"] = chance(5) ? "Failed" : "Succeeded";
    host.erase("claim");
    touched();
  }
  /// As a sidecar does that is told to stop.
  void hand_back() {
    Json& host = stats()[static_cast<std::size_t>(pick(hosts_))];
    if (ended() || host["phase"] != "Running") return;
    host["phase"] = "Pending";
    host.erase("claim");
    touched();
  }
  void upset() {
    switch (pick(40)) {
      case 0:
        world_.now += hours(pick(30));
        break;
      case 1:
        world_.now -= minutes(pick(30));
        break;
      case 2:
        world_.target.repository_found.reset();
        break;
      case 3:
        world_.target.workload.reset();
        break;
      case 4:
        world_.configuration->spec.paused = true;
        break;
      case 5:
        world_.silent_for[fmt::format("host-{}", pick(hosts_))] = minutes(pick(30));
        break;
      case 6:
        world_.restoring = chance(2) ? "app-restore" : "";
        world_.restore_injected = !world_.restoring.empty() && chance(2);
        break;
      case 7:
        world_.watched_for = seconds(pick(900));
        break;
      case 8:
        hand_back();
        break;
      default:
        world_.silent_for.clear();
    }
  }
  /// A look at a world that may change before the write: then the write is refused.
  void look() {
    const Plan plan = plan_session(world_);
    if (chance(10)) {
      claim();
      return;
    }
    carry_out(plan, api::kBackupSessions, world_.session);
    const Plan again = plan_session(world_);
    INFO(render_plan(again));
    CHECK(again.empty());
  }

  void check() {
    std::set<std::string> seen;
    for (const Json& host : stats()) {
      CHECK(seen.insert(host["hostname"].get<std::string>()).second);
      // A host that is not Running has no claimant; so one host never has two.
      CHECK((host["phase"] == "Running") == host.contains("claim"));
    }
    if (ended()) {
      for (const Json& host : stats()) CHECK((host["phase"] == "Succeeded" || host["phase"] == "Failed"));
    }
  }

  std::mt19937 random_;
  SessionWorld world_;
  int hosts_ = 1, born_ = 0;
};

}  // namespace

TEST_CASE("every random schedule of a session ends, and never as Succeeded without all its hosts",
          "[controller][session][F30][I5][I6]") {
  for (unsigned seed = 1; seed <= 150; ++seed) {
    INFO("seed " << seed);
    Schedule(seed).run();
  }
}
