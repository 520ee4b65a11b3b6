#include "controller/cron_job.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "inject/runtime_settings.h"
#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

CronJobObjects objects_of(const api::BackupConfiguration& configuration, const inject::Settings& settings,
                          const Json& resources = JobResources().cron_job) {
  return cron_job_objects(configuration, settings, resources,
                          inject::pod_placement(configuration.spec.runtime_settings).value());
}

}  // namespace

TEST_CASE("the CronJob of a BackupConfiguration", "[controller][cron]") {
  const auto objects = objects_of(a_backup_configuration().label("app", "web"), some_settings());
  const Json ours = {{"app.kubernetes.io/component", "stash-backup"},
                     {"app.kubernetes.io/managed-by", "stash.appscode.com"},
                     {"stash.appscode.com/backup-configuration", "app-backup"},
                     {"stash.appscode.com/invoker-type", "BackupConfiguration"},
                     {"stash.appscode.com/invoker-name", "app-backup"}};
  Json with_the_users = ours;
  with_the_users["app"] = "web";
  const Json& job = objects.cron_job;
  CHECK(job["apiVersion"] == "batch/v1");
  CHECK(job["metadata"]["name"] == "stash-backup-app-backup");
  CHECK(job["metadata"]["labels"] == with_the_users);
  CHECK(job["metadata"]["ownerReferences"][0]["uid"] == "uid-app-backup");
  CHECK(job["spec"]["schedule"] == "*/5 * * * *");
  CHECK(job["spec"]["suspend"] == false);
  CHECK(job["spec"]["concurrencyPolicy"] == "Forbid");
  CHECK(job["spec"]["startingDeadlineSeconds"] == 300);
  // What has failed stays to be looked at until the next slot.
  CHECK(job["spec"]["failedJobsHistoryLimit"] == 1);
  CHECK_FALSE(job["spec"]["jobTemplate"]["spec"].contains("ttlSecondsAfterFinished"));
  const Json& pod = job["spec"]["jobTemplate"]["spec"]["template"];
  Json of_the_pod = ours;
  of_the_pod["sidecar.istio.io/inject"] = "false";
  CHECK(pod["metadata"]["labels"] == of_the_pod);
  CHECK(pod["spec"]["serviceAccountName"] == "stash-backup-app-backup");
  CHECK(pod["spec"]["nodeSelector"] == Json({{"kubernetes.io/os", "linux"}}));
  const Json& container = pod["spec"]["containers"][0];
  CHECK(container["name"] == "stash");
  CHECK(container["image"] == "stash:test");
  CHECK(container["args"] == Json({"create-backupsession", "--invoker-name=app-backup",
                                   "--invoker-type=BackupConfiguration", "--namespace=demo"}));
  CHECK(container["env"] ==
        Json::array(
            {{{"name", "JOB_NAME"},
              {"valueFrom", {{"fieldRef", {{"fieldPath", "metadata.labels['batch.kubernetes.io/job-name']"}}}}}}}));
  CHECK(container["securityContext"]["capabilities"]["drop"] == Json::array({"ALL"}));
}

TEST_CASE("the CronJob's pods name all that a ResourceQuota may count", "[controller][cron]") {
  const auto objects = objects_of(a_backup_configuration(), some_settings());
  const Json& pod = objects.cron_job["spec"]["jobTemplate"]["spec"]["template"];
  CHECK(pod["spec"]["containers"][0]["resources"] ==
        Json({{"requests", {{"cpu", "10m"}, {"memory", "16Mi"}}}, {"limits", {{"cpu", "500m"}, {"memory", "64Mi"}}}}));
}

TEST_CASE("the CronJob's pods take what the chart says, so that they pass a LimitRange",
          "[controller][cron][F66][I8]") {
  const Json resources = {{"requests", {{"cpu", "200m"}, {"memory", "256Mi"}}}};
  const auto objects = objects_of(a_backup_configuration(), some_settings(), resources);
  const Json& pod = objects.cron_job["spec"]["jobTemplate"]["spec"]["template"];
  CHECK(pod["spec"]["containers"][0]["resources"] == resources);
}

TEST_CASE("no mesh puts a proxy into the CronJob's pods, which would keep the Job from its end", "[controller][cron]") {
  const auto objects = objects_of(a_backup_configuration(), some_settings());
  const Json& pod = objects.cron_job["spec"]["jobTemplate"]["spec"]["template"];
  CHECK(pod["metadata"]["labels"]["sidecar.istio.io/inject"] == "false");
  CHECK(pod["metadata"]["annotations"] ==
        Json({{"sidecar.istio.io/inject", "false"}, {"linkerd.io/inject", "disabled"}}));
}

TEST_CASE("a paused BackupConfiguration suspends its CronJob", "[controller][cron]") {
  const auto objects = objects_of(a_backup_configuration().paused(), some_settings());
  CHECK(objects.cron_job["spec"]["suspend"] == true);
}

