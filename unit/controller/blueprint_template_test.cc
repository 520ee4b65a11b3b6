#include "controller/blueprint_template.h"

#include <catch2/catch.hpp>

#include "controller/blueprint_request.h"
#include "controller/blueprint_status.h"
#include "unit/controller/blueprint_worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Texts = std::vector<std::string>;

const api::WorkloadRef kWorkload{api::workload_kind("apps", "StatefulSet"), {"demo", "db"}};

std::string replaced(const std::string& text) {
  const auto result = with_variables(text, variables_of(kWorkload), "/spec/x");
  return result ? result->get<std::string>() : "error " + result.error().message;
}

std::string fault_of(const Json& blueprint) {
  const auto filled = fill_in(blueprint, variables_of(kWorkload), some_settings());
  return filled ? "" : filled.error().message;
}

std::string request_error(const char* annotation, const std::string& value) {
  const auto request = blueprint_request(
      an_annotated_workload().annotation("stash.appscode.com/" + std::string(annotation), value).json());
  return request ? "" : request.error().message;
}

Json status_after(const Json& blueprint, std::optional<std::map<std::string, int>> workloads, Texts* events = nullptr) {
  Json object = blueprint;
  const Plan plan = plan_blueprint_status({object, std::move(workloads), kCreated}, some_settings());
  carry_out(plan, api::kBackupBlueprints, object);
  if (events) *events = events_of(plan);
  CHECK(plan_blueprint_status({object, std::nullopt, kCreated}, some_settings()).empty());
  return object;
}

}  // namespace

TEST_CASE("the variables are those of Stash", "[controller][blueprint]") {
  CHECK(replaced("${TARGET_API_VERSION} ${TARGET_KIND} ${TARGET_NAME} ${TARGET_NAMESPACE} ${TARGET_RESOURCE}") ==
        "apps/v1 statefulset db demo statefulsets");
}

TEST_CASE("text around variables stays, a dollar alone is itself", "[controller][blueprint]") {
  CHECK(replaced("a${TARGET_NAME}b$c$") == "adbb$c$");
  CHECK(replaced("$TARGET_NAME") == "$TARGET_NAME");
  CHECK(replaced("echo $${HOME} ${TARGET_NAME}") == "echo ${HOME} db");
  CHECK(replaced("${HOME:=/root}/${TARGET_NAME:=x}") == "/root/db");
  CHECK(replaced("").empty());
}

TEST_CASE("an unknown variable and one that is not closed are named with their place", "[controller][blueprint]") {
  CHECK(replaced("${TARGET_NAEM}")
            .starts_with("error /spec/x: ${TARGET_NAEM} is no variable; there are TARGET_API_VERSION, "));
  CHECK(replaced("a/${TARGET_NAME") == "error /spec/x: ${TARGET_NAME is not closed; add the }");
  CHECK(replaced("${}").starts_with("error /spec/x: ${} is no variable"));
}

TEST_CASE("variables are replaced in every text of a blueprint and in nothing else", "[controller][blueprint]") {
  const auto filled = fill_in(
      a_blueprint({{"backend", {{"storageSecretName", "backups-${TARGET_KIND}"}}},
                   {"runtimeSettings",
                    {{"container", {{"env", {{{"name", "WHO"}, {"value", "${TARGET_NAMESPACE}/${TARGET_NAME}"}}}}}}}},
                   {"backupHistoryLimit", 3}}),
      variables_of(kWorkload), some_settings());
  REQUIRE(filled);
  CHECK(filled->repository["backend"]["storageSecretName"] == "backups-statefulset");
  CHECK(filled->repository["backend"]["s3"]["prefix"] == "demo/statefulset/db");
  CHECK(filled->configuration["runtimeSettings"]["container"]["env"][0]["value"] == "demo/db");
  CHECK(filled->configuration["backupHistoryLimit"] == 3);
  CHECK(with_variables({{"${TARGET_NAME}", "${TARGET_NAME}"}}, variables_of(kWorkload), "") ==
        Json{{"${TARGET_NAME}", "db"}});
}

