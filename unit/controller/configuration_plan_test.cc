#include "controller/configuration_plan.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "controller/cron_job.h"
#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Texts = std::vector<std::string>;

Plan plan(const ConfigurationWorld& world) { return plan_configuration(world, some_settings()); }

/// The world after the plan: applied objects are there, removed ones gone, the status is written.
ConfigurationWorld after(ConfigurationWorld world) {
  const Plan done = plan(world);
  carry_out(done, api::kBackupConfigurations, world.configuration);
  const auto live = [&](const api::Resource& resource) -> Json* {
    if (resource == api::kCronJobs) return &world.cron_job;
    if (resource == api::kRoles) return &world.role;
    if (resource == api::kRoleBindings) return &world.role_binding;
    if (resource == api::kServiceAccounts) return &world.service_account;
    return nullptr;
  };
  for (const Write& write : done.writes) {
    Json* const object = live(write.resource);
    if (object == nullptr) continue;
    if (write.verb == Write::Verb::remove) {
      *object = nullptr;
      std::erase_if(world.other_cron_jobs, [&](const api::ObjectMeta& meta) { return meta.uid == write.uid; });
    } else {
      *object = write.body;
      (*object)["metadata"]["uid"] = "uid-" + write.ref.name;
      (*object)["metadata"]["resourceVersion"] = "1";
    }
  }
  return world;
}

Texts written(const Plan& done) {
  Texts kinds;
  for (const Write& write : done.writes) {
    kinds.push_back(fmt::format("{} {}", write.verb == Write::Verb::remove ? "delete" : "write", write.resource.kind));
  }
  return kinds;
}

std::string condition(const ConfigurationWorld& world, std::string_view type) {
  return condition_of(after(world).configuration, type);
}

std::string phase(const ConfigurationWorld& world) { return phase_of(after(world).configuration); }

}  // namespace

TEST_CASE("a good BackupConfiguration gets its access, then its CronJob, then the phase Ready",
          "[controller][configuration]") {
  const ConfigurationWorld world = a_configuration_world();
  CHECK(written(plan(world)) ==
        Texts{"write ServiceAccount", "write Role", "write RoleBinding", "write CronJob", "write BackupConfiguration"});
  const Json configuration = after(world).configuration;
  CHECK(phase_of(configuration) == "Ready");
  CHECK(configuration["status"]["observedGeneration"] == 1);
  CHECK(condition_of(configuration, "RepositoryFound") == "True RepositoryAvailable: Repository demo/repo exists");
  CHECK(condition_of(configuration, "BackendSecretFound") ==
        "True BackendSecretAvailable: Secret demo/repo-secret exists");
  CHECK(condition_of(configuration, "BackupTargetFound") == "True TargetAvailable: Deployment demo/stash-demo exists");
  CHECK(condition_of(configuration, "StashSidecarInjected") ==
        "True SidecarInjectionSucceeded: the sidecar is in the pod template of Deployment demo/stash-demo");
  CHECK(condition_of(configuration, "CronJobCreated") ==
        "True CronJobCreationSucceeded: CronJob demo/stash-backup-app-backup makes the sessions");
  CHECK(condition_of(configuration, "FieldsHonoured") == "True AllFieldsHonoured: every field of spec is acted on");
  CHECK(condition_of(configuration, "Ready") == "True AllGood: backups run by the schedule");
  CHECK(plan(world).notes.empty());
}

TEST_CASE("a namespace that has not opted in gets no CronJob and one event with the command",
          "[controller][configuration]") {
  ConfigurationWorld world = a_configuration_world();
  world.not_opted_in = "the namespace has not opted in";
  const std::string message = "the namespace has not opted in";
  CHECK(written(plan(world)) == Texts{"write BackupConfiguration"});
  CHECK(condition(world, "StashSidecarInjected") == "False NamespaceNotOptedIn: " + message);
  CHECK(condition(world, "CronJobCreated") == "False NamespaceNotOptedIn: " + message);
  CHECK(phase(world) == "NotReady");
  CHECK(events_of(plan(world)) == Texts{"NamespaceNotOptedIn: " + message});
}

