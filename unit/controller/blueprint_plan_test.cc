#include "controller/blueprint_plan.h"

#include <catch2/catch.hpp>

#include "base/text.h"
#include "unit/controller/blueprint_worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Texts = std::vector<std::string>;

BlueprintPlan planned(const BlueprintWorld& world) { return plan_blueprint(world, some_settings()); }

/// "apply Repository demo/x", of each write.
Texts writes_of(const Plan& plan) {
  Texts writes;
  for (const Write& write : plan.writes) {
    const char* verb = write.verb == Write::Verb::apply ? "apply" : write.verb == Write::Verb::remove ? "delete" : "?";
    writes.push_back(std::string(verb) + " " + std::string(write.resource.kind) + " " + to_string(write.ref));
  }
  return writes;
}

/// Nothing is written; the event says this.
void check_only_told(const BlueprintWorld& world, const std::string& reason, const std::string& message) {
  const BlueprintPlan plan = planned(world);
  CHECK(writes_of(plan.plan).empty());
  CHECK(events_of(plan.plan) == Texts{reason + ": " + message});
  CHECK(plan.reason == reason);
}

BlueprintWorld with_backups(BlueprintWorld world) {
  world.repository["status"]["firstBackupTime"] = "2026-01-01T00:00:00Z";
  return world;
}

const std::string kName = "demo/deployment-stash-demo";

}  // namespace

TEST_CASE("an annotated workload gets a Repository and a BackupConfiguration", "[controller][blueprint]") {
  const BlueprintPlan plan = planned(a_blueprint_world());
  CHECK(writes_of(plan.plan) == Texts{"apply Repository " + kName, "apply BackupConfiguration " + kName});
  CHECK(events_of(plan.plan) == Texts{"BackupBlueprintApplied: Repository " + kName + " and BackupConfiguration " +
                                      kName + " made as BackupBlueprint nightly says"});
  CHECK_FALSE(plan.plan.notes.at(0).warning);
  CHECK(plan.complaint.empty());

  Json repository = plan.plan.writes.at(0).body;
  repository["metadata"].erase("annotations");
  CHECK(repository == R"({"apiVersion": "stash.appscode.com/v1alpha1", "kind": "Repository",
      "metadata": {"namespace": "demo", "name": "deployment-stash-demo", "labels": {
        "app.kubernetes.io/managed-by": "stash.appscode.com", "app.kubernetes.io/component": "stash-blueprint",
        "stash.appscode.com/backup-blueprint": "nightly"}},
      "spec": {"backend": {"storageSecretName": "backups",
                           "s3": {"endpoint": "s3.example.com", "bucket": "b", "prefix": "demo/deployment/stash-demo"}}}})"_json);

  Json configuration = plan.plan.writes.at(1).body;
  configuration["metadata"].erase("annotations");
  CHECK(configuration == R"({"apiVersion": "stash.appscode.com/v1beta1", "kind": "BackupConfiguration",
      "metadata": {"namespace": "demo", "name": "deployment-stash-demo", "labels": {
        "app.kubernetes.io/managed-by": "stash.appscode.com", "app.kubernetes.io/component": "stash-blueprint",
        "stash.appscode.com/backup-blueprint": "nightly"},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "stash-demo", "uid": "uid-workload",
                             "controller": true, "blockOwnerDeletion": false}]},
      "spec": {"schedule": "0 3 * * *", "retentionPolicy": {"name": "keep-last-5", "keepLast": 5, "prune": true},
               "repository": {"name": "deployment-stash-demo"},
               "target": {"ref": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "stash-demo"},
                          "paths": ["/source/data"],
                          "volumeMounts": [{"name": "source-data", "mountPath": "/source/data"}]}}})"_json);
}