TEST_CASE("the role of CronJob pods allows to make sessions and no more", "[controller][cron]") {
  const auto objects = objects_of(a_backup_configuration(), some_settings());
  CHECK(objects.role["metadata"]["name"] == "stash-cron-job-app-backup");
  CHECK(objects.role["rules"] == Json::array({{{"apiGroups", Json::array({"stash.appscode.com"})},
                                               {"resources", Json::array({"backupconfigurations"})},
                                               {"resourceNames", Json::array({"app-backup"})},
                                               {"verbs", Json::array({"get"})}},
                                              {{"apiGroups", Json::array({"stash.appscode.com"})},
                                               {"resources", Json::array({"backupsessions"})},
                                               {"verbs", {"create", "list"}}},
                                              {{"apiGroups", Json::array({""})},
                                               {"resources", Json::array({"events"})},
                                               {"verbs", Json::array({"create"})}},
                                              {{"apiGroups", Json::array({"apps"})},
                                               {"resources", Json::array({"deployments"})},
                                               {"resourceNames", Json::array({"stash-demo"})},
                                               {"verbs", Json::array({"get"})}}}));
  CHECK(objects.role_binding["roleRef"] ==
        Json({{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", "stash-cron-job-app-backup"}}));
  CHECK(objects.role_binding["subjects"] ==
        Json::array({{{"kind", "ServiceAccount"}, {"name", "stash-backup-app-backup"}, {"namespace", "demo"}}}));
  CHECK(objects.service_account["metadata"]["name"] == "stash-backup-app-backup");
}

TEST_CASE("a ServiceAccount that the user names is used and none is made", "[controller][cron]") {
  const auto objects =
      objects_of(a_backup_configuration().pod_settings({{"serviceAccountName", "mine"}}), some_settings());
  CHECK(objects.service_account.is_null());
  CHECK(objects.cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["serviceAccountName"] == "mine");
  CHECK(objects.role_binding["subjects"][0]["name"] == "mine");
}

TEST_CASE("CronJob names have no dots, fit in 52 characters and stay distinct", "[controller][cron][F83][I7]") {
  CHECK(cron_job_name("app-v1") == "stash-backup-app-v1");
  CHECK(cron_job_name("app.v1").starts_with("stash-backup-app-v1-"));
  CHECK(cron_job_name("app.v1") != cron_job_name("app.v1.x"));
  for (const std::string& name : {std::string("app.v1"), std::string(30, 'a') + ".v1-of-the-warehouse"}) {
    std::string dashed = name;
    std::ranges::replace(dashed, '.', '-');
    CHECK(cron_job_name(name) != cron_job_name(dashed));
    CHECK(cron_job_name(name).size() <= 52);
    CHECK(cron_job_name(name).find('.') == std::string::npos);
  }
  std::string long_name(201, 'a');
  const std::string a = cron_job_name(long_name);
  long_name.back() = 'b';
  const std::string b = cron_job_name(long_name);
  CHECK(a.size() <= 52);
  CHECK(a != b);
}

TEST_CASE("pull secrets of the installation are on the CronJob's pods", "[controller][cron]") {
  inject::Settings settings = some_settings();
  settings.image_pull_secrets = {"regcred"};
  const auto objects = objects_of(a_backup_configuration(), settings);
  CHECK(objects.cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["imagePullSecrets"] ==
        Json::array({{{"name", "regcred"}}}));
}

TEST_CASE("pull secrets of a BackupConfiguration are on its CronJob's pods, each once", "[controller][cron]") {
  inject::Settings settings = some_settings();
  settings.image_pull_secrets = {"regcred"};
  const auto objects = objects_of(
      a_backup_configuration().pod_settings({{"imagePullSecrets", {{{"name", "regcred"}}, {{"name", "mine"}}}}}),
      settings);
  CHECK(objects.cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["imagePullSecrets"] ==
        Json::array({{{"name", "regcred"}}, {{"name", "mine"}}}));
}

TEST_CASE("the CronJob's pods run where the BackupConfiguration says, on Linux", "[controller][cron]") {
  const Json placed = {
      {"nodeSelector", {{"disk", "ssd"}, {"kubernetes.io/os", "windows"}}},
      {"tolerations", {{{"key", "backup"}, {"operator", "Exists"}, {"effect", "NoSchedule"}, {"value", ""}}}},
      {"priorityClassName", "low"},
      // Not for these.
      {"securityContext", {{"runAsUser", 0}}},
      {"nodeName", "node-1"}};
  const auto objects = objects_of(a_backup_configuration().pod_settings(placed), some_settings());
  const Json& pod = objects.cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
  CHECK(pod["nodeSelector"] == Json({{"disk", "ssd"}, {"kubernetes.io/os", "linux"}}));
  CHECK(pod["tolerations"] == Json::array({{{"key", "backup"}, {"operator", "Exists"}, {"effect", "NoSchedule"}}}));
  CHECK(pod["priorityClassName"] == "low");
  CHECK_FALSE(pod.contains("securityContext"));
  CHECK_FALSE(pod.contains("nodeName"));
  CHECK(pod["containers"][0]["securityContext"]["runAsNonRoot"] == true);
}

TEST_CASE("what says nothing about the place of the CronJob's pods is not on them, for the API server drops it",
          "[controller][cron]") {
  const Json nothing = {{"nodeSelector", Json::object()}, {"tolerations", Json::array()}, {"priorityClassName", ""}};
  CHECK(objects_of(a_backup_configuration().pod_settings(nothing), some_settings()).cron_job ==
        objects_of(a_backup_configuration(), some_settings()).cron_job);
}
