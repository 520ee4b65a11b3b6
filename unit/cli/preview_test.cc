#include "cli/preview.h"

#include <catch2/catch.hpp>

#include "unit/controller/blueprint_worlds.h"
#include "unit/support/objects.h"
#include "unit/support/workloads.h"

using namespace stash;
using namespace stash::cli;
using namespace stash::test;

namespace {

inject::Settings settings() {
  inject::Settings settings;
  settings.image = "stash:1";
  settings.excluded_namespaces = {"kube-system", "stash"};
  settings.allowed_host_paths = {"/"};
  return settings;
}

Json a_namespace(Json labels) {
  return {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "demo"}, {"labels", std::move(labels)}}}};
}

const Json kOptedIn = {{"stash.appscode.com/injection", "enabled"}};

Preview shown(std::vector<Json> objects, Json workload = a_workload().json(),
              const std::string& namespace_unknown = "") {
  const auto result = preview({.workload = std::move(workload),
                               .before = nullptr,
                               .ns = "demo",
                               .objects = std::move(objects),
                               .namespace_unknown = namespace_unknown},
                              settings());
  REQUIRE(result);
  return *result;
}

}  // namespace

TEST_CASE("the preview is the injection of the webhook, as a difference", "[cli][preview]") {
  const Preview found = shown({a_namespace(kOptedIn), a_backup_configuration().json(), a_repository().json()});
  CHECK(found.has_sidecar);
  CHECK_FALSE(found.refused);
  CHECK(found.diff.contains("+      - args:\n+        - run-backup\n"));
  CHECK(found.diff.contains("+        name: stash\n"));
  CHECK(found.why == std::vector<std::string>{"container stash backs it up for BackupConfiguration demo/app-backup"});
  CHECK(found.why_not.empty());
  CHECK(a_workload().json().patch(found.patch) == found.result);
}

TEST_CASE("a namespace that has not asked is a reason, with the remedy", "[cli][preview]") {
  const Preview found = shown({a_namespace(Json::object()), a_backup_configuration().json(), a_repository().json()});
  CHECK(found.diff.empty());
  CHECK(found.refused);
  REQUIRE(found.why_not.size() == 1);
  CHECK(found.why_not[0].contains("kubectl label namespace demo stash.appscode.com/injection=enabled"));
}

TEST_CASE("from files alone the label is assumed, and that is said", "[cli][preview]") {
  const Preview found = shown({a_backup_configuration().json(), a_repository().json()}, a_workload().json(),
                              "Namespace demo is not in the files");
  CHECK(found.has_sidecar);
  REQUIRE(found.notes.size() == 1);
  CHECK(found.notes[0] ==
        "Namespace demo is not in the files: taken as if it had the label stash.appscode.com/injection=enabled");
  CHECK(shown({a_backup_configuration().json(), a_repository().json()}).refused);
}

TEST_CASE("a missing Repository is a reason", "[cli][preview]") {
  const Preview found = shown({a_namespace(kOptedIn), a_backup_configuration().json()});
  CHECK(found.refused);
  REQUIRE(found.why_not.size() == 1);
  CHECK(found.why_not[0].contains("Repository demo/repo does not exist"));
  CHECK(found.why_not[0].ends_with("(RepositoryMissing)"));
}

TEST_CASE("a workload that nobody names is shown what others name", "[cli][preview]") {
  const Preview found = shown({a_namespace(kOptedIn), a_repository().json(),
                               a_backup_configuration().target({"apps/v1", "StatefulSet", "stash-demo"}).json(),
                               a_backup_configuration("elsewhere").ns("other").json()});
  CHECK_FALSE(found.refused);
  CHECK(found.why_not ==
        std::vector<std::string>{
            "no BackupConfiguration or RestoreSession in namespace demo names Deployment stash-demo in "
            "spec.target.ref"});
  CHECK(
      found.notes ==
      std::vector<std::string>{
          "BackupConfiguration demo/app-backup is for StatefulSet stash-demo (apps/v1): the same name, another kind or "
          "group",
          "BackupConfiguration other/elsewhere names a Deployment of that name, but is in another namespace"});
}

