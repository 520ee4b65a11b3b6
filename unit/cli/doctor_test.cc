#include "cli/doctor.h"

#include <catch2/catch.hpp>

#include "unit/support/objects.h"

using namespace stash;
using namespace stash::cli;
using namespace stash::test;
using Level = Check::Level;

namespace {

const TimePoint kNow = kCreated + std::chrono::hours(1);

Json program(const std::string& name, const std::string& command, Json args) {
  return {
      {"metadata", {{"name", name}, {"namespace", "stash"}, {"labels", {{"app.kubernetes.io/component", "x"}}}}},
      {"spec",
       {{"replicas", 1},
        {"template",
         {{"spec",
           {{"serviceAccountName", name},
            {"containers", {{{"name", "c"}, {"command", {"/usr/bin/" + command}}, {"args", std::move(args)}}}}}}}}}},
      {"status", {{"readyReplicas", 1}}}};
}

Json crd(const api::Resource& resource) {
  return {{"metadata", {{"name", fmt::format("{}.{}", resource.plural, resource.group)}}},
          {"spec", {{"versions", {{{"name", resource.version}, {"served", true}}}}}},
          {"status", {{"conditions", {{{"type", "Established"}, {"status", "True"}}}}}}};
}

Json a_role(const std::string& name) {
  return {{"metadata", {{"name", name}}}, {"rules", {{{"apiGroups", {"*"}}, {"resources", {"*"}}, {"verbs", {"*"}}}}}};
}

Json a_binding(const std::string& name) {
  return {{"metadata", {{"name", name}}},
          {"roleRef", {{"name", name}}},
          {"subjects", {{{"kind", "ServiceAccount"}, {"name", name}, {"namespace", "stash"}}}}};
}

certs::CertificateFacts certificate(std::chrono::hours left) {
  certs::CertificateFacts facts;
  facts.not_before = kNow - std::chrono::hours(100);
  facts.not_after = kNow + left;
  return facts;
}

/// An installation without a fault.
DoctorWorld a_world() {
  DoctorWorld world;
  world.now = kNow;
  world.lists["customresourcedefinitions"] =
      Json::array({crd(api::kRepositories), crd(api::kBackupConfigurations), crd(api::kBackupSessions),
                   crd(api::kRestoreSessions), crd(api::kBackupBlueprints)});
  world.lists["deployments"] = Json::array(
      {program("stash-webhook", "stash-webhook", {"--image=stash:1", "--injection-mode=opt-in"}),
       program("stash-operator", "stash-controller",
               {"--image=stash:1", "--injection-mode=opt-in", "--leader-election-lease=stash-controller"})});
  world.lists["leases"] =
      Json::array({{{"metadata", {{"name", "stash-controller"}, {"namespace", "stash"}}},
                    {"spec", {{"holderIdentity", "pod-1"}, {"renewTime", format_micro_time(kNow)}}}}});
  world.lists["services"] = Json::array({{{"metadata", {{"name", "stash-webhook"}, {"namespace", "stash"}}}}});
  world.lists["mutatingwebhookconfigurations"] =
      Json::array({{{"metadata", {{"name", "stash-injector"}}},
                    {"webhooks",
                     {{{"name", kInjectorWebhook},
                       {"failurePolicy", "Ignore"},
                       {"clientConfig",
                        {{"caBundle", "x"}, {"service", {{"name", "stash-webhook"}, {"namespace", "stash"}}}}}}}}}});
  world.published_cas = {certificate(std::chrono::hours(1000))};
  world.serving_certificate = certificate(std::chrono::hours(100));
  world.lists["clusterroles"] = Json::array({a_role("stash-webhook"), a_role("stash-operator")});
  world.lists["clusterrolebindings"] = Json::array({a_binding("stash-webhook"), a_binding("stash-operator")});
  world.lists["namespaces"] =
      Json::array({{{"metadata", {{"name", "demo"}, {"labels", {{"stash.appscode.com/injection", "enabled"}}}}}}});
  world.lists["backupconfigurations"] = Json::array({a_backup_configuration().json()});
  world.lists["repositories"] = Json::array({a_repository().json()});
  return world;
}

std::vector<Check> complaints(const DoctorWorld& world) {
  auto checks = diagnose(world);
  std::erase_if(checks, [](const Check& check) { return check.level == Level::ok; });
  return checks;
}

/// The only complaint.
Check complaint(const DoctorWorld& world) {
  const auto checks = complaints(world);
  CAPTURE(doctor_report(checks).dump());
  REQUIRE(checks.size() == 1);
  return checks.front();
}

}  // namespace

TEST_CASE("a whole installation has no complaints", "[cli][doctor]") {
  CHECK(complaints(a_world()).empty());
  CHECK_FALSE(has_problem(diagnose(a_world())));
}

TEST_CASE("without the chart everything is missing", "[cli][doctor]") {
  const auto checks = complaints({});
  CHECK(has_problem(checks));
  CHECK(checks.front().message == "CustomResourceDefinition repositories.stash.appscode.com is missing");
}

TEST_CASE("a program without ready pods is a problem", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.lists["deployments"][0]["status"] = Json::object();
  CHECK(complaint(world).message == "Deployment stash/stash-webhook has 0 of 1 pods ready");
  world.lists["deployments"][0]["spec"]["replicas"] = 0;
  CHECK(complaint(world).remedy == "kubectl scale deployment stash-webhook -n stash --replicas=1");
  world = a_world();
  world.lists["deployments"][0]["spec"]["replicas"] = 2;
  CHECK(complaint(world).level == Level::warning);
}

