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

const std::vector<std::string> kTwoHosts = {"host-0", "host-1"};

/// Of a StatefulSet, two of whose hosts have been backed up.
Result<RestorePlan> plan_of(const RestoreWish& wish, const std::vector<std::string>& hosts = kTwoHosts) {
  return plan_restore(a_stateful_one(), wish,
                      {{snapshot("aa000000", hours(1), "host-0"), snapshot("bb000000", hours(1), "host-1"),
                        snapshot("cc000000", hours(2), "host-1")},
                       true,
                       hosts},
                      kCreated);
}

/// What is made must be what controller and sidecar accept.
api::RestoreSession decoded(const Result<RestorePlan>& plan, const std::vector<std::string>& hosts = {"host-0"}) {
  REQUIRE(plan);
  const auto session = api::decode<api::RestoreSession>(plan->session);
  REQUIRE(session);
  CHECK(inject::unusable(*session, hosts).empty());
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
  const auto session = decoded(plan_restore(a_backup_configuration(), {.snapshots = {"bb000000"}}, {kKnown}, kCreated));
  CHECK(session.spec.rules[0].snapshots == std::vector<std::string>{"bb000000"});
  CHECK(session.spec.rules[0].target_hosts.empty());
  CHECK(session.spec.rules[0].paths.empty());
}

TEST_CASE("an id that no sidecar could be asked about is taken as it is", "[cli][restore]") {
  const auto session = decoded(plan_restore(a_backup_configuration(), {.snapshots = {"0123abcd"}}, {}, kCreated));
  CHECK(session.spec.rules[0].snapshots == std::vector<std::string>{"0123abcd"});
}

TEST_CASE("paths that no named snapshot is of are told, for they stay as they are", "[cli][restore]") {
  const auto configuration = a_backup_configuration().paths({"/source/data/", "/source/log", "/source/mail"});
  const std::vector<SnapshotFacts> known = {snapshot("aa000000", hours(1)),
                                            snapshot("ab000000", hours(1), "host-0", "/source/log"),
                                            snapshot("ac000000", hours(1), "host-0", "/source")};
  const auto left_out = [&](std::vector<std::string> ids) {
    const auto plan = plan_restore(configuration, {.snapshots = std::move(ids)}, {known}, kCreated);
    REQUIRE(plan);
    return plan->left_out;
  };
  CHECK(left_out({"aa000000"}) ==
        "no --snapshot is of /source/log, /source/mail: what is there stays as it is. To bring back all, name one of "
        "each path (kubectl stash snapshots repo -n demo)");
  CHECK(left_out({"aa000000", "ab000000"}).starts_with("no --snapshot is of /source/mail: "));
  CHECK(left_out({"ac000000"}).empty());
  CHECK(left_out({"aa000000", "0123abcd"}).empty());
}

TEST_CASE("of several hosts each tells the paths that stay as they are", "[cli][restore]") {
  const auto configuration =
      a_backup_configuration().target({"apps/v1", "StatefulSet", "web"}).paths({"/source/data", "/source/log"});
  const std::vector<SnapshotFacts> known = {snapshot("aa000000", hours(1)),
                                            snapshot("ab000000", hours(1), "host-0", "/source/log"),
                                            snapshot("bb000000", hours(1), "host-1")};
  const auto plan = plan_restore(configuration, {.snapshots = {"aa000000", "ab000000", "bb000000"}},
                                 {known, true, kTwoHosts}, kCreated);
  REQUIRE(plan);
  CHECK(plan->left_out.starts_with("no --snapshot is of /source/log of host-1: "));
}

TEST_CASE("what is no id, or could be two, is refused", "[cli][restore]") {
  const auto refused = [](const std::string& id) {
    return plan_restore(a_backup_configuration(), {.snapshots = {id}},
                        {{snapshot("aaaa0000", hours(1)), snapshot("aaaa1111", hours(2))}}, kCreated);
  };
  CHECK(refused("latest").error().message.starts_with("--snapshot latest is no snapshot id"));
  CHECK(refused("aa").error().message.starts_with("--snapshot aa is no snapshot id"));
  CHECK(refused("aaaa").error().message == "--snapshot aaaa could be aaaa0000 or aaaa1111: give more digits");
}