TEST_CASE("a CronJob that can no longer have successful sessions is removed with its access",
          "[controller][configuration]") {
  ConfigurationWorld world = after(a_configuration_world());
  world.not_opted_in = "the namespace has not opted in";
  CHECK(written(plan(world)) == Texts{"delete CronJob", "delete RoleBinding", "delete Role", "delete ServiceAccount",
                                      "write BackupConfiguration"});
}

TEST_CASE("a missing Repository is named, and the CronJob is made nevertheless", "[controller][configuration]") {
  ConfigurationWorld world = a_configuration_world();
  world.repository.reset();
  CHECK(
      condition(world, "RepositoryFound") ==
      "False RepositoryNotAvailable: Repository demo/repo does not exist; create it, or correct spec.repository.name");
  CHECK(condition(world, "BackendSecretFound") ==
        "Unknown UnableToCheckBackendSecretAvailability: the Repository that names it does not exist");
  CHECK(condition(world, "CronJobCreated").starts_with("True"));
  CHECK(phase(world) == "NotReady");
}

TEST_CASE("what a Repository says about its Secret is believed for its current generation only",
          "[controller][configuration]") {
  ConfigurationWorld world = a_configuration_world();
  world.repository->metadata.generation = 2;
  CHECK(condition(world, "BackendSecretFound") == "Unknown UnableToCheckBackendSecretAvailability: not looked at yet");
}

TEST_CASE("a path in no mounted volume makes the BackupConfiguration NotReady before a backup fails",
          "[controller][configuration]") {
  const auto with_paths = [](std::vector<std::string> paths) {
    return a_configuration_world(
        a_backup_configuration().mounts({{"data", "/source//data/", ""}}).paths(std::move(paths)));
  };
  const std::string message =
      "each backup will fail: /source/database, /etc of spec.target.paths are at or below no mountPath of "
      "spec.target.volumeMounts (/source/data); correct the path, or add the mount";
  const ConfigurationWorld world = with_paths({"/source/data/in/", "/source/database", "/etc"});
  CHECK(condition(world, "Ready") == "False PathNotMounted: " + message);
  CHECK(phase(world) == "NotReady");
  CHECK(events_of(plan(world)) == Texts{"PathNotMounted: " + message});
  CHECK(condition(with_paths({"/source/data", "/source/./data/x/../y"}), "Ready").starts_with("True"));
  CHECK(condition(with_paths({"/source/data/../etc"}), "Ready").starts_with("False PathNotMounted"));

  INFO("nothing new is said by a look at what was said");
  CHECK(plan(after(world)).notes.empty());
}

TEST_CASE("a schedule that no calendar has a day for is said to begin nothing", "[controller][configuration]") {
  const ConfigurationWorld world = a_configuration_world(a_backup_configuration().schedule("0 0 30 2 *"));
  CHECK(
      condition(world, "Ready") ==
      "False ScheduleNeverDue: spec.schedule \"0 0 30 2 *\" is due on no day of the calendar, so it begins no backup; "
      "correct it");
  CHECK(condition(world, "CronJobCreated").starts_with("True"));
  CHECK(phase(world) == "NotReady");
}

TEST_CASE("Ready does not say that backups run while they are paused, or pruned when nothing is",
          "[controller][configuration]") {
  CHECK(condition(a_configuration_world(a_backup_configuration().paused()), "Ready") ==
        "True AllGood: paused, so the schedule begins no backup; set spec.paused to false to go on");
  CHECK(condition(a_configuration_world(a_backup_configuration().retention({})), "Ready") ==
        "True AllGood: backups run by the schedule; spec.retentionPolicy keeps all snapshots, so the repository only "
        "grows: set keepLast or another of its rules");
}

