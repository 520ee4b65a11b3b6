#include "controller/sidecar_upgrade.h"

#include <catch2/catch.hpp>

#include "api/names.h"
#include "controller/upgrade_book.h"
#include "controller/workload_plan.h"
#include "support/fake_clock.h"
#include "unit/controller/worlds.h"
#include "unit/support/workloads.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

/// A Deployment that was injected by the version before, with all pods up, and its world.
struct Upgraded {
  Json workload;
  WorkloadWorld world;
  inject::Settings settings = some_settings();

  Upgraded() {
    world.kind = api::workload_kind("apps", "Deployment");
    world.inject.group = "apps";
    world.inject.kind = "Deployment";
    world.inject.ns = "demo";
    world.inject.namespace_labels = {{"stash.appscode.com/injection", "enabled"}};
    world.inject.configurations = {api::BackupConfiguration(a_backup_configuration())};
    world.inject.repository = [](const std::string& name) {
      return name == "repo" ? a_repository().shared() : nullptr;
    };
    workload = a_workload();
    workload["metadata"]["resourceVersion"] = "41";
    world.inject.workload = &workload;
    settings.image = "stash:1";
    workload = workload.patch(document(inject::inject(world.inject, settings, nullptr).patch));
    REQUIRE(inject::has_sidecar(workload));
    workload["metadata"]["generation"] = 2;
    workload["spec"]["replicas"] = 1;
    workload["status"] = {{"observedGeneration", 2}, {"replicas", 1}, {"updatedReplicas", 1}, {"readyReplicas", 1}};
    settings.image = "stash:2";
    settings.upgrade_at_once = true;
    // The rights of the sidecar are there already.
    for (const Write& write : plan_workload(world, settings).plan.writes) {
      if (write.resource == api::kRoles) world.sidecar_role = with_uid(write.body);
      if (write.resource == api::kRoleBindings) world.sidecar_binding = with_uid(write.body);
    }
  }
  Upgraded(const Upgraded&) = delete;
  Upgraded& operator=(const Upgraded&) = delete;

  static Json with_uid(Json object) {
    object["metadata"]["uid"] = "uid";
    return object;
  }
  WorkloadPlan plan() const { return plan_workload(world, settings); }
};

}  // namespace

TEST_CASE("by default a new image asks nobody to restart", "[controller][upgrade][I3]") {
  Upgraded scene;
  scene.settings.upgrade_at_once = false;
  CHECK(scene.plan().plan == Plan());
  CHECK(scene.plan().upgrade_waits);
}

TEST_CASE("at once, the webhook is asked for the new image, and nothing is said to be missing",
          "[controller][upgrade]") {
  const Upgraded scene;
  const WorkloadPlan plan = scene.plan();
  REQUIRE(plan.plan.writes.size() == 1);
  CHECK(plan.plan.writes[0].body == Json({{"metadata", {{"resourceVersion", "41"}}}}));
  CHECK(plan.plan.writes[0].field_manager == api::names::kUpgradeManager);
  CHECK(plan.asks_for_upgrade);
  CHECK_FALSE(plan.nudges);
  CHECK(plan.injection.up_to_date);
}

TEST_CASE("once a workload has the image of this version it is asked no more", "[controller][upgrade]") {
  Upgraded scene;
  scene.world.inject.upgrade = true;
  scene.workload =
      scene.workload.patch(document(inject::inject(scene.world.inject, scene.settings, &scene.workload).patch));
  scene.world.inject.upgrade = false;
  CHECK(scene.plan().plan == Plan());
  CHECK_FALSE(scene.plan().upgrade_waits);
}

TEST_CASE("an upgrade breaks off no session and disturbs no rollout", "[controller][upgrade]") {
  Upgraded scene;
  SECTION("a session runs") { scene.world.upgrade.in_session = true; }
  SECTION("a pod is not ready") { scene.workload["status"]["readyReplicas"] = 0; }
  SECTION("the pods do not follow the template yet") { scene.workload["status"]["updatedReplicas"] = 0; }
  SECTION("enough others restart") { scene.world.upgrade.others = kUpgradesAtOnce; }
  const WorkloadPlan plan = scene.plan();
  CHECK(plan.plan.writes.empty());
  CHECK(plan.plan.look_again_in == seconds(10));
}

TEST_CASE("a request for an upgrade that changed nothing is repeated ever more slowly", "[controller][upgrade]") {
  Upgraded scene;
  scene.world.upgrade = {.asked = 1, .since_asked = seconds(2)};
  CHECK_FALSE(scene.plan().asks_for_upgrade);
  CHECK(scene.plan().plan.look_again_in == seconds(3));
  scene.world.upgrade.since_asked = seconds(5);
  CHECK(scene.plan().asks_for_upgrade);
  scene.world.upgrade = {.asked = 20, .since_asked = seconds(299)};
  CHECK_FALSE(scene.plan().asks_for_upgrade);
  scene.world.upgrade.since_asked = seconds(300);
  CHECK(scene.plan().asks_for_upgrade);
}

TEST_CASE("a namespace that has not opted in is asked for no upgrade", "[controller][upgrade]") {
  Upgraded scene;
  scene.world.opted_in = false;
  CHECK(scene.plan().plan.writes.empty());
}

TEST_CASE("others that were asked count until they are up again, or for two minutes", "[controller][upgrade][books]") {
  FakeClock clock;
  UpgradeBook book(clock);
  book.asked("demo/a");
  clock.advance(seconds(30));
  book.asked("demo/b");
  CHECK(book.look("demo/c") == UpgradeFacts{.others = 2});
  CHECK(book.look("demo/a") == UpgradeFacts{.asked = 1, .since_asked = seconds(30), .others = 1});
  book.done("demo/b");
  CHECK(book.look("demo/c").others == 1);
  clock.advance(seconds(90));
  CHECK(book.look("demo/c").others == 0);
  book.asked("demo/a");
  CHECK(book.look("demo/a") == UpgradeFacts{.asked = 2});
  book.done("demo/a");
  CHECK(book.look("demo/a") == UpgradeFacts{});
}