TEST_CASE("every kind of workload is named in its objects", "[controller][blueprint]") {
  for (const api::WorkloadKind& kind : api::workload_kinds()) {
    BlueprintWorld world = a_blueprint_world();
    world.ref.kind = &kind;
    const BlueprintPlan plan = planned(world);
    REQUIRE(plan.plan.writes.size() == 2);
    const Json& body = plan.plan.writes.at(1).body;
    CHECK(body["metadata"]["name"] == lower_case(kind.resource.kind) + "-stash-demo");
    CHECK(body["metadata"]["ownerReferences"][0]["kind"] == kind.resource.kind);
    CHECK(body["metadata"]["ownerReferences"][0]["apiVersion"] == kind.resource.api_version());
    CHECK(body["spec"]["target"]["ref"]["kind"] == kind.resource.kind);
  }
}

TEST_CASE("what was made is not written again", "[controller][blueprint]") {
  const BlueprintWorld world = made(a_blueprint_world());
  CHECK(planned(world).plan.empty());
  CHECK(planned(with_backups(world)).plan.empty());
  CHECK(planned(world).blueprint == "nightly");
}

TEST_CASE("what others add to the objects stays", "[controller][blueprint]") {
  BlueprintWorld world = made(a_blueprint_world());
  world.configuration["spec"]["paused"] = true;
  world.configuration["spec"]["target"]["exclude"] = {"*.tmp"};
  world.configuration["metadata"]["labels"]["team"] = "blue";
  world.repository["spec"]["wipeOut"] = true;
  world.repository["metadata"]["finalizers"] = {"stash.appscode.com/wipe-out"};
  CHECK(planned(world).plan.empty());
}

TEST_CASE("what somebody changed of them by hand is put right", "[controller][blueprint]") {
  BlueprintWorld world = made(a_blueprint_world());
  world.configuration["spec"]["schedule"] = "* * * * *";
  CHECK(writes_of(planned(world).plan) == Texts{"apply BackupConfiguration " + kName});
  CHECK(planned(world).plan.writes.at(0).body["metadata"]["resourceVersion"] == "1");
}

TEST_CASE("changed annotations change the BackupConfiguration", "[controller][blueprint]") {
  BlueprintWorld world = made(a_blueprint_world());
  world.workload = an_annotated_workload()
                       .annotation("stash.appscode.com/target-paths", "/d/a, /d/b,")
                       .annotation("stash.appscode.com/volume-mounts", "source-data:/d:inner")
                       .json();
  const BlueprintPlan plan = planned(world);
  CHECK(writes_of(plan.plan) == Texts{"apply BackupConfiguration " + kName});
  const Json& target = plan.plan.writes.at(0).body["spec"]["target"];
  CHECK(target["paths"] == Json{"/d/a", "/d/b"});
  CHECK(target["volumeMounts"] == Json::array({{{"name", "source-data"}, {"mountPath", "/d"}, {"subPath", "inner"}}}));
}

TEST_CASE("a changed blueprint changes what was made from it", "[controller][blueprint]") {
  BlueprintWorld world = with_backups(made(a_blueprint_world()));
  world.blueprint = a_blueprint({{"schedule", "0 4 * * *"}, {"tempDir", {{"medium", "Memory"}}}});
  const BlueprintPlan plan = planned(world);
  CHECK(writes_of(plan.plan) == Texts{"apply BackupConfiguration " + kName});
  CHECK(plan.plan.writes.at(0).body["spec"]["schedule"] == "0 4 * * *");
  CHECK(plan.plan.writes.at(0).body["spec"]["tempDir"]["medium"] == "Memory");
}

TEST_CASE("a field that the blueprint no longer has is written away", "[controller][blueprint]") {
  BlueprintWorld world = a_blueprint_world();
  world.blueprint = a_blueprint({{"timeOut", "1h"}});
  world = made(world);
  world.blueprint = a_blueprint();
  const BlueprintPlan plan = planned(world);
  CHECK(writes_of(plan.plan) == Texts{"apply BackupConfiguration " + kName});
  CHECK_FALSE(plan.plan.writes.at(0).body["spec"].contains("timeOut"));
}

