#include "controller/workload_plan.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "controller/sidecar_access.h"
#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

/// A Deployment with its world; the workload lives as long as this does.
struct Scene {
  Json workload = {{"apiVersion", "apps/v1"},
                   {"kind", "Deployment"},
                   {"metadata",
                    {{"name", "stash-demo"},
                     {"namespace", "demo"},
                     {"uid", "uid-web"},
                     {"resourceVersion", "41"},
                     {"generation", 1}}},
                   {"spec",
                    {{"replicas", 1},
                     {"selector", {{"matchLabels", {{"app", "web"}}}}},
                     {"template",
                      {{"metadata", {{"labels", {{"app", "web"}}}}},
                       {"spec",
                        {{"containers",
                          {{{"name", "app"},
                            {"image", "app:1"},
                            {"volumeMounts", {{{"name", "source-data"}, {"mountPath", "/source/data"}}}}}}},
                         {"volumes", {{{"name", "source-data"}, {"emptyDir", Json::object()}}}}}}}}}}};
  WorkloadWorld world;

  Scene() {
    world.kind = api::workload_kind("apps", "Deployment");
    world.inject.group = "apps";
    world.inject.kind = "Deployment";
    world.inject.workload = &workload;
    world.inject.ns = "demo";
    world.inject.namespace_labels = {{"stash.appscode.com/injection", "enabled"}};
    world.inject.repository = [](const std::string& name) {
      return name == "repo" ? a_repository().shared() : nullptr;
    };
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  Scene& backup() {
    world.inject.configurations = {api::BackupConfiguration(a_backup_configuration())};
    return *this;
  }
  Scene& restore(const std::string& phase) {
    world.inject.restores = {a_restore_session().phase(phase)};
    return *this;
  }
  WorkloadPlan plan() const { return plan_workload(world, some_settings()); }
  /// The webhook injects, the controller's objects are there.
  void carry_out() {
    const WorkloadPlan done = plan();
    for (const Write& write : done.plan.writes) {
      Json* live = nullptr;
      if (write.ref.name.starts_with("stash-sidecar-")) {
        live = write.resource == api::kRoles ? &world.sidecar_role : &world.sidecar_binding;
      } else if (write.ref.name.starts_with("stash-restore-")) {
        live = write.resource == api::kRoles ? &world.restore_role : &world.restore_binding;
      } else {
        CHECK(write.body == Json({{"metadata", {{"resourceVersion", "41"}}}}));
        workload = workload.patch(document(inject::inject(world.inject, some_settings(), &workload).patch));
      }
      if (live == nullptr) continue;
      *live = write.verb == Write::Verb::remove ? Json() : write.body;
      if (live->is_object()) (*live)["metadata"]["uid"] = "uid-" + write.ref.name;
    }
  }
};

std::vector<std::string> written(const WorkloadPlan& plan) {
  std::vector<std::string> kinds;
  for (const Write& write : plan.plan.writes) {
    kinds.push_back(fmt::format("{} {} {}", write.verb == Write::Verb::remove ? "delete" : "write", write.resource.kind,
                                write.ref.name));
  }
  return kinds;
}
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a workload that nobody asks for is left alone", "[controller][workload]") {
  Scene scene;
  CHECK(scene.plan().plan == Plan());
  CHECK(scene.plan().injection.up_to_date);
}

TEST_CASE("access comes before the nudge, and the nudge says nothing but the version", "[controller][workload]") {
  Scene scene;
  scene.backup();
  const WorkloadPlan plan = scene.plan();
  CHECK(written(plan) == Texts{"write Role stash-sidecar-deployment-stash-demo",
                               "write RoleBinding stash-sidecar-deployment-stash-demo", "write Deployment stash-demo"});
  CHECK(plan.nudges);
  CHECK(plan.plan.writes.back().body == Json({{"metadata", {{"resourceVersion", "41"}}}}));
  CHECK(plan.plan.look_again_in == seconds(5));
}

TEST_CASE("once injected, a workload is written no more", "[controller][workload]") {
  Scene scene;
  scene.backup();
  scene.carry_out();
  CHECK(inject::has_sidecar(scene.workload));
  CHECK(scene.plan().plan.empty());
  CHECK(scene.plan().injection.up_to_date);
}

TEST_CASE("when its BackupConfiguration is gone, the sidecar goes by a nudge and then its access",
          "[controller][workload]") {
  Scene scene;
  scene.backup();
  scene.carry_out();
  scene.world.inject.configurations.clear();
  CHECK(written(scene.plan()) == Texts{"write Deployment stash-demo"});
  scene.carry_out();
  CHECK_FALSE(inject::has_sidecar(scene.workload));
  CHECK(written(scene.plan()) == Texts{"delete RoleBinding stash-sidecar-deployment-stash-demo",
                                       "delete Role stash-sidecar-deployment-stash-demo"});
  scene.carry_out();
  CHECK(scene.plan().plan.empty());
}