TEST_CASE("programs that decide by different settings are a problem", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.lists["deployments"][0]["spec"]["template"]["spec"]["containers"][0]["args"][0] = "--image=stash:2";
  CHECK(complaint(world).message == R"(webhook and controller differ in --image: "stash:2" and "stash:1")");
}

TEST_CASE("a lease that nobody renews is a problem", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.lists["leases"][0]["spec"]["renewTime"] = format_micro_time(kNow - std::chrono::minutes(5));
  CHECK(complaint(world).message == "no controller has renewed Lease stash/stash-controller for 5m");
  world.lists["leases"] = Json::array();
  CHECK(complaint(world).message == "no controller holds Lease stash/stash-controller");
}

TEST_CASE("a webhook without a CA or a Service cannot be called", "[cli][doctor]") {
  DoctorWorld world = a_world();
  Json& client = world.lists["mutatingwebhookconfigurations"][0]["webhooks"][0]["clientConfig"];
  client.erase("caBundle");
  CHECK(complaint(world).area == "webhook");
  world = a_world();
  world.lists["services"] = Json::array();
  CHECK(complaint(world).message.starts_with("Service stash/stash-webhook of webhook"));
}

TEST_CASE("certificates that are over, nearly over, not begun or of another CA are told", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.serving_certificate = certificate(std::chrono::hours(-1));
  CHECK(complaint(world).message.starts_with("the serving certificate has expired at "));
  world.serving_certificate = certificate(std::chrono::hours(1));
  CHECK(complaint(world).level == Level::warning);
  world.serving_certificate = certificate(std::chrono::hours(100));
  world.serving_certificate->not_before = kNow + std::chrono::hours(1);
  CHECK(complaint(world).message.contains("is valid only from"));
  world.serving_certificate = certificate(std::chrono::hours(100));
  world.serving_certificate_is_signed = false;
  CHECK(complaint(world).message == "the serving certificate is not signed by the published CA");
}

TEST_CASE("a right that was taken away is named", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.lists["clusterroles"][0]["rules"] = {{{"apiGroups", {"stash.appscode.com", "authorization.k8s.io"}},
                                              {"resources", {"*"}},
                                              {"verbs", {"list", "watch", "create"}}}};
  CHECK(complaint(world).message == "ServiceAccount stash/stash-webhook of stash-webhook may not watch namespaces");
}

TEST_CASE("a right on one named object is not the right on all", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.lists["clusterroles"][0]["rules"][0]["resourceNames"] = {"one"};
  CHECK(complaints(world).size() == 4);
}

TEST_CASE("a namespace with backups that has not asked for injection is a problem", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.lists["namespaces"][0]["metadata"].erase("labels");
  CHECK(complaint(world).remedy == "kubectl label namespace demo stash.appscode.com/injection=enabled --overwrite");
  for (Json& deployment : world.lists["deployments"])
    deployment["spec"]["template"]["spec"]["containers"][0]["args"][1] = "--injection-mode=opt-out";
  CHECK(complaints(world).empty());
}

TEST_CASE("what the controller complains of is told", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.lists["repositories"][0]["status"]["conditions"] =
      Json::array({{{"type", "BackendSecretFound"},
                    {"status", "False"},
                    {"message", "Secret repo-secret does not exist; create it"}}});
  CHECK(complaint(world).message == "Repository demo/repo: Secret repo-secret does not exist; create it");
  world = a_world();
  world.lists["repositories"][0]["status"]["integrity"] = false;
  CHECK(complaint(world).message == "Repository demo/repo: the last check of restic found damage");
}

TEST_CASE("a damaged repository is not called well at the same time", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.lists["repositories"][0]["status"]["integrity"] = false;
  for (const Check& check : diagnose(world)) CHECK_FALSE((check.area == "backends" && check.level == Level::ok));
}

TEST_CASE("a BackupConfiguration that no backup can follow is a problem", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.lists["backupconfigurations"][0]["status"]["conditions"] =
      Json::array({{{"type", "Ready"}, {"status", "False"}, {"message", "there are no paths"}}});
  CHECK(complaint(world).message.ends_with(": there are no paths"));
}

TEST_CASE("what was left behind is told", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.lists["backupsessions"] = Json::array({a_backup_session("old").json()});
  CHECK(complaint(world).message == "BackupSession demo/old has not ended, and nobody has touched it for 60m");
  world.now = kCreated + std::chrono::minutes(59);
  CHECK(complaints(world).empty());
  world = a_world();
  world.lists["cronjobs"] =
      Json::array({{{"metadata",
                     {{"name", "stash-backup-gone"},
                      {"namespace", "demo"},
                      {"ownerReferences", {{{"kind", "BackupConfiguration"}, {"name", "gone"}}}}}}}});
  CHECK(complaint(world).remedy == "kubectl delete cronjob stash-backup-gone -n demo");
}

TEST_CASE("what may not be read is said, and is no problem", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.lists.erase("clusterroles");
  world.unreadable["clusterroles"] = "forbidden";
  CHECK(complaint(world) == Check{Level::warning, "rbac", "clusterroles cannot be read: forbidden",
                                  "run doctor with an account that may list them"});
}

TEST_CASE("remedies stand below their problems, and the end counts them", "[cli][doctor]") {
  CHECK(render_doctor({{Level::ok, "crds", "fine", ""}, {Level::problem, "labels", "bad", "do this"}}, false) ==
        "ok      crds: fine\n"
        "problem labels: bad\n"
        "        do this\n"
        "\n"
        "1 problem, 0 warnings\n");
}