TEST_CASE("the state at a time is the newest snapshot before it", "[cli][restore]") {
  const auto session =
      decoded(plan_restore(a_backup_configuration(), {.time = kCreated + hours(2)}, {kKnown}, kCreated + hours(9)));
  CHECK(session.spec.rules[0].snapshots == std::vector<std::string>{"ab000000"});
}

TEST_CASE("an incomplete snapshot is no state to go back to", "[cli][restore]") {
  auto known = kKnown;
  known[1].incomplete = true;
  const auto session =
      decoded(plan_restore(a_backup_configuration(), {.time = kCreated + hours(2)}, {known}, kCreated));
  CHECK(session.spec.rules[0].snapshots == std::vector<std::string>{"aa000000"});
}

TEST_CASE("a time before the first backup names the oldest there is", "[cli][restore]") {
  CHECK(plan_restore(a_backup_configuration(), {.time = kCreated}, {kKnown}, kCreated).error().message ==
        "BackupConfiguration demo/app-backup has no complete snapshot from 2023-11-14T22:13:20Z or before; the oldest "
        "that is known is of 2023-11-14T23:13:20Z");
}

TEST_CASE("by time a workload of one host never gets the data of another workload's host", "[cli][restore]") {
  const std::vector<SnapshotFacts> known = {snapshot("dd000000", hours(0), "node-a"), snapshot("aa000000", hours(1)),
                                            snapshot("ee000000", hours(2), "node-a")};
  const auto session =
      decoded(plan_restore(a_backup_configuration(), {.time = kCreated + hours(3)}, {known}, kCreated));
  CHECK(session.spec.rules[0].snapshots == std::vector<std::string>{"aa000000"});
  CHECK(plan_restore(a_backup_configuration(), {.time = kCreated}, {known}, kCreated)
            .error()
            .message.ends_with("or before; the oldest that is known is of 2023-11-14T23:13:20Z"));
}

TEST_CASE("by time every path needs its snapshot", "[cli][restore]") {
  const auto configuration = a_backup_configuration().paths({"/source/data/", "/source/log"});
  CHECK(plan_restore(configuration, {.time = kCreated + hours(2)}, {kKnown}, kCreated).error().message ==
        "BackupConfiguration demo/app-backup has no complete snapshot of /source/log from 2023-11-15T00:13:20Z or "
        "before");
}

TEST_CASE("each host of a StatefulSet gets a rule of its own", "[cli][restore]") {
  const auto session = decoded(plan_of({.time = kCreated + hours(5)}), kTwoHosts);
  REQUIRE(session.spec.rules.size() == 2);
  CHECK(session.spec.rules[0].target_hosts == std::vector<std::string>{"host-0"});
  CHECK(session.spec.rules[0].snapshots == std::vector<std::string>{"aa000000"});
  CHECK(session.spec.rules[1].snapshots == std::vector<std::string>{"cc000000"});

  const auto by_id = decoded(plan_of({.snapshots = {"bb000000", "aa000000"}}), kTwoHosts);
  REQUIRE(by_id.spec.rules.size() == 2);
  CHECK(by_id.spec.rules[1].target_hosts == std::vector<std::string>{"host-1"});
  CHECK(by_id.spec.rules[1].snapshots == std::vector<std::string>{"bb000000"});
  CHECK(plan_of({.snapshots = {"dddd0000"}}).error().code == ErrorCode::not_found);
}

TEST_CASE("a snapshot of one host is refused while another host would get no rule", "[cli][restore]") {
  CHECK(plan_of({.snapshots = {"bb000000"}}).error() ==
        Error{ErrorCode::invalid,
              "a restore is for every host of StatefulSet web, and no --snapshot is of host-0: name one of each "
              "(kubectl stash snapshots repo -n demo), or --time for the state of all, or add --others-latest to give "
              "the others their latest"});
}