TEST_CASE("all that a BackupConfiguration takes is handed on, with what later releases may add within",
          "[controller][blueprint]") {
  const Json more = R"({"task": {"name": "t"}, "runtimeSettings": {"container": {"nice": {"adjustment": 5}}},
      "tempDir": {"medium": "Memory", "new": 1}, "backupHistoryLimit": 3, "timeOut": "1h",
      "retryConfig": {"maxRetry": 2, "delay": "5m"}})"_json;
  BlueprintWorld world = a_blueprint_world();
  world.blueprint = a_blueprint(more);
  const Json spec = planned(world).plan.writes.at(1).body["spec"];
  for (const auto& [key, value] : more.items()) CHECK(spec[key] == value);
}

TEST_CASE("without the annotation the BackupConfiguration goes and the Repository stays",
          "[controller][blueprint][Q12]") {
  BlueprintWorld world = made(a_blueprint_world());
  world.workload["metadata"]["annotations"].erase("stash.appscode.com/backup-blueprint");
  const BlueprintPlan plan = planned(world);
  CHECK(writes_of(plan.plan) == Texts{"delete BackupConfiguration " + kName});
  CHECK(plan.plan.writes.at(0).uid == "uid-BackupConfiguration");
  CHECK(events_of(plan.plan) ==
        Texts{"BackupBlueprintWithdrawn: BackupConfiguration " + kName +
              " deleted, for the annotation stash.appscode.com/backup-blueprint is gone; Repository " + kName +
              " stays with its backups"});
  CHECK(plan.blueprint.empty());
}