TEST_CASE("a BackupConfiguration that is gone for a moment restarts no pods", "[controller][workload][F22][F82][I4]") {
  Scene scene;
  scene.backup();
  scene.carry_out();
  scene.world.inject.configurations.clear();
  scene.world.gone_for = seconds(4);
  CHECK(scene.plan().plan.writes.empty());
  CHECK(scene.plan().plan.look_again_in == seconds(6));
  scene.world.gone_for = seconds(10);
  CHECK(scene.plan().nudges);
}

TEST_CASE("a webhook that does not answer is asked again, ever more slowly", "[controller][workload][F87][I4]") {
  Scene scene;
  scene.backup();
  const std::string change = scene.plan().change;
  scene.world.nudges = {.in_vain = 1, .count = 1, .since_last = seconds(2), .error = "", .change = change};
  CHECK_FALSE(scene.plan().nudges);
  CHECK_FALSE(scene.plan().injection.asked_in_vain);
  CHECK(scene.plan().plan.look_again_in == seconds(3));
  scene.world.nudges.since_last = seconds(5);
  CHECK(scene.plan().nudges);
  CHECK(scene.plan().injection.asked_in_vain);
  scene.world.nudges = {.in_vain = 2, .count = 2, .since_last = seconds(0), .error = "", .change = change};
  CHECK(scene.plan().injection.asked_in_vain);
  scene.world.nudges = {.in_vain = 9, .count = 9, .since_last = seconds(20), .error = "", .change = change};
  CHECK_FALSE(scene.plan().nudges);
  scene.world.nudges.asks_for_all = true;
  CHECK(scene.plan().nudges);
  // A fight with another writer: each nudge worked, and yet they must slow down.
  scene.world.nudges = {.in_vain = 0, .count = 20, .since_last = seconds(299), .error = "", .change = change};
  CHECK_FALSE(scene.plan().nudges);
  scene.world.nudges.since_last = minutes(5);
  CHECK(scene.plan().nudges);
}

TEST_CASE("a change that was not tried yet is not held back by nudges for another one", "[controller][workload]") {
  Scene scene;
  scene.backup();
  scene.world.nudges = {.in_vain = 9, .count = 9, .since_last = seconds(1), .error = "", .change = "another"};
  CHECK(scene.plan().nudges);
  CHECK_FALSE(scene.plan().injection.asked_in_vain);
}

TEST_CASE("a namespace that has not opted in is never nudged, for no webhook would see it", "[controller][workload]") {
  Scene scene;
  scene.backup();
  scene.world.opted_in = false;
  scene.world.inject.namespace_labels = Json::object();
  CHECK_FALSE(scene.plan().nudges);
}

