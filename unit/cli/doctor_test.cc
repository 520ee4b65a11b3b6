#include <algorithm>
#include <catch2/catch.hpp>

#include "cli/doctor_reading.h"
#include "unit/cli/doctor_scene.h"

using namespace stash;
using namespace stash::cli;
using namespace stash::test;
using Level = Check::Level;

TEST_CASE("a whole installation has no complaints", "[cli][doctor]") {
  CHECK(complaints(a_world()).empty());
  CHECK_FALSE(has_problem(diagnose(a_world())));
}

TEST_CASE("without the chart everything is missing", "[cli][doctor]") {
  const auto checks = complaints({});
  CHECK(has_problem(checks));
  CHECK(checks.front().message == "CustomResourceDefinition repositories.stash.appscode.com is missing");
  CHECK(checks.front().remedy.starts_with("install the chart, as docs/quick-start.md says: helm install stash "));
  CHECK(checks.front().remedy.contains(" --set image.repository=REGISTRY/stash --set image.tag="));
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
  CHECK(complaint(world).message ==
        "Service stash/stash-webhook of webhook workload.admission.stash.appscode.com and 9 others does not exist");
}

TEST_CASE("a validating webhook without a CA or a Service cannot be called either", "[cli][doctor]") {
  DoctorWorld world = a_world();
  Json& client = world.lists["validatingwebhookconfigurations"][0]["webhooks"][0]["clientConfig"];
  client.erase("caBundle");
  CHECK(complaint(world).message.starts_with(
      "webhook repository.admission.stash.appscode.com of stash-warnings has no caBundle"));
  client["caBundle"] = "x";
  client["service"]["name"] = "gone";
  CHECK(complaint(world).message ==
        "Service stash/gone of webhook repository.admission.stash.appscode.com does not exist");
}

TEST_CASE("rights that no webhook checks are a problem, and warnings that nobody sees are not", "[cli][doctor]") {
  DoctorWorld world = a_world();
  Json& configurations = world.lists["validatingwebhookconfigurations"];
  Json& hooks = configurations[0]["webhooks"];
  hooks.erase(hooks.size() - 1);
  CHECK(complaint(world).level == Level::problem);
  CHECK(
      complaint(world).message ==
      "no ValidatingWebhookConfiguration has webhook backupblueprint.authorization.stash.appscode.com: Stash does for "
      "the author of an object what he may not do himself");
  hooks = validating_webhooks();
  hooks.erase(0);
  CHECK(complaint(world).level == Level::warning);
  CHECK(complaint(world).message.contains("has webhook repository.admission.stash.appscode.com: kubectl apply"));
  configurations = Json::array();
  const auto all = complaints(world);
  REQUIRE(all.size() == 2);
  CHECK(all[0].message.contains("backupblueprint.authorization.stash.appscode.com and 3 others"));
  CHECK(all[1].message.contains("backupblueprint.admission.stash.appscode.com and 4 others"));
}

TEST_CASE("validating webhooks that may not be seen are not called missing", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.lists.erase("validatingwebhookconfigurations");
  world.unreadable["validatingwebhookconfigurations"] = "forbidden";
  CHECK(complaint(world).level == Level::warning);
  CHECK(complaint(world).message.contains("forbidden"));
}

TEST_CASE("a check of rights that the API server does without is a problem", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.lists["validatingwebhookconfigurations"][0]["webhooks"][5]["failurePolicy"] = "Ignore";
  CHECK(
      complaint(world).message ==
      "the failurePolicy of webhook backupconfiguration.authorization.stash.appscode.com is Ignore: while the webhook "
      "is down nobody's rights are checked");
}

