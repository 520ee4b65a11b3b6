#include "cli/restore_plan.h"

#include <catch2/catch.hpp>

#include "inject/restore_rules.h"
#include "unit/support/objects.h"

using namespace stash;
using namespace stash::cli;
using namespace stash::test;
using std::chrono::hours;

namespace {

SnapshotFacts snapshot(const std::string& id, hours after, const std::string& host = "host-0",
                       const std::string& path = "/source/data") {
  return {id, host, kCreated + after, {path}, false, ""};
}

const std::vector<SnapshotFacts> kKnown = {snapshot("aa000000", hours(1)), snapshot("ab000000", hours(2)),
                                           snapshot("bb000000", hours(3))};

api::BackupConfiguration a_stateful_one() { return a_backup_configuration().target({"apps/v1", "StatefulSet", "web"}); }

/// What is made must be what controller and sidecar accept.
api::RestoreSession decoded(const Result<Json>& json) {
  REQUIRE(json);
  const auto session = api::decode<api::RestoreSession>(*json);
  REQUIRE(session);
  CHECK(inject::unusable(*session, {}).empty());
  return *session;
}

}  // namespace

TEST_CASE("the latest is restored by paths, into the workload that was backed up", "[cli][restore]") {
  const auto session = decoded(plan_restore(a_backup_configuration(), {}, {}, kCreated));
  CHECK(session.metadata.name == "app-backup-1700000000");
  CHECK(session.metadata.ns == "demo");
  CHECK(session.spec.repository == "repo");
  CHECK(session.spec.target->ref == kTarget);
  CHECK(session.spec.target->volume_mounts == std::vector<api::VolumeMount>{{"source-data", "/source/data", ""}});
  REQUIRE(session.spec.rules.size() == 1);
  CHECK(session.spec.rules[0].paths == std::vector<std::string>{"/source/data"});
}

TEST_CASE("a snapshot is restored by its id", "[cli][restore]") {
  const auto session = decoded(plan_restore(a_backup_configuration(), {.snapshots = {"bb000000"}}, kKnown, kCreated));
  CHECK(session.spec.rules[0].snapshots == std::vector<std::string>{"bb000000"});
  CHECK(session.spec.rules[0].target_hosts.empty());
  CHECK(session.spec.rules[0].paths.empty());
}

TEST_CASE("an id that no sidecar could be asked about is taken as it is", "[cli][restore]") {
  const auto session = decoded(plan_restore(a_backup_configuration(), {.snapshots = {"0123abcd"}}, {}, kCreated));
  CHECK(session.spec.rules[0].snapshots == std::vector<std::string>{"0123abcd"});
}

TEST_CASE("what is no id, or could be two, is refused", "[cli][restore]") {
  const auto refused = [](const std::string& id) {
    return plan_restore(a_backup_configuration(), {.snapshots = {id}},
                        {snapshot("aaaa0000", hours(1)), snapshot("aaaa1111", hours(2))}, kCreated);
  };
  CHECK(refused("latest").error().message.starts_with("--snapshot latest is no snapshot id"));
  CHECK(refused("aa").error().message.starts_with("--snapshot aa is no snapshot id"));
  CHECK(refused("aaaa").error().message == "--snapshot aaaa could be aaaa0000 or aaaa1111: give more digits");
}

TEST_CASE("the state at a time is the newest snapshot before it", "[cli][restore]") {
  const auto session =
      decoded(plan_restore(a_backup_configuration(), {.time = kCreated + hours(2)}, kKnown, kCreated + hours(9)));
  CHECK(session.spec.rules[0].snapshots == std::vector<std::string>{"ab000000"});
}

TEST_CASE("an incomplete snapshot is no state to go back to", "[cli][restore]") {
  auto known = kKnown;
  known[1].incomplete = true;
  const auto session = decoded(plan_restore(a_backup_configuration(), {.time = kCreated + hours(2)}, known, kCreated));
  CHECK(session.spec.rules[0].snapshots == std::vector<std::string>{"aa000000"});
}