TEST_CASE("Ready says when each node may have a repository of its own", "[controller][configuration][F28][I8]") {
  const auto ready = [](const char* kind) {
    return condition(a_configuration_world(a_backup_configuration().target({"apps/v1", kind, "stash-demo"})), "Ready");
  };
  CHECK(ready("DaemonSet")
            .starts_with("True AllGood: backups run by the schedule; Repository demo/repo is the hostPath "
                         "/data/repo: unless that is the same network mount on every node, each node"));
  CHECK(ready("StatefulSet").contains("a repository of its own"));
  CHECK(ready("Deployment") == "True AllGood: backups run by the schedule");
}

TEST_CASE("a missing target is named", "[controller][configuration]") {
  ConfigurationWorld world = a_configuration_world();
  world.workload.reset();
  CHECK(condition(world, "BackupTargetFound") ==
        "False TargetNotAvailable: Deployment demo/stash-demo does not exist; create it, or correct spec.target.ref");
}

TEST_CASE("an injection that is under way is Unknown and no event", "[controller][configuration]") {
  ConfigurationWorld world = a_configuration_world();
  world.workload->has_container = false;
  world.injection.up_to_date = false;
  CHECK(condition(world, "StashSidecarInjected") ==
        "Unknown SidecarInjectionPending: waiting for the sidecar to be injected into Deployment demo/stash-demo");
  CHECK(plan(world).notes.empty());
}

TEST_CASE("a failed injection says why", "[controller][configuration]") {
  ConfigurationWorld world = a_configuration_world();
  world.workload->has_container = false;
  world.injection = {.asked_in_vain = true, .error = "", .up_to_date = false};
  CHECK(condition(world, "StashSidecarInjected") ==
        "False SidecarInjectionFailed: Deployment demo/stash-demo was updated but came back without the sidecar; is "
        "stash-webhook running? It is tried again");
  world.injection.error = "quota exceeded";
  CHECK(condition(world, "StashSidecarInjected") ==
        "False SidecarInjectionFailed: the API server refused the update that lets the webhook inject: quota exceeded");
  world.findings = {
      {inject::Reason::container_name_taken, "Deployment demo/stash-demo", "a container is called stash"}};
  CHECK(condition(world, "StashSidecarInjected") ==
        fmt::format("False {}: a container is called stash", inject::code_of(inject::Reason::container_name_taken)));
}

TEST_CASE("fields that are not acted on are listed, and do not make it NotReady", "[controller][configuration]") {
  ConfigurationWorld world = a_configuration_world();
  world.configuration["spec"]["task"] = {{"name", "pvc-backup"}};
  world.configuration["spec"]["scheduel"] = "typo";
  const std::string honoured = condition(world, "FieldsHonoured");
  CHECK(honoured.starts_with("False FieldsIgnored: not acted on by this version: "));
  CHECK(honoured.find("/spec/task") != std::string::npos);
  CHECK(honoured.find("unknown, perhaps misspelt: /spec/scheduel") != std::string::npos);
  CHECK(phase(world) == "Ready");
}

TEST_CASE("a configuration that no backup can follow is Invalid and gets no CronJob", "[controller][configuration]") {
  ConfigurationWorld world =
      a_configuration_world(a_backup_configuration().target({"v1", "PersistentVolumeClaim", "db"}));
  world.workload.reset();
  CHECK(phase(world) == "Invalid");
  CHECK(written(plan(world)) == Texts{"write BackupConfiguration"});
  CHECK(condition(world, "BackupTargetFound") ==
        "False NotSupported: PersistentVolumeClaim demo/db of v1 is not supported by this version; supported: " +
            api::workload_kind_names());
}