TEST_CASE("once its namespace has taken the label away, no pod is evicted for the template's sake",
          "[controller][workload][F66][I3]") {
  const auto [kind, phase] = GENERATE(std::pair("ReplicaSet", "Running"), std::pair("StatefulSet", "Pending"));
  INFO(kind);
  Scene scene;
  scene.world.kind = api::workload_kind("apps", kind);
  scene.world.inject.kind = kind;
  scene.workload["kind"] = kind;
  scene.backup();
  api::BackupConfiguration configuration = a_backup_configuration();
  configuration.spec.target->ref.kind = kind;
  scene.world.inject.configurations = {configuration};
  scene.carry_out();
  scene.world.pods = {{{"metadata",
                        {{"name", "stash-demo-0"},
                         {"namespace", "demo"},
                         {"uid", "uid-0"},
                         {"ownerReferences", {{{"controller", true}, {"uid", "uid-web"}}}}}},
                       {"spec", {{"containers", {{{"name", "app"}}}}}},
                       {"status", {{"phase", phase}, {"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}}};
  REQUIRE(written(scene.plan()).size() == 1);
  scene.world.opted_in = false;
  scene.world.inject.namespace_labels = Json::object();
  CHECK(scene.plan().plan.empty());
}

TEST_CASE("a role of somebody else is left alone and the workload is not nudged", "[controller][workload]") {
  Scene scene;
  scene.backup();
  scene.world.sidecar_role = {{"metadata", {{"name", "stash-sidecar-deployment-stash-demo"}, {"namespace", "demo"}}}};
  CHECK(scene.plan().plan.empty());
  CHECK(scene.plan().plan.look_again_in == minutes(10));  // no event tells that it is gone
  CHECK(scene.plan().injection.error ==
        "Role demo/stash-sidecar-deployment-stash-demo exists already and is not Stash's; rename it, so that the pods "
        "can "
        "be given access");
}

TEST_CASE("a restore brings its init container only after it was accepted", "[controller][workload]") {
  for (const char* phase : {"", "Failed", "Invalid"}) {
    Scene scene;
    scene.restore(phase);
    CHECK_FALSE(scene.plan().nudges);
  }
  Scene scene;
  scene.restore("Pending");
  CHECK(written(scene.plan()) == Texts{"write Role stash-restore-init-container-deployment-stash-demo",
                                       "write RoleBinding stash-restore-init-container-deployment-stash-demo",
                                       "write Deployment stash-demo"});
  scene.carry_out();
  CHECK(inject::has_init_container(scene.workload));
  // Neither success nor failure restarts the pods; only the deletion takes it away.
  for (const char* phase : {"Running", "Failed", "Succeeded"}) {
    scene.restore(phase);
    CHECK(scene.plan().plan.empty());
  }
  scene.world.inject.restores.clear();
  CHECK(scene.plan().nudges);
}

TEST_CASE("a restore that is made anew under its name restarts the pods only after it was accepted",
          "[controller][workload][F22][I13]") {
  Scene scene;
  scene.restore("Pending");
  scene.carry_out();
  scene.restore("Succeeded");
  REQUIRE_FALSE(scene.plan().nudges);
  for (const char* phase : {"", "Invalid"}) {
    scene.world.inject.restores = {a_restore_session().uid("anew").phase(phase)};
    INFO(phase);
    CHECK(scene.plan().nudges == (phase == std::string("Invalid")));
  }
  scene.world.inject.restores = {a_restore_session().uid("anew").phase("Pending")};
  CHECK(scene.plan().nudges);
  scene.carry_out();
  CHECK(scene.plan().plan.empty());
}

TEST_CASE("rights to restore stay while some pod runs the init container, though its RestoreSession is gone",
          "[controller][workload][F23][I6]") {
  Scene scene;
  scene.restore("Pending");
  scene.carry_out();
  const Json pod_spec = scene.workload["spec"]["template"]["spec"];
  scene.world.inject.restores.clear();
  scene.carry_out();
  REQUIRE_FALSE(inject::has_init_container(scene.workload));
  scene.world.pods = {{{"metadata", {{"name", "stash-demo-1"}}}, {"spec", pod_spec}}};
  CHECK(written(scene.plan()).empty());
  CHECK(scene.plan().plan.look_again_in == std::chrono::seconds(60));
  scene.world.pods[0]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  CHECK(written(scene.plan()) == Texts{"delete RoleBinding stash-restore-init-container-deployment-stash-demo",
                                       "delete Role stash-restore-init-container-deployment-stash-demo"});
}

TEST_CASE("a workload that is being deleted is left alone", "[controller][workload]") {
  Scene scene;
  scene.backup();
  scene.workload["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  CHECK(scene.plan().plan.empty());
}

TEST_CASE("the sidecar's role names its own BackupConfiguration and Repository, and no Secret",
          "[controller][workload]") {
  Scene scene;
  scene.backup();
  const Json role = scene.plan().plan.writes.at(0).body;
  const Json stash = Json::array({"stash.appscode.com"});
  const auto rule = [&](const char* resource, Json verbs, const char* name = nullptr) {
    Json json = {{"apiGroups", stash}, {"resources", Json::array({resource})}, {"verbs", std::move(verbs)}};
    if (name != nullptr) json["resourceNames"] = Json::array({name});
    return json;
  };
  CHECK(role["rules"] == Json::array({rule("backupsessions", {"get", "list", "watch"}),
                                      rule("backupsessions/status", Json::array({"patch"})),
                                      rule("backupconfigurations", Json::array({"get"}), "app-backup"),
                                      rule("repositories", Json::array({"get"}), "repo"),
                                      rule("repositories/status", Json::array({"patch"}), "repo"),
                                      {{"apiGroups", Json::array({""})},
                                       {"resources", Json::array({"events"})},
                                       {"verbs", Json::array({"create"})}}}));
  const Json binding = scene.plan().plan.writes.at(1).body;
  CHECK(binding["subjects"] == Json::array({{{"kind", "ServiceAccount"}, {"name", "default"}, {"namespace", "demo"}}}));
  CHECK(binding["metadata"]["ownerReferences"][0]["uid"] == "uid-web");
  scene.workload["spec"]["template"]["spec"]["serviceAccountName"] = "web";
  CHECK(scene.plan().plan.writes.at(1).body["subjects"][0]["name"] == "web");
}