TEST_CASE("a time before the first backup names the oldest there is", "[cli][restore]") {
  CHECK(plan_restore(a_backup_configuration(), {.time = kCreated}, kKnown, kCreated).error().message ==
        "BackupConfiguration demo/app-backup has no complete snapshot from 2023-11-14T22:13:20Z or before; the oldest "
        "that is known is of 2023-11-14T23:13:20Z");
}

TEST_CASE("by time every path needs its snapshot", "[cli][restore]") {
  const auto configuration = a_backup_configuration().paths({"/source/data/", "/source/log"});
  CHECK(plan_restore(configuration, {.time = kCreated + hours(2)}, kKnown, kCreated).error().message ==
        "BackupConfiguration demo/app-backup has no complete snapshot of /source/log from 2023-11-15T00:13:20Z or "
        "before");
}

TEST_CASE("each host of a StatefulSet gets a rule of its own", "[cli][restore]") {
  const std::vector<SnapshotFacts> known = {snapshot("aa000000", hours(1), "host-0"),
                                            snapshot("bb000000", hours(1), "host-1"),
                                            snapshot("cc000000", hours(2), "host-1")};
  const auto session = decoded(plan_restore(a_stateful_one(), {.time = kCreated + hours(5)}, known, kCreated));
  REQUIRE(session.spec.rules.size() == 2);
  CHECK(session.spec.rules[0].target_hosts == std::vector<std::string>{"host-0"});
  CHECK(session.spec.rules[0].snapshots == std::vector<std::string>{"aa000000"});
  CHECK(session.spec.rules[1].snapshots == std::vector<std::string>{"cc000000"});

  const auto by_id = decoded(plan_restore(a_stateful_one(), {.snapshots = {"bb000000"}}, known, kCreated));
  CHECK(by_id.spec.rules[0].target_hosts == std::vector<std::string>{"host-1"});
  CHECK(plan_restore(a_stateful_one(), {.snapshots = {"dddd0000"}}, known, kCreated).error().code ==
        ErrorCode::not_found);
}

TEST_CASE("another workload may be the target", "[cli][restore]") {
  const auto session =
      decoded(plan_restore(a_backup_configuration(),
                           {.name = "trial", .target = api::TargetRef{"apps/v1", "Deployment", "copy"}}, {}, kCreated));
  CHECK(session.metadata.name == "trial");
  CHECK(session.spec.target->ref.name == "copy");
}

TEST_CASE("a workload of one host gets the snapshot that is named, and no mixture of several hosts", "[cli][restore]") {
  const RestoreWish wish{.snapshots = {"bb000000"}, .target = api::TargetRef{"apps/v1", "Deployment", "copy"}};
  const auto known = {snapshot("bb000000", hours(1), "host-1")};
  const auto session = decoded(plan_restore(a_stateful_one(), wish, known, kCreated));
  CHECK(session.spec.rules.front().target_hosts.empty());
  CHECK(session.spec.rules.front().snapshots == std::vector<std::string>{"bb000000"});
  CHECK(plan_restore(a_stateful_one(), {.time = kCreated + hours(5), .target = wish.target}, known, kCreated)
            .error()
            .message ==
        "BackupConfiguration demo/app-backup backs up several hosts, and Deployment copy is one: say "
        "with --snapshot whose data it gets");
}

TEST_CASE("every host of a workload gets the data of the only one that was backed up", "[cli][restore]") {
  const auto session = decoded(plan_restore(
      a_backup_configuration(), {.target = api::TargetRef{"apps/v1", "StatefulSet", "copy"}}, {}, kCreated));
  CHECK(session.spec.rules.front().source_host == "host-0");
}

TEST_CASE("workloads are named as kubectl names them", "[cli][restore]") {
  CHECK(parse_workload("deployment/web").value() == api::TargetRef{"apps/v1", "Deployment", "web"});
  CHECK(parse_workload("sts/web").value() == api::TargetRef{"apps/v1", "StatefulSet", "web"});
  CHECK(parse_workload("ReplicationControllers/web").value() == api::TargetRef{"v1", "ReplicationController", "web"});
  for (const char* wrong : {"web", "pod/web", "deployment/", "a/b/c", ""}) CHECK_FALSE(parse_workload(wrong));
}