TEST_CASE("hosts of which no snapshot is named get their latest when that is asked for", "[cli][restore]") {
  const auto by_id = decoded(plan_of({.snapshots = {"bb000000"}, .others_latest = true}), kTwoHosts);
  REQUIRE(by_id.spec.rules.size() == 2);
  CHECK(by_id.spec.rules[0].target_hosts == std::vector<std::string>{"host-1"});
  CHECK(by_id.spec.rules[1].target_hosts.empty());
  CHECK(by_id.spec.rules[1].paths == std::vector<std::string>{"/source/data"});
  const auto by_time = decoded(plan_of({.time = kCreated + hours(5), .others_latest = true}, {"host-0", "host-1"}),
                               {"host-0", "host-1", "new"});
  CHECK(by_time.spec.rules.back().paths == std::vector<std::string>{"/source/data"});
}

TEST_CASE("a host without any snapshot has no latest", "[cli][restore]") {
  for (const RestoreWish& wish : {RestoreWish{.snapshots = {"aa000000", "bb000000"}, .others_latest = true},
                                  RestoreWish{.time = kCreated + hours(5), .others_latest = true}}) {
    CHECK(plan_of(wish, {"host-0", "host-1", "host-2"}).error().message ==
          "a restore is for every host of StatefulSet web, and host-2 has no complete snapshot of /source/data at all: "
          "to give it the data of another one, write a RestoreSession with targetHosts and sourceHost "
          "(docs/restore.md)");
  }
}

TEST_CASE("a host that was not there at that time is named before anything is made", "[cli][restore]") {
  CHECK(plan_of({.time = kCreated + hours(1)}, {"host-0", "host-1", "host-2", "host-3"}).error() ==
        Error{ErrorCode::not_found,
              "BackupConfiguration demo/app-backup has no complete snapshot of host-2 (/source/data), host-3 "
              "(/source/data) from 2023-11-14T23:13:20Z or before, and a restore is for every host of StatefulSet web: "
              "give a later --time, or name snapshots with --snapshot, or add --others-latest to give these hosts "
              "their latest"});
}

TEST_CASE("hosts that are gone ask for nothing", "[cli][restore]") {
  const auto session = decoded(plan_of({.time = kCreated + hours(5)}, {"host-0"}));
  REQUIRE(session.spec.rules.size() == 1);
  CHECK(session.spec.rules[0].target_hosts == std::vector<std::string>{"host-0"});
  // host-1 has no snapshot of /source/log, and is no host any more.
  const std::vector<SnapshotFacts> known = {snapshot("aa000000", hours(1)),
                                            snapshot("ab000000", hours(1), "host-0", "/source/log"),
                                            snapshot("bb000000", hours(1), "host-1")};
  const auto configuration =
      a_backup_configuration().target({"apps/v1", "StatefulSet", "web"}).paths({"/source/data", "/source/log"});
  const auto two_paths =
      decoded(plan_restore(configuration, {.time = kCreated + hours(5)}, {known, true, {"host-0"}}, kCreated));
  CHECK(two_paths.spec.rules[0].snapshots == std::vector<std::string>{"aa000000", "ab000000"});
  CHECK(plan_of({.snapshots = {"bb000000"}}, {"host-0"}).error().message ==
        "snapshot bb000000 is of host-1, and StatefulSet web has no such host now, but host-0: to bring it into "
        "another one, write a RestoreSession whose rule has targetHosts (docs/restore.md)");
}

TEST_CASE("the oldest state that is told is one of a host that is there", "[cli][restore]") {
  CHECK(
      plan_of({.time = kCreated + hours(1)}, {"host-7"}).error().message.ends_with("or before; no snapshot is known"));
}

TEST_CASE("where the hosts are not known those that were backed up count", "[cli][restore]") {
  const auto session = decoded(plan_of({.time = kCreated + hours(5)}, {}), kTwoHosts);
  CHECK(session.spec.rules.size() == 2);
  CHECK(decoded(plan_of({.snapshots = {"bb000000"}}, {}), {"host-1"}).spec.rules.size() == 1);
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
  const std::vector<SnapshotFacts> known = {snapshot("bb000000", hours(1), "host-1")};
  const auto session = decoded(plan_restore(a_stateful_one(), wish, {known}, kCreated));
  CHECK(session.spec.rules.front().target_hosts.empty());
  CHECK(session.spec.rules.front().snapshots == std::vector<std::string>{"bb000000"});
  CHECK(plan_restore(a_stateful_one(), {.time = kCreated + hours(5), .target = wish.target}, {known}, kCreated)
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
