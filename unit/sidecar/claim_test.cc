#include "sidecar/claim.h"

#include <catch2/catch.hpp>

#include "api/names.h"
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
  CHECK(host_of("DaemonSet", kPod) == "node-1");
}

TEST_CASE("workloads whose replicas share their volumes are one host, however their pods are called",
          "[sidecar][claim]") {
  const std::string kind =
      GENERATE("Deployment", "ReplicaSet", "ReplicationController", "DeploymentConfig", "", "SomethingElse");
  const std::string pod = GENERATE("app-6f-x", "app-7", "app", "node-1");
  CHECK(host_of(kind, {pod, "u", "demo", "node-1"}) == "host-0");
}

TEST_CASE("a StatefulSet's host is what follows the last dash of the pod's name", "[sidecar][claim]") {
  const auto host = [](const std::string& pod) { return host_of("StatefulSet", {pod, "u", "demo", "node-1"}); };
  CHECK(host("db-0") == "host-0");
  CHECK(host("web-2-13") == "host-13");
  CHECK(host("a--b.c-4") == "host-4");
  CHECK(host("db-0004") == "host-0004");
  CHECK(host("db-123456789012345678901234567890") == "host-123456789012345678901234567890");
  for (const char* odd : {"", "-", "db", "db-", "db-x", "db-1x", "db-+1", "db- 1", "db-\xD9\xA1"}) {
    CAPTURE(odd);
    const auto none = host(odd);
    REQUIRE_FALSE(none);
    CHECK(none.error().message.find("has no ordinal") != std::string::npos);
  }
}