TEST_CASE("without the annotation nothing of anybody else's is deleted", "[controller][blueprint][Q12]") {
  BlueprintWorld world = made(a_blueprint_world());
  world.workload["metadata"]["annotations"].erase("stash.appscode.com/backup-blueprint");
  const Json ours = world.configuration;
  SECTION("one that was made by hand") { world.configuration = a_backup_configuration("deployment-stash-demo").json(); }
  SECTION("one of ours whose label somebody took away") {
    world.configuration["metadata"]["labels"].erase("stash.appscode.com/backup-blueprint");
  }
  SECTION("a copy of ours that no workload owns") { world.configuration["metadata"].erase("ownerReferences"); }
  SECTION("one of another workload") { world.configuration["metadata"]["ownerReferences"][0]["uid"] = "other"; }
  SECTION("one that goes already") { world.configuration["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"; }
  SECTION("in a namespace that has not asked") { world.not_opted_in = "no"; }
  SECTION("of a workload that is going: Kubernetes takes it along") {
    world.workload["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  }
  CHECK(planned(world).plan.empty());
}

TEST_CASE("a BackupConfiguration that the user made under that name is left alone and told of",
          "[controller][blueprint][Q12]") {
  BlueprintWorld world = a_blueprint_world();
  world.configuration = a_backup_configuration("deployment-stash-demo").json();
  check_only_told(world, "NameTaken",
                  "BackupConfiguration " + kName +
                      " exists already and was not made from a BackupBlueprint for this workload, so it is left alone; "
                      "delete or rename it, or take the annotation away");
  world.configuration = made(a_blueprint_world()).configuration;
  world.configuration["metadata"]["ownerReferences"][0]["name"] = "another";
  world.configuration["metadata"]["ownerReferences"][0]["uid"] = "uid-another";
  CHECK(planned(world).reason == "NameTaken");
}

TEST_CASE("a BackupConfiguration that AppsCode's Stash made for the same annotation is taken over",
          "[controller][blueprint]") {
  BlueprintWorld world = made(a_blueprint_world());
  world.configuration["metadata"].erase("labels");
  world.configuration["metadata"]["annotations"].clear();
  world.configuration["metadata"]["ownerReferences"][0].erase("controller");
  CHECK(writes_of(planned(world).plan) == Texts{"apply BackupConfiguration " + kName});
  CHECK(planned(world).complaint.empty());
  SECTION("and keeps the schedule that the workload asks for") {
    world.workload["metadata"]["annotations"]["stash.appscode.com/schedule"] = " */15 * * * *";
    world.configuration["spec"]["schedule"] = "*/15 * * * *";
    CHECK(planned(world).plan.writes.at(0).body["spec"]["schedule"] == "*/15 * * * *");
  }
}

TEST_CASE("a list of blueprints is told as such, and not as one that does not exist", "[controller][blueprint]") {
  BlueprintWorld world = a_blueprint_world();
  world.workload["metadata"]["annotations"]["stash.appscode.com/backup-blueprint"] = "daily-gcs, weekly-s3";
  world.blueprint = nullptr;
  check_only_told(world, "BackupAnnotationInvalid",
                  "annotation stash.appscode.com/backup-blueprint names several BackupBlueprints, daily-gcs and "
                  "weekly-s3; name one, and write a BackupConfiguration for each further backup");
}

TEST_CASE("a BackupConfiguration of a workload that was made anew is waited for", "[controller][blueprint]") {
  BlueprintWorld world = made(a_blueprint_world());
  world.workload["metadata"]["uid"] = "uid-new";
  check_only_told(world, "BeingDeleted",
                  "BackupConfiguration " + kName + " is being deleted; a new one is made when it is gone");
  CHECK(planned(world).plan.look_again_in == seconds(30));
  SECTION("unless deleting the workload left it behind") {
    world.configuration["metadata"].erase("ownerReferences");
    CHECK(writes_of(planned(world).plan) == Texts{"apply BackupConfiguration " + kName});
  }
  SECTION("or it is gone") {
    world.configuration = nullptr;
    CHECK(writes_of(planned(world).plan) == Texts{"apply BackupConfiguration " + kName});
  }
}

TEST_CASE("what is wrong is told once, and again when it is another thing", "[controller][blueprint]") {
  BlueprintWorld world = a_blueprint_world();
  world.blueprint = nullptr;
  world.told = planned(world).complaint;
  CHECK(world.told ==
        "BackupBlueprint nightly does not exist; create it, or correct the annotation "
        "stash.appscode.com/backup-blueprint");
  CHECK(planned(world).plan.empty());
  CHECK(planned(world).reason == "BackupBlueprintNotFound");
  world.told = "something else";
  CHECK(events_of(planned(world).plan).size() == 1);
}

TEST_CASE("a mistake takes no backup away", "[controller][blueprint]") {
  BlueprintWorld world = made(a_blueprint_world());
  SECTION("no blueprint") { world.blueprint = nullptr; }
  SECTION("one that cannot be used") { world.blueprint = a_blueprint({{"schedule", "never"}}); }
  SECTION("no paths") { world.workload["metadata"]["annotations"].erase("stash.appscode.com/target-paths"); }
  SECTION("a volume that is not there") {
    world.workload =
        an_annotated_workload().annotation("stash.appscode.com/volume-mounts", "other:/source/data").json();
  }
  SECTION("the namespace asks no more") { world.not_opted_in = "run: kubectl label"; }
  const BlueprintPlan plan = planned(world);
  CHECK(writes_of(plan.plan).empty());
  CHECK(plan.plan.notes.size() == 1);
  CHECK_FALSE(plan.complaint.empty());
}

TEST_CASE("what is wrong with a blueprint is told where the workload is", "[controller][blueprint]") {
  BlueprintWorld world = a_blueprint_world();
  world.blueprint["spec"]["backend"]["s3"]["prefix"] = "${TARGET}";
  check_only_told(
      world, "BackupBlueprintInvalid",
      "BackupBlueprint nightly cannot be used: /spec/backend/s3/prefix: ${TARGET} is no variable; there are "
      "TARGET_API_VERSION, TARGET_KIND, TARGET_NAME, TARGET_NAMESPACE, TARGET_RESOURCE; write $${TARGET} for "
      "the text");
}

TEST_CASE("a namespace that has not asked gets nothing but the way to ask", "[controller][blueprint]") {
  BlueprintWorld world = a_blueprint_world();
  world.not_opted_in = "namespace demo has not opted in";
  check_only_told(world, "NamespaceNotOptedIn", "namespace demo has not opted in");
}

TEST_CASE("what the API server refuses is told in its words", "[controller][blueprint]") {
  BlueprintWorld world = a_blueprint_world();
  world.refused = "applying Repository demo/deployment-stash-demo: forbidden: exceeded quota";
  check_only_told(world, "Refused", world.refused);
}

TEST_CASE("a Repository with backups keeps its place, and that is told", "[controller][blueprint]") {
  BlueprintWorld world = with_backups(made(a_blueprint_world()));
  world.blueprint = a_blueprint({{"backend", {{"s3", {{"bucket", "new"}}}}}, {"schedule", "0 4 * * *"}});
  const BlueprintPlan plan = planned(world);
  // All else follows the blueprint.
  CHECK(writes_of(plan.plan) == Texts{"apply BackupConfiguration " + kName});
  CHECK(plan.reason == "RepositoryKept");
  CHECK(
      plan.complaint ==
      "Repository " + kName +
          " stays where its backups are, although BackupBlueprint nightly names another place by now; to leave them "
          "there and begin anew, take the annotation away, delete the Repository (set spec.wipeOut to false first) and "
          "annotate again");
}

TEST_CASE("whatever shows that a Repository is used keeps its place", "[controller][blueprint]") {
  BlueprintWorld world = made(a_blueprint_world());
  world.blueprint = a_blueprint({{"backend", {{"s3", {{"bucket", "new"}}}}}});
  SECTION("its last backup") { world.repository["status"]["lastBackupTime"] = "2026-01-01T00:00:00Z"; }
  SECTION("its snapshots") { world.repository["status"]["snapshotCount"] = 1; }
  SECTION("its size") { world.repository["status"]["totalSize"] = "1 KiB"; }
  SECTION("a pod that makes it at this moment") { world.repository["status"]["initialisation"]["podName"] = "web-1"; }
  SECTION("a backup at this moment") { world.backup_running = true; }
  CHECK(planned(world).reason == "RepositoryKept");
  CHECK(planned(world).plan.writes.empty());
  CHECK(planned(world).plan.look_again_in.has_value() == world.backup_running);
}

TEST_CASE("a Repository without backups follows its blueprint, so that a mistake can be mended",
          "[controller][blueprint]") {
  BlueprintWorld world = made(a_blueprint_world());
  world.blueprint = a_blueprint({{"backend", {{"s3", {{"bucket", "new"}}}}}});
  const BlueprintPlan plan = planned(world);
  CHECK(writes_of(plan.plan) == Texts{"apply Repository " + kName});
  CHECK(plan.plan.writes.at(0).body["spec"]["backend"]["s3"]["bucket"] == "new");
  CHECK(plan.complaint.empty());
}

TEST_CASE("of a Repository with backups all but the place follows the blueprint", "[controller][blueprint]") {
  BlueprintWorld world = with_backups(made(a_blueprint_world()));
  world.blueprint = a_blueprint(
      {{"backend",
        {{"storageSecretName", "rotated"}, {"s3", {{"endpoint", "https://s3.example.com/"}, {"region", "r"}}}}}});
  const BlueprintPlan plan = planned(world);
  CHECK(writes_of(plan.plan) == Texts{"apply Repository " + kName});
  CHECK(plan.plan.writes.at(0).body["spec"]["backend"]["storageSecretName"] == "rotated");
  CHECK(plan.complaint.empty());
}

TEST_CASE("snapshots of failed backups are backups that are there", "[controller][blueprint][F82][I11]") {
  BlueprintWorld world = made(a_blueprint_world());
  world.blueprint = a_blueprint({{"wipeOut", true}});
  world.repository["status"]["firstSnapshotTime"] = "2026-01-01T00:00:00Z";
  CHECK(planned(world).plan.empty());
}

TEST_CASE("wipeOut is never turned on for backups that are there, and turned off at once", "[controller][blueprint]") {
  BlueprintWorld world = made(a_blueprint_world());
  world.blueprint = a_blueprint({{"wipeOut", true}});
  CHECK(planned(world).plan.writes.at(0).body["spec"]["wipeOut"] == true);
  CHECK(planned(with_backups(world)).plan.empty());

  BlueprintWorld wiped = with_backups(made(world));
  CHECK(planned(wiped).plan.empty());
  wiped.blueprint = a_blueprint();
  CHECK(writes_of(planned(wiped).plan) == Texts{"apply Repository " + kName});
  CHECK_FALSE(planned(wiped).plan.writes.at(0).body["spec"].contains("wipeOut"));
}

TEST_CASE("a directory of the node has no other name, so each change of it is another place",
          "[controller][blueprint]") {
  const auto local = [](const char* path) {
    Json blueprint = a_blueprint();
    blueprint["spec"]["backend"] = {{"storageSecretName", "backups"},
                                    {"local", {{"mountPath", "/safe"}, {"hostPath", {{"path", path}}}}}};
    return blueprint;
  };
  BlueprintWorld world = a_blueprint_world();
  world.blueprint = local("/data/${TARGET_NAME}");
  world = with_backups(made(world));
  CHECK(planned(world).plan.empty());
  world.blueprint = local("/data/new/${TARGET_NAME}");
  CHECK(planned(world).reason == "RepositoryKept");
  world.blueprint = local("/etc/${TARGET_NAME}");
  CHECK(planned(world).reason == "BackupBlueprintInvalid");
}

TEST_CASE("somebody else's Repository of that name is used when it says the same, else left alone",
          "[controller][blueprint]") {
  BlueprintWorld world = a_blueprint_world();
  world.repository = made(a_blueprint_world()).repository;
  world.repository["metadata"].erase("labels");
  CHECK(writes_of(planned(world).plan) == Texts{"apply BackupConfiguration " + kName});
  world.repository["spec"]["backend"]["s3"]["bucket"] = "mine";
  check_only_told(
      world, "NameTaken",
      "Repository " + kName +
          " exists already, was not made from a BackupBlueprint and differs from what nightly says, so it is "
          "left alone; delete it, or keep it and write a BackupConfiguration of your own instead of the "
          "annotation");
}

TEST_CASE("a Repository that is going is waited for", "[controller][blueprint]") {
  BlueprintWorld world = made(a_blueprint_world());
  world.configuration = nullptr;
  world.repository["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  check_only_told(world, "BeingDeleted",
                  "Repository " + kName + " is being deleted; a new one is made when it is gone");
}

TEST_CASE("a kept Repository is used again when the annotation comes back", "[controller][blueprint]") {
  BlueprintWorld world = with_backups(made(a_blueprint_world()));
  world.configuration = nullptr;
  CHECK(writes_of(planned(world).plan) == Texts{"apply BackupConfiguration " + kName});
}

TEST_CASE("long names stay within what Kubernetes takes", "[controller][blueprint]") {
  BlueprintWorld world = a_blueprint_world();
  world.ref.ref.name = std::string(253, 'w');
  CHECK(blueprint_object_name(world.ref).size() == 253);
  const std::string blueprint(253, 'b');
  world.workload["metadata"]["annotations"]["stash.appscode.com/backup-blueprint"] = blueprint;
  world.blueprint["metadata"]["name"] = blueprint;
  const Json labels = planned(world).plan.writes.at(0).body["metadata"]["labels"];
  CHECK(labels["stash.appscode.com/backup-blueprint"].get<std::string>().size() <= 63);
}