TEST_CASE("a misspelt place of the CronJob's pods is told, and its other changes reach the CronJob all the same",
          "[controller][configuration][F70][I8]") {
  ConfigurationWorld world = a_configuration_world();
  world.configuration["spec"]["runtimeSettings"]["pod"]["priorityClassName"] = "low";
  world = after(world);
  world.configuration["spec"]["runtimeSettings"]["pod"]["tolerations"] = {{{"efect", "NoSchedule"}}};
  CHECK(condition(world, "CronJobCreated") ==
        "False CronJobCreationFailed: spec.runtimeSettings.pod/tolerations/0/efect: not a field that can be put into a "
        "pod; check its spelling; its pods are placed as they were before, or as if it said nothing");
  CHECK(phase(world) == "NotReady");
  world.configuration["spec"]["runtimeSettings"]["pod"].erase("priorityClassName");
  CHECK(written(plan(world)) == Texts{"write BackupConfiguration"});
  world.configuration["spec"]["schedule"] = "7 * * * *";
  const Plan changed = plan(world);
  CHECK(written(changed) == Texts{"write CronJob", "write BackupConfiguration"});
  const Json& spec = changed.writes.front().body["spec"];
  CHECK(spec["schedule"] == "7 * * * *");
  CHECK(spec["jobTemplate"]["spec"]["template"]["spec"]["priorityClassName"] == "low");
}

TEST_CASE("a place for the CronJob's pods that changes is written once", "[controller][configuration][F86][I4]") {
  ConfigurationWorld world = after(a_configuration_world());
  world.configuration["spec"]["runtimeSettings"]["pod"]["nodeSelector"] = {{"disk", "ssd"}};
  CHECK(written(plan(world)).front() == "write CronJob");
  world = after(world);
  CHECK(written(plan(world)).empty());
}

TEST_CASE("a CronJob that the API server refuses becomes a condition with its sentence",
          "[controller][configuration]") {
  ConfigurationWorld world = a_configuration_world();
  world.refused = "CronJob is invalid: spec.schedule: bad";
  CHECK(written(plan(world)) == Texts{"write BackupConfiguration"});
  CHECK(condition(world, "CronJobCreated") == "False CronJobCreationFailed: CronJob is invalid: spec.schedule: bad");
}

TEST_CASE("a CronJob of that name that is not ours is left alone and named", "[controller][configuration]") {
  ConfigurationWorld world = a_configuration_world();
  world.cron_job = {{"metadata", {{"name", "stash-backup-app-backup"}, {"namespace", "demo"}, {"uid", "theirs"}}}};
  CHECK(written(plan(world)) == Texts{"write BackupConfiguration"});
  CHECK(condition(world, "CronJobCreated") ==
        "False NameTaken: CronJob demo/stash-backup-app-backup exists already and is not Stash's, so it is left alone; "
        "rename it, or the BackupConfiguration");
  CHECK(phase(world) == "NotReady");
}

TEST_CASE("a CronJob under the name of an older Stash is removed", "[controller][configuration]") {
  ConfigurationWorld world = a_configuration_world();
  api::ObjectMeta old;
  old.ns = "demo";
  old.name = "app-backup";
  old.uid = "old";
  world.other_cron_jobs = {old};
  old.uid = "old account";
  world.other_service_accounts = {old};
  const Plan done = plan(world);
  CHECK(done.writes.at(0).verb == Write::Verb::remove);
  CHECK(done.writes.at(0).uid == "old");
  CHECK(done.writes.at(1).verb == Write::Verb::remove);
  CHECK(done.writes.at(1).uid == "old account");
}

TEST_CASE("the CronJob of another BackupConfiguration is left to it, and named", "[controller][configuration][I7]") {
  ConfigurationWorld world = a_configuration_world();
  world.cron_job =
      cron_job_objects(a_backup_configuration("other"), some_settings(), JobResources().cron_job, Json::object())
          .cron_job;
  CHECK(
      condition(world, "CronJobCreated") ==
      "False NameTaken: CronJob demo/stash-backup-app-backup exists already and is that of BackupConfiguration other, "
      "so it is left alone; rename one of the two BackupConfigurations");
  INFO("nor is it removed when this one becomes Invalid");
  world.configuration["spec"]["schedule"] = "";
  CHECK(written(plan(world)) == Texts{"write BackupConfiguration"});
}

TEST_CASE("an event comes when a condition becomes False, not while it stays so", "[controller][configuration]") {
  ConfigurationWorld world = a_configuration_world();
  world.workload.reset();
  CHECK(plan(world).notes.size() == 2);
  world = after(world);
  CHECK(plan(world).notes.empty());
}

