#include "api/workload_kind.h"

#include <catch2/catch.hpp>

using namespace stash::api;

TEST_CASE("a kind is found whatever the version of its group, and where it lived before", "[api][workload]") {
  for (const char* version : {"apps/v1", "apps/v1beta2", "extensions/v1beta1"}) {
    const WorkloadKind* kind = workload_kind(TargetRef{version, "Deployment", "web"});
    REQUIRE(kind != nullptr);
    CHECK(kind->resource.plural == "deployments");
  }
  CHECK(workload_kind("", "ReplicationController") != nullptr);
  CHECK(workload_kind("apps.openshift.io", "DeploymentConfig") != nullptr);
}

TEST_CASE("a kind of another group is another kind", "[api][workload]") {
  CHECK(workload_kind(TargetRef{"v1", "Deployment", "web"}) == nullptr);
  CHECK(workload_kind("apps", "ReplicationController") == nullptr);
  CHECK(workload_kind("apps", "deployment") == nullptr);
  CHECK(workload_kind("batch", "Job") == nullptr);
}

TEST_CASE("hosts divide as Stash divides them", "[api][workload]") {
  CHECK(workload_kind("apps", "StatefulSet")->hosts == HostScheme::ordinals);
  CHECK(workload_kind("apps", "DaemonSet")->hosts == HostScheme::nodes);
  for (const char* kind : {"Deployment", "ReplicaSet"}) CHECK(workload_kind("apps", kind)->hosts == HostScheme::single);
}

TEST_CASE("a workload's text names it again", "[api][workload]") {
  for (const WorkloadKind& kind : workload_kinds()) {
    const auto read = workload_ref(to_string(WorkloadRef{&kind, {"demo", "web"}}));
    REQUIRE(read);
    CHECK(read->kind == &kind);
    CHECK(read->ref == ObjectRef{"demo", "web"});
  }
  CHECK_FALSE(workload_ref("demo/web"));
  CHECK_FALSE(workload_ref("Job demo/web"));
}