TEST_CASE("every kind that a check looks at is asked for", "[cli][doctor]") {
  for (const auto& [plural, list] : a_world().lists) {
    CAPTURE(plural);
    CHECK(std::ranges::any_of(doctor_kinds(), [&plural](const std::string& kind) {
      return kind == plural || kind.starts_with(plural + ".");
    }));
  }
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

TEST_CASE("a certificate that is not there is a problem, and one that may not be read is not", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.serving_certificate.reset();
  world.unreadable["certificate"] = "forbidden";
  CHECK(complaint(world).level == Level::warning);
  world.unreadable.clear();
  world.certificate_fault = "Secret stash/cert does not exist";
  CHECK(complaint(world) == Check{Level::problem, "certificates",
                                  "the webhook has no serving certificate: Secret stash/cert does not exist",
                                  "the controller makes it anew within a minute; if not, see its log: kubectl logs -n "
                                  "stash deployment/stash-operator -c controller"});
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

TEST_CASE("a Repository that was deleted with many others is told once, with the commands for its data",
          "[cli][doctor][F82][I8]") {
  DoctorWorld world = a_world();
  const auto held = [](const char* name) {
    return a_repository(name)
        .uid("uid-1")
        .being_deleted()
        .with([](api::Repository& repository) {
          repository.status.conditions = {{"Ready", "False", "Other", "of no interest any more", 1, kCreated},
                                          {"WipedOut", "False", "MassDeletion", "11 Repositories ...", 1, kCreated}};
        })
        .json();
  };
  world.lists["repositories"] = Json::array({held("one"), held("two")});
  const auto found = complaints(world);
  REQUIRE(found.size() == 2);
  CHECK(found[0] ==
        Check{Level::problem, "backends",
              "Repository demo/one was deleted together with many others, 2 of which wait for somebody's word",
              "to remove its data: kubectl annotate repository one -n demo --overwrite "
              "stash.appscode.com/confirm-wipe-out=uid-1; to delete it and keep its data: kubectl patch repository one "
              "-n demo --type=merge -p '{\"spec\":{\"wipeOut\":false}}'"});
}

TEST_CASE("a long backup that gives signs of life is not called stale", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.now = kCreated + std::chrono::hours(2);
  world.lists.erase("leases");
  world.lists.erase("deployments");
  api::HostStats host{.hostname = "host-0", .phase = "Running"};
  host.claim = api::Claim{"web-1", "uid", world.now - std::chrono::seconds(20)};
  world.lists["backupsessions"] = Json::array({a_backup_session().phase("Running").host(host).json()});
  for (const Check& check : complaints(world)) CHECK(check.area != "stale");
  host.claim->heartbeat = world.now - std::chrono::minutes(90);
  world.lists["backupsessions"] = Json::array({a_backup_session("long").phase("Running").host(host).json()});
  CHECK(complaints(world).back().message == "BackupSession demo/long has not ended, and nobody has touched it for 90m");
}

TEST_CASE("a session whose hosts are objects of their own is stale an hour after the end of its time",
          "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.lists.erase("leases");
  world.lists.erase("deployments");
  Json session = a_backup_session("many").phase("Running").json();
  session["status"]["hostObjects"] = true;
  world.lists["backupsessions"] = Json::array({session});
  const auto [time_out, hours] = GENERATE(table<std::string, int>({{"", 25}, {"5h", 6}}));
  world.lists["backupconfigurations"] = Json::array({a_backup_configuration().time_out(time_out).json()});
  const auto stale = [&world] {
    return std::ranges::any_of(complaints(world), [](const Check& check) { return check.area == "stale"; });
  };
  world.now = kCreated + std::chrono::hours(hours) - std::chrono::minutes(1);
  CHECK_FALSE(stale());
  world.now += std::chrono::minutes(1);
  CHECK(stale());
}

TEST_CASE("a session that waits for a pod which works for another one is not called stale", "[cli][doctor]") {
  DoctorWorld world = a_world();
  world.now = kCreated + std::chrono::hours(2);
  world.lists.erase("leases");
  world.lists.erase("deployments");
  world.lists["backupsessions"] = Json::array(
      {a_backup_session()
           .phase("Pending")
           .condition({"Completed", "False", "PodBusy", "pod web-1 works for session nightly-1", 1, kCreated})
           .json()});
  for (const Check& check : complaints(world)) CHECK(check.area != "stale");
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

TEST_CASE("workloads that another Stash backed up, and nobody does any more, are told", "[cli][doctor]") {
  DoctorWorld world = a_world();
  Json batch = {{"metadata", {{"name", "all"}, {"namespace", "demo"}}}};
  batch["spec"]["members"] = Json::array({{{"target", {{"ref", {{"kind", "Deployment"}, {"name", "web"}}}}}}});
  world.lists["backupbatches"] = Json::array({batch});
  const Check told = complaint(world);
  CHECK(told.level == Level::warning);
  CHECK(
      told.message.starts_with("BackupBatch demo/all is left alone, and its members (Deployment web) have no backup"));
  CHECK(told.remedy.starts_with("kubectl stash migrate"));
  CHECK(std::ranges::find(doctor_kinds(), "backupbatches.stash.appscode.com") != doctor_kinds().end());
}

TEST_CASE("without Deployments the mode of injection is not guessed", "[cli][doctor]") {
  DoctorWorld world = a_world();
  const auto about_labels = [&world] {
    auto checks = diagnose(world);
    std::erase_if(checks, [](const Check& check) { return check.area != "labels"; });
    REQUIRE(checks.size() == 1);
    return checks.front();
  };
  world.lists.erase("deployments");
  world.unreadable["deployments"] = "forbidden";
  CHECK(about_labels().level == Level::ok);
  Json& labels = world.lists["namespaces"][0]["metadata"]["labels"];
  labels["stash.appscode.com/injection"] = "disabled";
  CHECK(about_labels().level == Level::problem);
  labels.erase("stash.appscode.com/injection");
  CHECK(
      about_labels() ==
      Check{Level::warning, "labels",
            "namespace demo has 1 BackupConfiguration and no label stash.appscode.com/injection; whether it needs one "
            "is not known, for no Deployment of stash-webhook is seen",
            "run doctor with an account that may list deployments"});
}

TEST_CASE("who may see nothing is not told that all is well", "[cli][doctor]") {
  DoctorWorld world;
  world.now = kNow;
  for (const std::string& kind : doctor_kinds())
    world.unreadable[kind.substr(0, kind.find('.'))] = kind + " is forbidden";
  const auto nothing_seen = diagnose(world);
  REQUIRE(nothing_seen.size() == 1);
  CHECK(nothing_seen[0].level == Level::problem);
  CHECK(nothing_seen[0].message.starts_with("nothing could be looked at: "));
  CHECK(nothing_seen[0].remedy.contains("deployments.apps"));
  CHECK_FALSE(doctor_report(nothing_seen)["healthy"].get<bool>());
  // Kinds that the cluster does not serve have no objects, and nothing to forbid.
  for (const char* kind : {"repositories", "backupconfigurations", "backupsessions"}) {
    world.unreadable.erase(kind);
    world.lists[kind] = Json::array();
  }
  CHECK(has_problem(diagnose(world)));
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