TEST_CASE("a BackupConfiguration that somebody's finalizer holds back loses its CronJob with its access",
          "[controller][configuration][F23][I6]") {
  ConfigurationWorld world = after(a_configuration_world());
  world.configuration["metadata"]["finalizers"] = Json::array({"example.com/held"});
  world.configuration["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  CHECK(written(plan(world)) == Texts{"delete CronJob", "delete RoleBinding", "delete Role", "delete ServiceAccount"});
  CHECK(plan(after(world)).empty());
}

TEST_CASE("a deleted BackupConfiguration loses the finalizer of older Stash and nothing else happens",
          "[controller][configuration]") {
  ConfigurationWorld world = a_configuration_world();
  CHECK(written(plan(a_configuration_world(a_backup_configuration().being_deleted()))).empty());
  const Plan done =
      plan(a_configuration_world(a_backup_configuration().being_deleted().finalizer("stash.appscode.com")));
  REQUIRE(done.writes.size() == 1);
  CHECK(done.writes[0].body["metadata"]["finalizers"] == Json::array());
}

TEST_CASE("a schedule change is applied to the CronJob alone", "[controller][configuration]") {
  ConfigurationWorld world = after(a_configuration_world());
  world.configuration["spec"]["schedule"] = "0 3 * * *";
  CHECK(written(plan(world)) == Texts{"write CronJob"});
  CHECK(plan(world).writes[0].body["metadata"]["resourceVersion"] == "1");
}

TEST_CASE("a CronJob that somebody changed by hand is put right", "[controller][configuration][F86][I4]") {
  ConfigurationWorld world = after(a_configuration_world());
  world.cron_job["spec"]["suspend"] = true;
  CHECK(written(plan(world)) == Texts{"write CronJob"});
}

TEST_CASE("a sidecar that keeps pods from running is withdrawn in the status, and looked at again",
          "[controller][configuration][F66][I1]") {
  ConfigurationWorld world = a_configuration_world();
  world.rollout = {
      .injected = true, .trouble = PodTrouble{inject::Reason::pods_refused, "denied by policy"}, .settings = "now"};
  const Plan plan = plan_configuration(world, some_settings());
  CHECK(plan.look_again_in == seconds(15));
  world = after(world);
  CHECK(world.configuration["status"]["withdrawal"]["phase"] == "Withdrawn");
  CHECK(world.configuration["status"]["withdrawal"]["reason"] == "PodsRefused");
  CHECK(plan_configuration(world, some_settings()).empty());
  world.rollout = {.injected = true, .settled = true, .settings = "new"};
  CHECK_FALSE(after(world).configuration["status"].contains("withdrawal"));
}

TEST_CASE("what the API server refused is withdrawn in the status, and what is said stays while it is tried again",
          "[controller][configuration][F66][I1][I8]") {
  ConfigurationWorld world = a_configuration_world();
  world.workload->has_container = false;
  world.rollout.settings = "now";
  world.injection = {.blamed = {"BackupConfiguration demo/app-backup"}, .refusal = "denied by policy"};
  world = after(world);
  CHECK(world.configuration["status"]["withdrawal"]["reason"] == "WorkloadRefused");
  CHECK(condition(world, "StashSidecarInjected").starts_with("Unknown "));
  world.injection = {.up_to_date = true};
  world.findings = {{inject::Reason::workload_refused, "BackupConfiguration demo/app-backup", "refused"}};
  world = after(world);
  CHECK(condition(world, "StashSidecarInjected") == "False WorkloadRefused: refused");
  CHECK(plan(world).look_again_in == minutes(1));
  world.now += minutes(1);
  world = after(world);
  CHECK(world.configuration["status"]["withdrawal"]["phase"] == "Retrying");
  world.injection = {};
  world.findings.clear();
  CHECK(condition(world, "StashSidecarInjected") == "False WorkloadRefused: refused");
  CHECK(plan(world).notes.empty());
}

TEST_CASE("the time of a new generation is kept", "[controller][configuration][metrics]") {
  const auto observed = [](const ConfigurationWorld& world) {
    return string_at(world.configuration, {"status", "generationObservedTime"});
  };
  ConfigurationWorld world = after(a_configuration_world());
  CHECK(observed(world) == format_time(kCreated + seconds(5)));
  world.now += hours(1);
  world.repository.reset();
  CHECK(observed(after(world)) == format_time(kCreated + seconds(5)));
  world.configuration["metadata"]["generation"] = 2;
  CHECK(observed(after(world)) == format_time(kCreated + hours(1) + seconds(5)));
}

TEST_CASE("the last success outlives its session", "[controller][configuration][metrics][I8]") {
  const auto last = [](const ConfigurationWorld& world) {
    return string_at(world.configuration, {"status", "lastSuccessfulTime"});
  };
  ConfigurationWorld world = after(a_configuration_world());
  CHECK(last(world).empty());
  world.last_success = kCreated + minutes(7);
  world = after(world);
  CHECK(last(world) == format_time(kCreated + minutes(7)));
  CHECK(plan(world).empty());
  for (const auto older : {std::optional<TimePoint>(), std::optional(kCreated + minutes(6))}) {
    world.last_success = older;
    CHECK(plan(world).empty());
  }
  world.last_success = kCreated + minutes(8);
  CHECK(last(after(world)) == format_time(kCreated + minutes(8)));
}

TEST_CASE("a sidecar that stays although pods with it are refused says so, with one event",
          "[controller][configuration][F66][I8]") {
  ConfigurationWorld world = a_configuration_world();
  world.rollout = {.injected = true, .unclear_refusal = "denied by policy", .settings = "now"};
  const std::string message =
      "the sidecar is in the pod template of Deployment demo/stash-demo, but more pods are refused: denied by policy; "
      "whether for the sidecar's sake is not known, and pods that run with it would be restarted without, so it stays. "
      "If it is, set spec.runtimeSettings.container to what the namespace allows, or change its quota, limits or "
      "policy";
  CHECK(condition(world, "StashSidecarInjected") == "True PodsRefused: " + message);
  CHECK(phase(world) == "Ready");  // the pods that run are backed up
  CHECK(events_of(plan(world)) == Texts{"PodsRefused: " + message});
  world = after(world);
  CHECK_FALSE(world.configuration["status"].contains("withdrawal"));
  CHECK(plan(world).empty());
  CHECK(plan(world).look_again_in == seconds(15));
  world.rollout = {.injected = true, .settled = true, .settings = "now"};
  CHECK(condition(world, "StashSidecarInjected").starts_with("True SidecarInjectionSucceeded"));
  CHECK(plan(world).notes.empty());
}

TEST_CASE("the plan after a configuration's plan writes nothing", "[controller][configuration]") {
  // Every combination of what can be wrong.
  for (unsigned bits = 0; bits < 1024; ++bits) {
    auto builder = a_backup_configuration();
    if (bits & 1) builder.paused();
    if (bits & 2) builder.schedule("");
    if (bits & 4) builder.target({"apps/v1", "StatefulSet", "db"});
    ConfigurationWorld world = a_configuration_world(builder);
    if (bits & 8) world.not_opted_in = "the namespace has not opted in";
    if (bits & 16) world.repository.reset();
    if (bits & 32) world.workload.reset();
    if (bits & 64) world.injection = {.asked_in_vain = true, .error = "", .up_to_date = false};
    if (bits & 128) world.refused = "no";
    if (bits & 256) world.service_account = {{"metadata", {{"name", "theirs"}}}};
    if (bits & 512) world.configuration["spec"]["surprise"] = 1;
    world = after(world);
    INFO(bits << "\n" << render_plan(plan(world)));
    CHECK(plan(world).empty());
  }
}

TEST_CASE("a BackupConfiguration that cannot be read is Invalid, once", "[controller][configuration]") {
  ConfigurationWorld world = a_configuration_world();
  world.configuration["spec"]["schedule"] = 5;
  world = after(world);
  CHECK(phase_of(world.configuration) == "Invalid");
  CHECK(condition_of(world.configuration, "Ready").find("/spec/schedule") != std::string::npos);
  CHECK(plan(world).empty());
}

TEST_CASE("a BackupConfiguration that cannot be read loses its CronJobs with their access",
          "[controller][configuration][F84][I6]") {
  ConfigurationWorld world = after(a_configuration_world());
  world.configuration["spec"]["repository"]["namespace"] = "other";
  api::ObjectMeta old;
  old.ns = "demo";
  old.name = "app-backup";
  world.other_cron_jobs = {old};
  CHECK(written(plan(world)) == Texts{"delete CronJob", "delete CronJob", "delete RoleBinding", "delete Role",
                                      "delete ServiceAccount", "write BackupConfiguration"});
}

TEST_CASE("a deleted BackupConfiguration that cannot be read loses the finalizer of older Stash",
          "[controller][configuration][F84][I6]") {
  ConfigurationWorld world =
      a_configuration_world(a_backup_configuration().being_deleted().finalizer("stash.appscode.com"));
  world.configuration["spec"]["repository"]["namespace"] = "other";
  const Plan done = plan(world);
  REQUIRE(done.writes.size() == 1);
  CHECK(done.writes[0].body["metadata"]["finalizers"] == Json::array());
}

TEST_CASE("a hook that runs a program makes the configuration Invalid only where such hooks are turned off",
          "[controller][configuration]") {
  inject::Settings turned_off = some_settings();
  turned_off.exec_hooks = false;
  ConfigurationWorld world = a_configuration_world();
  world.configuration["spec"]["hooks"] = {{"preBackup", {{"exec", {{"command", {"sync"}}}}}}};
  CHECK(phase(world) == "Ready");
  carry_out(plan_configuration(world, turned_off), api::kBackupConfigurations, world.configuration);
  CHECK(phase_of(world.configuration) == "Invalid");
  CHECK(condition_of(world.configuration, "Ready").find("(hooks.exec=false of the chart)") != std::string::npos);
  world.configuration["spec"]["hooks"] = {{"preBackup", {{"httpPost", {{"port", 8080}, {"path", "/freeze"}}}}}};
  carry_out(plan_configuration(world, turned_off), api::kBackupConfigurations, world.configuration);
  CHECK(phase_of(world.configuration) == "Ready");
}

TEST_CASE("a hook that no session could run makes the configuration Invalid", "[controller][configuration]") {
  const auto ready = [](const char* hooks) {
    ConfigurationWorld world = a_configuration_world();
    world.configuration["spec"]["hooks"] = Json::parse(hooks);
    return condition(world, "Ready");
  };
  const std::string start =
      "False Invalid: BackupConfiguration demo/app-backup has a hook that cannot be run: spec.hooks.";
  CHECK(ready(R"({"preBackup": {"httpGet": {"port": "http"}}})") ==
        start +
            "preBackup.httpGet.port: \"http\" is no number from 1 to 65535; the container's names of ports are not "
            "known here, so give the number");
  CHECK(ready(R"({"postBackup": {"exec": {"command": []}}})") == start + "postBackup.exec: it has no command");
  CHECK(ready(R"({"preBackup": {"exec": {"command": ["a"]}, "tcpSocket": {"port": 1}}})").starts_with(start));
  CHECK(ready(R"({"preBackup": {"tcpSocket": {"port": 1}, "timeout": "soon"}})").starts_with(start));
  CHECK(ready(R"({"postBackup": {"tcpSocket": {"port": 1}, "executionPolicy": "Never"}})").starts_with(start));
  CHECK(ready(R"({"preBackup": {"tcpSocket": {"port": 1}, "executionPolicy": "Never"}})").starts_with("True"));
}

TEST_CASE("a hook that names Stash's own container makes the configuration Invalid", "[controller][configuration]") {
  ConfigurationWorld world = a_configuration_world();
  world.configuration["spec"]["hooks"] = {
      {"postBackup", {{"exec", {{"command", {"sync"}}}}, {"containerName", "stash"}}}};
  CHECK(phase(world) == "Invalid");
}
