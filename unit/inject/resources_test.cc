#include "inject/resources.h"

#include <catch2/catch.hpp>
#include <random>

#include "api/quantity.h"
#include "unit/inject/scene.h"

// The pod stays what it was for the scheduler, for quotas and for autoscalers.
namespace stash::test {
namespace {

inject::DefaultResources some_defaults() {
  return {.requests = {{"cpu", "10m"}, {"memory", "32Mi"}, {"ephemeral-storage", "64Mi"}},
          .limits = {{"cpu", "1"}, {"memory", "1Gi"}, {"ephemeral-storage", "4Gi"}},
          .guaranteed = {{"cpu", "100m"}, {"memory", "256Mi"}}};
}

WorkloadBuilder with_resources(Json resources) {
  return a_workload().with(
      [&](Json& w) { w["spec"]["template"]["spec"]["containers"][0]["resources"] = std::move(resources); });
}

Json resources_in(const Json& workload, const Json& wishes = Json::object()) {
  return inject::container_resources(workload, some_defaults(), wishes);
}

Scene with_backup(const inject::DefaultResources& defaults = some_defaults()) {
  return Scene().backup(a_backup_configuration()).with_settings([&](auto& s) { s.resources = defaults; });
}

const Json kGuaranteed = {{"limits", {{"cpu", "2"}, {"memory", "1Gi"}}},
                          {"requests", {{"cpu", "2000m"}, {"memory", "1024Mi"}}}};

TEST_CASE("where the author's containers state nothing, ours states nothing", "[inject][resources]") {
  CHECK(resources_in(a_workload()) == Json::object());
  CHECK(resources_in(with_resources({{"requests", {{"cpu", "0"}}}})) == Json::object());
}

TEST_CASE("what all of the author's containers request, ours requests, for an autoscaler needs it of each",
          "[inject][resources]") {
  const Json workload = with_resources({{"requests", {{"cpu", "1"}}}});
  CHECK(resources_in(workload) == Json{{"requests", {{"cpu", "10m"}}}});
  CHECK(resources_in(with_resources({{"requests", {{"cpu", "1"}}}}).container("mesh")) == Json::object());
}

TEST_CASE("what all of the author's containers limit, ours limits, for a quota needs it of each",
          "[inject][resources]") {
  CHECK(resources_in(with_resources({{"limits", {{"memory", "1Gi"}}}, {"requests", {{"cpu", "1"}}}})) ==
        Json{{"limits", {{"memory", "1Gi"}}}, {"requests", {{"cpu", "10m"}, {"memory", "32Mi"}}}});
  CHECK(resources_in(with_resources({{"limits", {{"memory", "1Gi"}}}}).container("mesh")) == Json::object());
}

TEST_CASE("one limit on ephemeral storage is enough, for the pod is evicted by their sum", "[inject][resources]") {
  CHECK(resources_in(with_resources({{"limits", {{"ephemeral-storage", "1Gi"}}}}).container("mesh")) ==
        Json{{"limits", {{"ephemeral-storage", "4Gi"}}}, {"requests", {{"ephemeral-storage", "64Mi"}}}});
}

TEST_CASE("in a Guaranteed pod request and limit are equal", "[inject][resources]") {
  const Json amounts = {{"cpu", "100m"}, {"memory", "256Mi"}};
  CHECK(resources_in(with_resources(kGuaranteed)) == Json{{"limits", amounts}, {"requests", amounts}});
  CHECK(resources_in(with_resources({{"limits", kGuaranteed["limits"]}})) ==
        Json{{"limits", amounts}, {"requests", amounts}});
}

TEST_CASE("an init container without limits makes the pod another than Guaranteed", "[inject][resources]") {
  CHECK(resources_in(with_resources(kGuaranteed).init_container("migrate")) ==
        Json{{"limits", {{"cpu", "1"}, {"memory", "1Gi"}}}, {"requests", {{"cpu", "10m"}, {"memory", "32Mi"}}}});
}

TEST_CASE("resources of the pod as a whole bound its containers, so ours states nothing", "[inject][resources]") {
  CHECK(resources_in(with_resources(kGuaranteed).pod_field("resources", {{"limits", {{"cpu", "3"}}}})) ==
        Json::object());
}

TEST_CASE("what the BackupConfiguration says counts part by part", "[inject][resources]") {
  const Json workload = with_resources({{"limits", {{"memory", "1Gi"}}}, {"requests", {{"cpu", "1"}}}});
  SECTION("requests of its own are all requests") {
    CHECK(resources_in(workload, {{"requests", {{"cpu", "20m"}}}}) ==
          Json{{"limits", {{"memory", "1Gi"}}}, {"requests", {{"cpu", "20m"}}}});
  }
  SECTION("limits of its own are all limits, and what has one needs no request") {
    CHECK(resources_in(workload, {{"limits", {{"memory", "2Gi"}}}}) ==
          Json{{"limits", {{"memory", "2Gi"}}}, {"requests", {{"cpu", "10m"}}}});
  }
  SECTION("a default limit gives way to a request above it") {
    CHECK(resources_in(workload, {{"requests", {{"memory", "3Gi"}}}}) ==
          Json{{"limits", {{"memory", "3Gi"}}}, {"requests", {{"memory", "3Gi"}}}});
  }
  SECTION("a Guaranteed pod stays one") {
    CHECK(resources_in(with_resources(kGuaranteed), {{"requests", {{"cpu", "20m"}}}}) ==
          Json{{"limits", {{"cpu", "20m"}, {"memory", "256Mi"}}}, {"requests", {{"cpu", "20m"}}}});
  }
}

TEST_CASE("a default request above the default limit is cut to it", "[inject][resources]") {
  inject::DefaultResources defaults = some_defaults();
  defaults.limits["memory"] = "16Mi";
  CHECK(
      inject::container_resources(with_resources({{"limits", {{"memory", "1Gi"}}}}).json(), defaults, Json::object()) ==
      Json{{"limits", {{"memory", "16Mi"}}}, {"requests", {{"memory", "16Mi"}}}});
}

TEST_CASE("without defaults nothing is set", "[inject][resources]") {
  CHECK(inject::container_resources(with_resources(kGuaranteed).json(), {}, Json::object()) == Json::object());
}

TEST_CASE("the chart's defaults are read, and what is no quantity is refused with its place", "[inject][resources]") {
  const auto defaults = inject::parse_default_resources(R"({"requests":{"cpu":"10m"},"limits":{"cpu":1}})");
  REQUIRE(defaults);
  CHECK(defaults->requests == Json{{"cpu", "10m"}});
  CHECK(defaults->limits == Json{{"cpu", "1"}});
  CHECK(defaults->guaranteed == Json::object());
  CHECK(inject::parse_default_resources(R"({"limits":{"cpu":"much"}})").error().message ==
        "/limits/cpu: not a quantity");
  CHECK_FALSE(inject::parse_default_resources(R"({"limits":{"nvidia.com/gpu":"1"}})"));
  CHECK_FALSE(inject::parse_default_resources("{"));
}

TEST_CASE("sidecar and stash-init get the default resources", "[inject][resources]") {
  const Json workload = with_backup().restore(a_restore_session()).injected(with_resources(kGuaranteed));
  const Json amounts = {{"cpu", "100m"}, {"memory", "256Mi"}};
  CHECK(sidecar_in(workload)["resources"] == Json{{"limits", amounts}, {"requests", amounts}});
  CHECK(init_container_in(workload)["resources"] == Json{{"limits", amounts}, {"requests", amounts}});
}

TEST_CASE("other defaults in the chart restart nobody's pods", "[inject][resources]") {
  const Json live = as_stored(with_backup().injected(with_resources(kGuaranteed)));
  const Scene none = with_backup({});
  CHECK(none.inject(live, &live).patch.empty());
  const Json injected_without = as_stored(none.injected(with_resources(kGuaranteed)));
  CHECK(with_backup().inject(injected_without, &injected_without).patch.empty());
}

TEST_CASE("a change of the template brings the new defaults", "[inject][resources]") {
  const Json live = as_stored(with_backup({}).injected(with_resources(kGuaranteed)));
  Json changed = live;
  changed["spec"]["template"]["spec"]["containers"][0]["image"] = "busybox:2";
  const Json updated = with_backup().injected(changed, &live);
  CHECK(sidecar_in(updated)["resources"]["limits"] == Json{{"cpu", "100m"}, {"memory", "256Mi"}});
  CHECK(sidecar_in(with_backup({}).injected(updated))["resources"] == Json::object());
}

TEST_CASE("resources that the author changes change ours in the same write", "[inject][resources]") {
  const Json live = as_stored(with_backup().injected(a_workload()));
  Json changed = live;
  changed["spec"]["template"]["spec"]["containers"][0]["resources"] = {{"limits", {{"memory", "1Gi"}}}};
  CHECK(sidecar_in(with_backup().injected(changed, &live))["resources"] ==
        Json{{"limits", {{"memory", "1Gi"}}}, {"requests", {{"memory", "32Mi"}}}});
}

TEST_CASE("quantities that the API server writes differently change nothing", "[inject][resources]") {
  auto defaults = some_defaults();
  defaults.limits["cpu"] = "1000m";
  const Json injected = with_backup(defaults).injected(with_resources({{"limits", {{"cpu", "2"}}}}));
  Json stored = as_stored(injected);
  stored["spec"]["template"]["spec"]["containers"][1]["resources"]["limits"]["cpu"] = "1";
  CHECK(with_backup(defaults).inject(stored).patch.empty());
}

/// As the kubelet and the API server judge: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
std::string qos_class(const Json& workload) {
  bool any = false, guaranteed = true;
  for (const char* list : {"containers", "initContainers"}) {
    for (const Json& container : array_at(workload, {"spec", "template", "spec", list})) {
      for (const char* resource : {"cpu", "memory"}) {
        const std::string limit = string_at(container, {"resources", "limits", resource});
        const std::string request = string_at(container, {"resources", "requests", resource}, limit);
        any = any || !limit.empty() || !request.empty();
        guaranteed = guaranteed && !limit.empty() && api::same_quantity(limit, request);
      }
    }
  }
  return guaranteed ? "Guaranteed" : any ? "Burstable" : "BestEffort";
}

TEST_CASE("injection keeps the QoS class and what a quota demands, whatever the containers state",
          "[inject][resources][property]") {
  std::mt19937 random(1);
  const auto one_of = [&](std::vector<std::string> values) { return values[random() % values.size()]; };
  for (int round = 0; round < 500; ++round) {
    INFO("round " << round);
    WorkloadBuilder builder = a_workload();
    if (round % 3 == 0) builder.container("second");
    if (round % 4 == 0) builder.init_container("init");
    const Json workload = builder.with([&](Json& w) {
      for (const char* list : {"containers", "initContainers"}) {
        if (!w["spec"]["template"]["spec"].contains(list)) continue;
        for (Json& container : w["spec"]["template"]["spec"][list]) {
          for (const char* part : {"requests", "limits"}) {
            for (const char* resource : {"cpu", "memory", "ephemeral-storage"}) {
              if (random() % 4 != 0) container["resources"][part][resource] = part[0] == 'l' ? "2" : one_of({"1", "2"});
            }
          }
        }
      }
    });
    const Json injected = with_backup().injected(workload);
    CHECK(qos_class(injected) == qos_class(workload));
    const Json& ours = sidecar_in(injected);
    for (const char* resource : {"cpu", "memory", "ephemeral-storage"}) {
      bool all_request = true, all_limit = true;
      for (const Json& container : array_at(workload, {"spec", "template", "spec", "containers"})) {
        const Json& resources = object_at(container, {"resources"});
        const bool limit = at(resources, {"limits", resource}) != nullptr;
        all_limit = all_limit && limit;
        all_request = all_request && (limit || at(resources, {"requests", resource}) != nullptr);
      }
      CHECK((!all_request || at(ours, {"resources", "requests", resource}) != nullptr));
      CHECK((!all_limit || at(ours, {"resources", "limits", resource}) != nullptr));
    }
    CHECK(Scene().injected(injected) == workload);
  }
}

}  // namespace
}  // namespace stash::test