TEST_CASE("what no backup can follow from is named by its field", "[controller][blueprint]") {
  CHECK(fault_of(a_blueprint()).empty());
  CHECK(fault_of(a_blueprint({{"schedule", nullptr}})) ==
        "/spec/schedule is missing; set five fields as in \"0 3 * * *\"");
  CHECK(fault_of(a_blueprint({{"schedule", "never"}})).starts_with("/spec/schedule: "));
  CHECK(fault_of(a_blueprint({{"backend", {{"s3", {{"bucket", nullptr}}}}}})) ==
        "/spec/backend/s3/bucket is missing; set the name of the bucket");
  CHECK(fault_of(a_blueprint({{"backend", {{"storageSecretName", nullptr}}}})) ==
        "/spec/backend/storageSecretName is missing; name a Secret with the key RESTIC_PASSWORD that is in each "
        "namespace");
  CHECK(fault_of(
            a_blueprint({{"backend",
                          {{"s3", nullptr}, {"local", {{"mountPath", "/safe"}, {"azureDisk", {{"diskName", "d"}}}}}}}}))
            .starts_with("spec.backend.local.azureDisk: this version mounts only"));
  CHECK(fault_of(a_blueprint({{"timeOut", "soon"}})) ==
        "/spec/timeOut: \"soon\" is no duration above zero such as 30m or 2h");
  CHECK(fault_of(a_blueprint({{"retryConfig", {{"delay", "soon"}}}})).starts_with("spec.retryConfig.delay"));
  CHECK(
      fault_of(a_blueprint({{"repoNamespace", "backups"}})) ==
      "BackupBlueprint nightly: /spec/repoNamespace: Repositories of another namespace are not supported; each is made "
      "in the namespace of its workload, so leave the field out");
  CHECK(fault_of(a_blueprint({{"backend", {{"s3", {{"bucket", 3}}}}}})) ==
        "BackupBlueprint nightly: /spec/backend/s3/bucket: expected a string, got a number");
  CHECK_FALSE(fault_of(a_blueprint({{"backend", nullptr}})).empty());
}

TEST_CASE("annotations are read as Stash reads them", "[controller][blueprint]") {
  const auto request =
      blueprint_request(an_annotated_workload()
                            .annotation("stash.appscode.com/backup-blueprint", " nightly ")
                            .annotation("stash.appscode.com/target-paths", " /a ,/b/c,")
                            .annotation("stash.appscode.com/volume-mounts", "source-data:/a,source-data:/b:in/ner")
                            .annotation("stash.appscode.com/schedule", "*/15 * * * * ")
                            .json());
  REQUIRE(request);
  CHECK(*request ==
        BlueprintRequest{
            "nightly", {"/a", "/b/c"}, {{"source-data", "/a", ""}, {"source-data", "/b", "in/ner"}}, "*/15 * * * *"});
  CHECK(blueprint_of(a_workload().json()).empty());
  CHECK(blueprint_of(an_annotated_workload().annotation("stash.appscode.com/backup-blueprint", " ").json()).empty());
}

TEST_CASE("a claim template of a StatefulSet is a volume, too", "[controller][blueprint]") {
  const Json workload = an_annotated_workload()
                            .no_volumes()
                            .with([](Json& json) {
                              json["spec"]["volumeClaimTemplates"] =
                                  Json::array({{{"metadata", {{"name", "source-data"}}}}});
                            })
                            .json();
  CHECK(blueprint_request(workload));
}

TEST_CASE("a wrong annotation is told with how it has to be", "[controller][blueprint]") {
  const std::string paths = "annotation stash.appscode.com/target-paths ",
                    mounts = "annotation stash.appscode.com/volume-mounts ";
  CHECK(request_error("target-paths", " , ") ==
        paths + "is missing or empty; list what to back up, as in /data,/config");
  CHECK(request_error("target-paths", "data") == paths + "has \"data\", which does not begin with a slash");
  CHECK(request_error("target-paths", "/source/database") ==
        paths + "has /source/database, which is below no mount of " + mounts.substr(0, mounts.size() - 1) +
            "; add the volume that it is in");
  CHECK(request_error("target-paths", "/source/data/../secret").contains("is below no mount of"));
  CHECK(request_error("volume-mounts", "") ==
        mounts + "is missing or empty; list the volumes to mount, as in data:/data,config:/config");
  for (const char* wrong : {"source-data", "source-data:", ":/x", "a:/b:c:d"}) {
    CHECK(request_error("volume-mounts", wrong) ==
          mounts + "has \"" + wrong + "\"; write volume:/path or volume:/path:subPath");
  }
  CHECK(request_error("volume-mounts", "source-data:x") ==
        mounts + "has \"source-data:x\", whose path does not begin with a slash");
  CHECK(request_error("volume-mounts", "other:/source/data") ==
        mounts + "names the volume other, which the pod does not have; it has source-data");
  CHECK(request_error("schedule", "often").starts_with("annotation stash.appscode.com/schedule is no schedule: "));
}