TEST_CASE("a DaemonSet's host is its node, and without one there is none", "[sidecar][claim]") {
  CHECK(host_of("DaemonSet", {"agent-x2b", "u", "demo", "ip-10-0-0-1.example.internal"}) ==
        "ip-10-0-0-1.example.internal");
  const auto none = host_of("DaemonSet", {"agent-x2b", "u", "demo", ""});
  REQUIRE_FALSE(none);
  CHECK(none.error().message.find("NODE_NAME") != std::string::npos);
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

TEST_CASE("the second of two pods that claim at once loses", "[sidecar][claim][F25][I7]") {
  const Json seen = session_with(host("Pending"));
  const HostEntry entry = *host_entry(seen, "host-0");
  const Json after = seen.patch(claim_operations(entry, "host-0", {"other", "uid-2", "demo", ""}, kNow));
  CHECK_FALSE(applies(claim_operations(entry, "host-0", kPod, kNow), after));
}

TEST_CASE("a sign of life tells how far the work has come, and whoever comes next tells its own",
          "[sidecar][claim][progress]") {
  const Json mine = session_with(host("Running", "uid-1"));
  const Json told = mine.patch(heartbeat_operations(*host_entry(mine, "host-0"), "host-0", kPod, kNow,
                                                    api::Progress{"backup /data", 42, 1, 2, 3, 4, 5}));
  CHECK(array_at(told, {"status", "stats"})[0]["progress"] == Json{{"step", "backup /data"},
                                                                   {"percentDone", 42},
                                                                   {"filesDone", 1},
                                                                   {"totalFiles", 2},
                                                                   {"bytesDone", 3},
                                                                   {"totalBytes", 4},
                                                                   {"secondsRemaining", 5}});
  const Json given_back = told.patch(give_back_operations(*host_entry(told, "host-0"), "host-0", kPod));
  CHECK_FALSE(array_at(given_back, {"status", "stats"})[0].contains("progress"));
  Json taken_away = told;
  taken_away["status"]["stats"][0]["phase"] = "Pending";
  const Json claimed = taken_away.patch(claim_operations(*host_entry(taken_away, "host-0"), "host-0", kPod, kNow));
  CHECK_FALSE(array_at(claimed, {"status", "stats"})[0].contains("progress"));
}

TEST_CASE("whoever resumes a host takes away that it was thawed before, for it is about to be frozen anew",
          "[sidecar][claim][F3][I9]") {
  const auto [action, phase, stays] =
      GENERATE(table<std::string, std::string, bool>({{"postBackup", "Succeeded", false},
                                                      {"postBackup", "Failed", false},
                                                      {"postBackup", "Running", true},
                                                      {"preBackup", "Succeeded", true}}));
  CAPTURE(action, phase);
  api::HostStats entry = host("Running", "uid-1");
  entry.hook = api::HookStatus{action, phase, "", kNow};
  const Json mine = session_with(entry);
  const Json resumed = mine.patch(resume_operations(*host_entry(mine, "host-0"), "host-0", kPod, kNow, Counted::yes));
  CHECK(array_at(resumed, {"status", "stats"})[0].contains("hook") == stays);
}

TEST_CASE("a restart of the container is counted in the claim, and a new claim begins at none",
          "[sidecar][claim][F6][I6]") {
  const Json mine = session_with(host("Running", "uid-1"));
  const Json resumed = mine.patch(resume_operations(*host_entry(mine, "host-0"), "host-0", kPod, kNow, Counted::yes));
  CHECK(host_entry(resumed, "host-0")->restarts == 1);
  Json taken_away = resumed;
  taken_away["status"]["stats"][0]["phase"] = "Pending";
  const Json claimed = taken_away.patch(claim_operations(*host_entry(taken_away, "host-0"), "host-0", kPod, kNow));
  CHECK(host_entry(claimed, "host-0")->restarts == 0);
}

TEST_CASE("what a pod writes after it lost its host does not apply", "[sidecar][claim][F26][I7]") {
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

TEST_CASE("a restore is done once, by one pod at a time, and again only after a failure", "[sidecar][claim]") {
  const auto turn = [](const api::HostStats& entry, const std::string& phase = "Running") {
    return restore_turn(a_restore_session().phase(phase).host(entry).json(), "host-0", kPod);
  };
  CHECK(turn(host("Pending")) == RestoreTurn::claim);
  CHECK(turn(host("Failed", "uid-2"), "Failed") == RestoreTurn::claim);
  CHECK(turn(host("Running", "uid-1")) == RestoreTurn::resume);
  CHECK(turn(host("Running", "uid-2")) == RestoreTurn::wait);
  CHECK(turn(host("Succeeded", "uid-2")) == RestoreTurn::nothing_to_do);
  const auto tried = [&turn](std::string phase, std::string pod_uid, int attempts) {
    api::HostStats entry = host(std::move(phase), std::move(pod_uid));
    entry.attempts = attempts;
    return turn(entry);
  };
  CHECK(tried("Failed", "uid-2", 4) == RestoreTurn::claim);
  CHECK(tried("Failed", "uid-2", 5) == RestoreTurn::exhausted);
  CHECK(tried("Running", "uid-1", 4) == RestoreTurn::resume);
  CHECK(tried("Running", "uid-1", 5) == RestoreTurn::give_up);
  CHECK(tried("Running", "uid-2", 5) == RestoreTurn::wait);
  CHECK(tried("Pending", "", 5) == RestoreTurn::give_up);
  CHECK(tried("Succeeded", "uid-1", 5) == RestoreTurn::nothing_to_do);
  CHECK(turn(host("Pending"), "Succeeded") == RestoreTurn::nothing_to_do);
  CHECK(restore_turn(a_restore_session().json(), "host-0", kPod) == RestoreTurn::wait);
  Json superseded = a_restore_session().phase("Failed").host(host("Failed")).json();
  superseded["status"]["reason"] = api::names::kSuperseded;
  CHECK(restore_turn(superseded, "host-0", kPod) == RestoreTurn::exhausted);
  superseded["status"]["phase"] = "Running";
  superseded["status"]["stats"][0]["phase"] = "Pending";
  CHECK(restore_turn(superseded, "host-0", kPod) == RestoreTurn::exhausted);
  CHECK(restore_turn(a_restore_session().being_deleted().host(host("Pending")).json(), "host-0", kPod) ==
        RestoreTurn::nothing_to_do);
}

TEST_CASE("an attempt is counted with its claim, and not when it is given back", "[sidecar][claim]") {
  api::HostStats failed = host("Failed", "uid-2");
  failed.attempts = 2;
  const Json session = a_restore_session().phase("Failed").host(failed).json();
  const Json claimed =
      session.patch(claim_operations(*host_entry(session, "host-0"), "host-0", kPod, kNow, Counted::yes));
  CHECK(host_entry(claimed, "host-0")->attempts == 3);
  const Json returned = claimed.patch(give_back_operations(*host_entry(claimed, "host-0"), "host-0", kPod));
  CHECK(host_entry(returned, "host-0")->attempts == 2);
  const Json uncounted = session.patch(claim_operations(*host_entry(session, "host-0"), "host-0", kPod, kNow));
  CHECK(host_entry(uncounted, "host-0")->attempts == 2);
}

TEST_CASE("a request for a hook takes the place of what an earlier one came to", "[sidecar][claim]") {
  api::HostStats entry = host("Running", "uid-1");
  entry.hook = api::HookStatus{"preBackup", "Succeeded", "", kNow};
  const Json session = session_with(entry);
  const Json operations = hook_operations(*host_entry(session, "host-0"), "host-0", kPod, "postBackup", "some time");
  REQUIRE(applies(operations, session));
  CHECK(host_entry(session.patch(operations), "host-0")->hook == HookEntry{"postBackup", "Requested", "", "some time"});
  CHECK_FALSE(applies(operations, session_with(host("Running", "uid-2"))));
}

TEST_CASE("what one pod told of its snapshots goes with its claim", "[sidecar][claim]") {
  const Json mine = session_with(host("Running", "uid-1"));
  const Json operations = told_operations(*host_entry(mine, "host-0"), "host-0", kPod, kNow, true);
  REQUIRE(applies(operations, mine));
  CHECK_FALSE(applies(operations, session_with(host("Running", "uid-2"))));
  const Json told = mine.patch(operations);
  CHECK(string_at(array_at(told, {"status", "stats"})[0], {"phase"}) == "Running");
  CHECK(bool_at(array_at(told, {"status", "stats"})[0], {"backedUp"}));

  const Json returned = told.patch(give_back_operations(*host_entry(told, "host-0"), "host-0", kPod));
  CHECK(array_at(returned, {"status", "stats"})[0] == Json{{"hostname", "host-0"}, {"phase", "Pending"}});
  // A controller that does not know of it gave the host back.
  api::HostStats pending = host("Pending");
  pending.backed_up = true;
  const Json left = session_with(pending);
  const Json claimed = left.patch(claim_operations(*host_entry(left, "host-0"), "host-0", kPod, kNow));
  CHECK_FALSE(host_entry(claimed, "host-0")->told);
}

TEST_CASE("which snapshots lack files is known to every pod that takes the host", "[sidecar][claim][F3][F9][I5]") {
  const Json mine = session_with(host("Running", "uid-1"));
  const std::vector<std::string> snapshots{"c4aff7e4"};
  const Json told =
      mine.patch(heartbeat_operations(*host_entry(mine, "host-0"), "host-0", kPod, kNow, std::nullopt, snapshots));
  CHECK(host_entry(told, "host-0")->incomplete == snapshots);
  const Json beaten = told.patch(heartbeat_operations(*host_entry(told, "host-0"), "host-0", kPod, kNow));
  const Json returned = beaten.patch(give_back_operations(*host_entry(beaten, "host-0"), "host-0", kPod));
  const Json claimed = returned.patch(claim_operations(*host_entry(returned, "host-0"), "host-0", kPod, kNow));
  CHECK(host_entry(claimed, "host-0")->incomplete == snapshots);
  const Json at_once = mine.patch(give_back_operations(*host_entry(mine, "host-0"), "host-0", kPod, snapshots));
  CHECK(host_entry(at_once, "host-0")->incomplete == snapshots);
}

TEST_CASE("which snapshots a restore takes is known to every pod that takes the host", "[sidecar][claim][F5][I13]") {
  const Json mine = session_with(host("Running", "uid-1"));
  const std::vector<api::SnapshotStats> chosen{{.name = "d2769cc2", .path = "/data"},
                                               {.name = "4f1e7c66", .path = "/b"}};
  const Json told = mine.patch(chosen_operations(*host_entry(mine, "host-0"), "host-0", kPod, kNow, chosen));
  CHECK(told["status"]["stats"][0]["snapshots"] ==
        Json::array({{{"name", "d2769cc2"}, {"path", "/data"}}, {{"name", "4f1e7c66"}, {"path", "/b"}}}));
  const Json returned = told.patch(give_back_operations(*host_entry(told, "host-0"), "host-0", kPod));
  const Json claimed = returned.patch(claim_operations(*host_entry(returned, "host-0"), "host-0", kPod, kNow));
  CHECK(host_entry(claimed, "host-0")->chosen == chosen);
  const Json anothers = session_with(host("Running", "uid-2"));
  CHECK_FALSE(applies(chosen_operations(*host_entry(anothers, "host-0"), "host-0", kPod, kNow, chosen), anothers));
}

TEST_CASE("what another pod asked for is gone when a host is claimed", "[sidecar][claim]") {
  api::HostStats entry = host("Pending");
  entry.hook = api::HookStatus{"postBackup", "Requested", "", kNow};
  const Json session = session_with(entry);
  const Json operations = claim_operations(*host_entry(session, "host-0"), "host-0", kPod, kNow);
  REQUIRE(applies(operations, session));
  CHECK(host_entry(session.patch(operations), "host-0")->hook == HookEntry{});
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
