#include "sidecar/claim.h"

#include <catch2/catch.hpp>

#include "unit/support/objects.h"

namespace stash::sidecar {
namespace {

using test::a_backup_session;
using test::a_restore_session;

const PodIdentity kPod{"app-6f-x", "uid-1", "demo", "node-1"};
const TimePoint kNow = parse_time("2026-11-23T10:00:00Z").value();

api::HostStats host(std::string phase, std::string pod_uid = "") {
  api::HostStats stats;
  stats.hostname = "host-0";
  stats.phase = std::move(phase);
  if (!pod_uid.empty()) stats.claim = api::Claim{"some-pod", std::move(pod_uid), kNow};
  return stats;
}

Json session_with(api::HostStats entry) { return a_backup_session().phase("Running").host(std::move(entry)).json(); }

/// Whether all test operations hold: what the API server decides.
bool applies(const Json& operations, const Json& session) {
  for (const Json& operation : operations) {
    if (string_at(operation, {"op"}) != "test") continue;
    const Json::json_pointer pointer(string_at(operation, {"path"}));
    if (!session.contains(pointer) || session[pointer] != *at(operation, {"value"})) return false;
  }
  return true;
}

TEST_CASE("a pod's host follows the kind of its workload", "[sidecar][claim]") {
  CHECK(host_of("Deployment", kPod) == "host-0");
  CHECK(host_of("", kPod) == "host-0");
  CHECK(host_of("StatefulSet", {"db-12", "u", "demo", ""}) == "host-12");
  CHECK_FALSE(host_of("StatefulSet", {"db", "u", "demo", ""}));
  CHECK_FALSE(host_of("StatefulSet", {"db-x", "u", "demo", ""}));
  CHECK(host_of("DaemonSet", kPod) == "node-1");
  CHECK_FALSE(host_of("DaemonSet", {"p", "u", "demo", ""}));
}

TEST_CASE("a claim wins a pending host and makes it running", "[sidecar][claim]") {
  const Json session = session_with(host("Pending"));
  const Json operations = claim_operations(*host_entry(session, "host-0"), "host-0", kPod, kNow);
  REQUIRE(applies(operations, session));
  const Json after = session.patch(operations);
  CHECK(still_ours(after, "host-0", kPod));
  CHECK(string_at(after, {"status", "stats"}).empty());
  CHECK(array_at(after, {"status", "stats"})[0] ==
        Json{{"hostname", "host-0"},
             {"phase", "Running"},
             {"claim", {{"podName", "app-6f-x"}, {"podUID", "uid-1"}, {"heartbeatTime", "2026-11-23T10:00:00Z"}}}});
}

TEST_CASE("the second of two pods that claim at once loses", "[sidecar][claim]") {
  const Json seen = session_with(host("Pending"));
  const HostEntry entry = *host_entry(seen, "host-0");
  const Json after = seen.patch(claim_operations(entry, "host-0", {"other", "uid-2", "demo", ""}, kNow));
  CHECK_FALSE(applies(claim_operations(entry, "host-0", kPod, kNow), after));
}

TEST_CASE("what a pod writes after it lost its host does not apply", "[sidecar][claim]") {
  const Json mine = session_with(host("Running", "uid-1")), others = session_with(host("Running", "uid-2"));
  const HostEntry entry = *host_entry(mine, "host-0");
  const Json operations = GENERATE_COPY(heartbeat_operations(entry, "host-0", kPod, kNow),
                                        result_operations(entry, kPod, host("Succeeded", "uid-1")),
                                        give_back_operations(entry, "host-0", kPod));
  CHECK(applies(operations, mine));
  CHECK_FALSE(applies(operations, others));
  CHECK_FALSE(applies(operations, session_with(host("Failed", "uid-1"))));
}

TEST_CASE("a host given back is as if nobody had claimed it", "[sidecar][claim]") {
  const Json mine = session_with(host("Running", "uid-1"));
  const Json after = mine.patch(give_back_operations(*host_entry(mine, "host-0"), "host-0", kPod));
  CHECK(array_at(after, {"status", "stats"})[0] == Json{{"hostname", "host-0"}, {"phase", "Pending"}});
}

TEST_CASE("a session that ended, goes, or changed hands is not ours any more", "[sidecar][claim]") {
  CHECK(still_ours(session_with(host("Running", "uid-1")), "host-0", kPod));
  CHECK_FALSE(still_ours(session_with(host("Running", "uid-2")), "host-0", kPod));
  CHECK_FALSE(still_ours(session_with(host("Failed", "uid-1")), "host-0", kPod));
  CHECK_FALSE(still_ours(a_backup_session().phase("Failed").host(host("Running", "uid-1")).json(), "host-0", kPod));
  CHECK_FALSE(still_ours(a_backup_session().being_deleted().host(host("Running", "uid-1")).json(), "host-0", kPod));
  CHECK_FALSE(still_ours(Json::object(), "host-0", kPod));
}

TEST_CASE("the oldest session with our host pending comes next", "[sidecar][claim]") {
  const Json newer = a_backup_session("b").created(kNow).stamped().json();
  const Json older = a_backup_session("a").created(kNow - std::chrono::hours(1)).stamped().json();
  const Json done = a_backup_session("c").created({}).phase("Succeeded").host(host("Pending")).json();
  const Json taken = a_backup_session("d").created({}).phase("Running").host(host("Running", "uid-2")).json();
  const Json others = a_backup_session("e", "other-backup").created({}).stamped().json();
  const Json unstamped = a_backup_session("f").created({}).json();
  const auto next = next_session({&newer, &older, &done, &taken, &others, &unstamped}, "app-backup", "host-0", kPod);
  REQUIRE(next);
  CHECK(*next == NextSession{"a", "uid-a", {0, "Pending", "", ""}, false});
  CHECK_FALSE(next_session({&done, &taken, &others, &unstamped}, "app-backup", "host-0", kPod));
}

TEST_CASE("a restarted container resumes what its pod had claimed", "[sidecar][claim]") {
  const Json mine = session_with(host("Running", "uid-1"));
  const auto next = next_session({&mine}, "app-backup", "host-0", kPod);
  REQUIRE(next);
  CHECK(next->resume);
  CHECK_FALSE(next_session({&mine}, "app-backup", "host-0", {"app-6f-x", "", "demo", ""}));
}

TEST_CASE("a restore is done once, by one pod at a time, and again only after a failure", "[sidecar][claim]") {
  const auto turn = [](const api::HostStats& entry, const std::string& phase = "Running") {
    return restore_turn(a_restore_session().phase(phase).host(entry).json(), "host-0", kPod);
  };
  CHECK(turn(host("Pending")) == RestoreTurn::claim);
  CHECK(turn(host("Failed", "uid-2"), "Failed") == RestoreTurn::claim);
  CHECK(turn(host("Running", "uid-1")) == RestoreTurn::resume);
  CHECK(turn(host("Running", "uid-2")) == RestoreTurn::wait);
  CHECK(turn(host("Succeeded", "uid-2")) == RestoreTurn::nothing_to_do);
  CHECK(turn(host("Pending"), "Succeeded") == RestoreTurn::nothing_to_do);
  CHECK(restore_turn(a_restore_session().json(), "host-0", kPod) == RestoreTurn::wait);
  CHECK(restore_turn(a_restore_session().being_deleted().host(host("Pending")).json(), "host-0", kPod) ==
        RestoreTurn::nothing_to_do);
}

TEST_CASE("a failed restore is taken over with its old error gone", "[sidecar][claim]") {
  api::HostStats failed = host("Failed", "uid-2");
  failed.error = "wrong password";
  const Json session = a_restore_session().phase("Failed").host(failed).json();
  const Json operations = claim_operations(*host_entry(session, "host-0"), "host-0", kPod, kNow);
  REQUIRE(applies(operations, session));
  const Json after = session.patch(operations);
  CHECK(string_at(array_at(after, {"status", "stats"})[0], {"error"}).empty());
  // Somebody else's new try is not taken over.
  CHECK_FALSE(applies(operations, session.patch(claim_operations(*host_entry(session, "host-0"), "host-0",
                                                                 {"other", "uid-3", "demo", ""}, kNow))));
}

}  // namespace
}  // namespace stash::sidecar