TEST_CASE("a blueprint says whether workloads can ask for it", "[controller][blueprint]") {
  CHECK(condition_of(status_after(a_blueprint(), std::nullopt), "Ready") == "True AllGood: workloads can ask for it");
  Texts events;
  const Json wrong = status_after(a_blueprint({{"schedule", nullptr}}), std::nullopt, &events);
  const std::string message = "BackupBlueprintInvalid: /spec/schedule is missing; set five fields as in \"0 3 * * *\"";
  CHECK(condition_of(wrong, "Ready") == "False " + message);
  CHECK(events == Texts{message});
  CHECK(wrong["status"]["observedGeneration"] == 1);
  // Of a wrong type, which an API server with the schema refuses.
  CHECK(condition_of(status_after(a_blueprint({{"schedule", 3}}), std::nullopt), "Ready").starts_with("False"));
}

TEST_CASE("a blueprint whose Repositories are one place says so", "[controller][blueprint]") {
  const auto ready = [](const char* prefix) {
    return condition_of(status_after(a_blueprint({{"backend", {{"s3", {{"prefix", prefix}}}}}}), std::nullopt),
                        "Ready");
  };
  CHECK(ready("${TARGET_NAMESPACE}/${TARGET_RESOURCE}/${TARGET_NAME}").starts_with("True AllGood"));
  CHECK(ready("all") ==
        "True SharedPlace: workloads can ask for it, but workloads that differ only in what is missing share one "
        "repository, in which their snapshots mix and are kept as if they were of one; put ${TARGET_NAMESPACE}, "
        "${TARGET_KIND}, ${TARGET_NAME} into the backend's prefix, URL or subPath");
  CHECK_THAT(ready("${TARGET_NAMESPACE}/${TARGET_NAME}"), Catch::Contains("put ${TARGET_KIND} into"));
  Json claim = a_blueprint();
  claim["spec"]["backend"] = {{"storageSecretName", "s"},
                              {"local",
                               {{"mountPath", "/safe"},
                                {"subPath", "${TARGET_KIND}/${TARGET_NAME}"},
                                {"persistentVolumeClaim", {{"claimName", "backups"}}}}}};
  CHECK(condition_of(status_after(claim, std::nullopt), "Ready").starts_with("True AllGood"));
}

TEST_CASE("a blueprint counts the workloads that ask for it and names none", "[controller][blueprint]") {
  const auto applied = [](std::map<std::string, int> workloads) {
    return condition_of(status_after(a_blueprint(), std::move(workloads)), "Applied");
  };
  CHECK(condition_of(status_after(a_blueprint(), std::nullopt), "Applied").empty());
  CHECK(applied({}) == "True AllGood: no workload names it");
  CHECK(applied({{"", 1}}) == "True AllGood: 1 workload is backed up by it");
  CHECK(applied({{"", 3}, {"NameTaken", 1}, {"BackupAnnotationInvalid", 2}}) ==
        "False NotAllApplied: not for 3 of 6 workloads: BackupAnnotationInvalid 2, NameTaken 1; see the events of the "
        "workloads: kubectl get events -A --field-selector reason=BackupAnnotationInvalid");
}

TEST_CASE("fields of a blueprint that nothing acts on are told", "[controller][blueprint]") {
  const Json blueprint = a_blueprint({{"task", {{"name", "t"}}}, {"shedule", "x"}});
  CHECK(condition_of(status_after(blueprint, std::nullopt), "FieldsHonoured") ==
        "False FieldsIgnored: not acted on by this version: /spec/task; unknown, perhaps misspelt: /spec/shedule");
}
