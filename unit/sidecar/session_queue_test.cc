#include "sidecar/session_queue.h"

#include <catch2/catch.hpp>

#include "unit/support/objects.h"

namespace stash::sidecar {
namespace {

using test::a_backup_session;

const PodIdentity kPod{"app-6f-x", "uid-1", "demo", "node-1"};
const TimePoint kNow = parse_time("2026-11-23T10:00:00Z").value();

api::HostStats running(std::string pod_uid) {
  api::HostStats stats;
  stats.hostname = "host-0";
  stats.phase = "Running";
  stats.claim = api::Claim{"some-pod", std::move(pod_uid), kNow};
  return stats;
}

std::vector<std::string> names(const std::vector<NextSession>& sessions) {
  std::vector<std::string> names;
  for (const NextSession& session : sessions) names.push_back(session.name);
  return names;
}

TEST_CASE("sessions with our host pending wait, oldest first", "[sidecar][session_queue]") {
  const Json newer = a_backup_session("b").created(kNow).stamped().json();
  const Json older = a_backup_session("a").created(kNow - std::chrono::hours(1)).stamped().json();
  const Json done = a_backup_session("c").created({}).phase("Succeeded").host("host-0", "Pending").json();
  const Json taken = a_backup_session("d").created({}).phase("Running").host(running("uid-2")).json();
  const Json others = a_backup_session("e", "other-backup").created({}).stamped().json();
  const Json unstamped = a_backup_session("f").created({}).json();
  const auto waiting =
      waiting_sessions({&newer, &older, &done, &taken, &others, &unstamped}, "app-backup", "host-0", kPod);
  REQUIRE(names(waiting) == std::vector<std::string>{"a", "b"});
  CHECK(waiting[0] ==
        NextSession{"a", "uid-a", *host_entry(older, "host-0"), false, "app-backup", kNow - std::chrono::hours(1)});
  CHECK(waiting_sessions({&done, &taken, &others, &unstamped}, "app-backup", "host-0", kPod).empty());
}

TEST_CASE("a host in a phase of a newer release is not for this one, and holds nobody up",
          "[sidecar][session_queue][F84][I6][I7]") {
  Json odd = a_backup_session("a").created({}).stamped().json();
  odd["status"]["stats"][0]["phase"] = "Verifying";
  odd["status"]["stats"][0]["future"] = {{"more", Json::array({1})}};
  Json next = a_backup_session("b").created(kNow).stamped().json();
  next["status"]["phase"] = "Queued";
  next["status"]["future"] = "unknown";
  CHECK(names(waiting_sessions({&odd, &next}, "app-backup", "host-0", kPod)) == std::vector<std::string>{"b"});
}

TEST_CASE("a restarted container resumes what its pod had claimed", "[sidecar][session_queue][F3][I7]") {
  const Json mine = a_backup_session().phase("Running").host(running("uid-1")).json();
  const auto waiting = waiting_sessions({&mine}, "app-backup", "host-0", kPod);
  REQUIRE(waiting.size() == 1);
  CHECK(waiting[0].resume);
  CHECK(waiting_sessions({&mine}, "app-backup", "host-0", {"app-6f-x", "", "demo", ""}).empty());
}

TEST_CASE("no pod takes what another one gives back to make way for a restore, but each ends what it has",
          "[sidecar][session_queue][F29][I9][I13]") {
  Json given_back = a_backup_session().stamped().json();
  given_back["status"]["reason"] = "RestoreInProgress";
  CHECK(waiting_sessions({&given_back}, "app-backup", "host-0", kPod).empty());
  Json mine = a_backup_session().phase("Running").host(running("uid-1")).json();
  mine["status"]["reason"] = "RestoreInProgress";
  CHECK(waiting_sessions({&mine}, "app-backup", "host-0", kPod).size() == 1);
}

TEST_CASE("over all configurations the oldest comes first, and what was tried comes last", "[sidecar][session_queue]") {
  const Json a = a_backup_session("a", "daily").created(kNow - std::chrono::hours(3)).stamped().json();
  const Json b = a_backup_session("b", "hourly").created(kNow - std::chrono::hours(2)).stamped().json();
  const Json c = a_backup_session("c", "daily").created(kNow - std::chrono::hours(1)).stamped().json();
  auto waiting = waiting_sessions({&c, &a}, "daily", "host-0", kPod);
  std::ranges::copy(waiting_sessions({&b}, "hourly", "host-0", kPod), std::back_inserter(waiting));
  CHECK(names(in_turn(waiting, {})) == std::vector<std::string>{"a", "b", "c"});
  CHECK(names(in_turn(waiting, {"uid-a"})) == std::vector<std::string>{"b", "c", "a"});
  CHECK(names(in_turn(waiting, {"uid-a", "uid-b", "uid-c"})) == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("what a container had begun before it was restarted comes before what is new, however old that is",
          "[sidecar][session_queue][F3][I9]") {
  const Json older = a_backup_session("a", "daily").created(kNow - std::chrono::hours(2)).stamped().json();
  const Json begun = a_backup_session("b", "hourly")
                         .created(kNow - std::chrono::hours(1))
                         .phase("Running")
                         .host(running("uid-1"))
                         .json();
  auto waiting = waiting_sessions({&older}, "daily", "host-0", kPod);
  std::ranges::copy(waiting_sessions({&begun}, "hourly", "host-0", kPod), std::back_inserter(waiting));
  CHECK(names(in_turn(waiting, {})) == std::vector<std::string>{"b", "a"});
  // By this container, which could not go on with it.
  CHECK(names(in_turn(waiting, {"uid-b"})) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("the pods of a session of many hosts begin one after another within a hundredth of a second a host",
          "[sidecar][session_queue][I20]") {
  Json session = a_backup_session("a").stamped().json();
  CHECK(stagger(session, "uid-1").count() == 0);
  session["status"]["hostObjects"] = true;
  session["status"]["totalHosts"] = 500;
  std::vector<int> in_second(5);
  for (int pod = 0; pod < 500; ++pod) {
    const auto pause = stagger(session, fmt::format("0c7f1a52-{}", pod));
    REQUIRE(pause.count() >= 0);
    REQUIRE(pause.count() < 5000);
    ++in_second[static_cast<std::size_t>(pause.count()) / 1000];
  }
  CHECK(std::ranges::max(in_second) < 150);
  CHECK(stagger(session, "uid-1") == stagger(session, "uid-1"));
  session["status"]["upkeepHost"] = "host-0";
  CHECK(stagger(session, "uid-1").count() == 0);
}

}  // namespace
}  // namespace stash::sidecar
