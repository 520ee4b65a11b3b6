#include "cli/restore_hosts.h"

#include <catch2/catch.hpp>

#include "unit/support/objects.h"

using namespace stash;
using namespace stash::cli;
using namespace stash::test;

namespace {

using Hosts = std::vector<std::string>;

const api::TargetRef kStatefulSet{"apps/v1", "StatefulSet", "web"};
const api::TargetRef kDaemonSet{"apps/v1", "DaemonSet", "agent"};

Json of_replicas(int replicas, int first = 0) {
  return {{"spec", {{"replicas", replicas}, {"ordinals", {{"start", first}}}}}};
}

Json of_nodes(int wanted) {
  return {{"metadata", {{"uid", "uid-agent"}}}, {"status", {{"desiredNumberScheduled", wanted}}}};
}

Json pod_on(const std::string& node, const std::string& owner = "uid-agent") {
  return {{"metadata", {{"name", "agent-" + node}, {"ownerReferences", {{{"uid", owner}, {"controller", true}}}}}},
          {"spec", {{"nodeName", node}}}};
}

const Json kSessions =
    Json::array({a_backup_session("b").created(kCreated + std::chrono::hours(2)).phase("Skipped").json(),
                 a_backup_session("a")
                     .created(kCreated + std::chrono::hours(1))
                     .host("host-0", "Failed")
                     .host("host-1", "Succeeded")
                     .json(),
                 a_backup_session("c").host("host-9", "Succeeded").json()});

}  // namespace

TEST_CASE("the hosts of a StatefulSet are its ordinals", "[cli][restore]") {
  CHECK(hosts_of_target(kStatefulSet, {.workload = of_replicas(2, 3), .sessions = kSessions}) ==
        Hosts{"host-3", "host-4"});
}

TEST_CASE("the hosts of a StatefulSet at zero are those of the newest session that had any", "[cli][restore]") {
  CHECK(hosts_of_target(kStatefulSet, {.workload = of_replicas(0), .sessions = kSessions}) ==
        Hosts{"host-0", "host-1"});
  CHECK(hosts_of_target(kStatefulSet, {.workload = nullptr, .sessions = kSessions}) == Hosts{"host-0", "host-1"});
  CHECK(hosts_of_target(kStatefulSet, {}).empty());
}

TEST_CASE("the hosts of a DaemonSet are the nodes of its own pods", "[cli][restore]") {
  CHECK(hosts_of_target(kDaemonSet,
                        {.workload = of_nodes(2), .pods = {pod_on("b"), pod_on("a"), pod_on("c", "of-another")}}) ==
        Hosts{"a", "b"});
}

TEST_CASE("while a node waits for its pod the newest session tells which it may be", "[cli][restore]") {
  const Json sessions = Json::array({a_backup_session().host("a", "Succeeded").host("b", "Succeeded").json()});
  CHECK(hosts_of_target(kDaemonSet, {.workload = of_nodes(2), .pods = {pod_on("b")}, .sessions = sessions}) ==
        Hosts{"b", "a"});
}