TEST_CASE("objects of files need no namespace", "[cli][preview]") {
  Json configuration = a_backup_configuration().json(), repository = a_repository().json();
  configuration["metadata"].erase("namespace");
  repository["metadata"].erase("namespace");
  CHECK(shown({a_namespace(kOptedIn), configuration, repository}).has_sidecar);
}

TEST_CASE("what carries everything already is not changed", "[cli][preview]") {
  const std::vector<Json> objects = {a_namespace(kOptedIn), a_backup_configuration().json(), a_repository().json()};
  const Preview again = shown(objects, shown(objects).result);
  CHECK(again.diff.empty());
  CHECK(again.notes == std::vector<std::string>{"it carries all that it should already"});
  CHECK(render_preview(again, false) ==
        "Deployment demo/stash-demo: nothing is changed\n"
        "+ container stash backs it up for BackupConfiguration demo/app-backup\n"
        "- it carries all that it should already\n");
}

TEST_CASE("what only a server writes is not shown", "[cli][preview]") {
  Json workload = a_workload().json();
  workload["metadata"]["managedFields"] = Json::array({1});
  workload["metadata"]["resourceVersion"] = "5";
  workload["status"] = {{"replicas", 1}};
  const Preview found =
      shown({a_namespace(kOptedIn), a_backup_configuration().json(), a_repository().json()}, workload);
  CHECK_FALSE(found.result.contains("status"));
  CHECK_FALSE(found.result["metadata"].contains("managedFields"));
  CHECK_FALSE(found.result["metadata"].contains("resourceVersion"));
}

TEST_CASE("a kind that takes no sidecar is refused", "[cli][preview]") {
  const auto result = preview({.workload = {{"apiVersion", "v1"}, {"kind", "Pod"}}, .ns = "demo"}, settings());
  CHECK(result.error().message.starts_with("a Pod takes no sidecar; these do: Deployment (apps)"));
}

TEST_CASE("what a blueprint would make for an annotated workload is in the preview", "[cli][preview]") {
  const Preview found = shown({a_namespace(kOptedIn), a_blueprint()}, an_annotated_workload().json());
  CHECK(found.has_sidecar);
  CHECK_FALSE(found.refused);
  CHECK(found.why ==
        std::vector<std::string>{
            "BackupBlueprint nightly makes Repository and BackupConfiguration demo/deployment-stash-demo for it",
            "container stash backs it up for BackupConfiguration demo/deployment-stash-demo"});
}

TEST_CASE("an annotation without its blueprint is a reason", "[cli][preview]") {
  const Preview found = shown({a_namespace(kOptedIn)}, an_annotated_workload().json());
  CHECK(found.refused);
  CHECK(found.diff.empty());
  REQUIRE_FALSE(found.why_not.empty());
  CHECK(found.why_not[0].contains("BackupBlueprint nightly"));
}

TEST_CASE("what was made before is shown as the blueprint says now", "[cli][preview]") {
  controller::BlueprintWorld world = a_blueprint_world();
  apply_to(world, controller::plan_blueprint(world, settings()).plan);
  Json from_file = an_annotated_workload().json();
  from_file["metadata"].erase("uid");
  const Preview found =
      shown({a_namespace(kOptedIn), world.repository, world.configuration,
             a_blueprint({{"runtimeSettings", {{"container", {{"env", {{{"name", "A"}, {"value", "b"}}}}}}}}})},
            from_file);
  CHECK_FALSE(found.refused);
  CHECK(found.why.front() == "BackupBlueprint nightly makes BackupConfiguration demo/deployment-stash-demo for it");
  CHECK(found.why.size() == 2);
  CHECK(found.diff.contains("+        - name: A\n+          value: b\n"));
}

TEST_CASE("no blueprint is at work in a namespace that has not asked", "[cli][preview]") {
  const Preview found = shown({a_namespace(Json::object()), a_blueprint()}, an_annotated_workload().json());
  CHECK(found.refused);
  CHECK(found.why.empty());
  REQUIRE_FALSE(found.why_not.empty());
  CHECK(found.why_not[0].contains("kubectl label namespace demo stash.appscode.com/injection=enabled"));
}
