#include "inject/decision.h"

#include <catch2/catch.hpp>
#include <set>

#include "unit/inject/scene.h"

namespace stash::test {
namespace {

using inject::Finding;
using inject::Reason;

TimePoint later(int seconds) { return kCreated + std::chrono::seconds(seconds); }

api::Repository without_secret() {
  return a_repository().with([](api::Repository& repository) {
    repository.status.conditions = {{"BackendSecretFound", "False", "BackendSecretNotAvailable", "", 1, {}}};
  });
}

api::Repository without_claim(std::int64_t observed_generation = 1) {
  return a_repository().pvc("backups").with([&](api::Repository& repository) {
    repository.status.conditions = {
        {"BackendClaimFound", "False", "BackendClaimNotAvailable", "", observed_generation, {}}};
  });
}

TEST_CASE("namespaces opt in, or opt out where the administrator wants that", "[inject][settings]") {
  inject::Settings settings;
  settings.excluded_namespaces = {"kube-system"};
  const Json enabled = {{"stash.appscode.com/injection", "enabled"}};
  const Json disabled = {{"stash.appscode.com/injection", "disabled"}};
  CHECK(namespace_wants_injection(settings, "demo", enabled));
  CHECK_FALSE(namespace_wants_injection(settings, "demo", Json::object()));
  CHECK_FALSE(namespace_wants_injection(settings, "demo", disabled));
  CHECK_FALSE(namespace_wants_injection(settings, "kube-system", enabled));
  CHECK_FALSE(namespace_wants_injection(settings, "demo", Json("hostile")));
  settings.opt_in = false;
  CHECK(namespace_wants_injection(settings, "demo", Json::object()));
  CHECK_FALSE(namespace_wants_injection(settings, "demo", disabled));
  CHECK_FALSE(namespace_wants_injection(settings, "kube-system", Json::object()));
}

TEST_CASE("a target names a workload by group, kind and name, whatever the version", "[inject][decision]") {
  using inject::names_workload;
  CHECK(names_workload({"apps/v1", "Deployment", "web"}, "apps", "Deployment", "web"));
  CHECK(names_workload({"apps/v1beta2", "Deployment", "web"}, "apps", "Deployment", "web"));
  CHECK(names_workload({"extensions/v1beta1", "Deployment", "web"}, "apps", "Deployment", "web"));
  CHECK(names_workload({"v1", "ReplicationController", "web"}, "", "ReplicationController", "web"));
  CHECK_FALSE(names_workload({"v1", "Deployment", "web"}, "apps", "Deployment", "web"));
  CHECK_FALSE(names_workload({"apps/v1", "StatefulSet", "web"}, "apps", "Deployment", "web"));
  CHECK_FALSE(names_workload({"apps/v1", "Deployment", "web"}, "apps", "Deployment", "web2"));
  CHECK_FALSE(names_workload({"apps/v1", "Deployment", ""}, "apps", "Deployment", ""));
}

TEST_CASE("every reason has a code of its own", "[inject][decision]") {
  std::set<std::string_view> codes;
  for (int i = 0; i <= static_cast<int>(Reason::pods_unschedulable); ++i) codes.insert(code_of(static_cast<Reason>(i)));
  CHECK(codes.size() == static_cast<std::size_t>(Reason::pods_unschedulable) + 1);
  CHECK_FALSE(codes.contains("Unknown"));
}

TEST_CASE("all configurations of a workload are served, the oldest first", "[inject][decision]") {
  const auto decided = Scene()
                           .backup(a_backup_configuration("b").created(later(5)))
                           .backup(a_backup_configuration("c").created(later(1)))
                           .backup(a_backup_configuration("a").created(later(5)))
                           .decide(a_workload());
  std::vector<std::string> names;
  for (const inject::Served& served : decided.backups) names.push_back(served.configuration->metadata.name);
  CHECK(names == std::vector<std::string>{"c", "a", "b"});
  CHECK(decided.findings.empty());
}

TEST_CASE("a configuration that is being deleted, or has no target, or another one, asks for nothing",
          "[inject][decision]") {
  const auto decided = Scene()
                           .backup(a_backup_configuration("a").being_deleted())
                           .backup(a_backup_configuration("b").no_target())
                           .backup(a_backup_configuration("c").deployment("other"))
                           .backup(a_backup_configuration("d").ns("elsewhere"))
                           .decide(a_workload());
  CHECK(decided.backups.empty());
  CHECK(decided.findings.empty());
}

TEST_CASE("what is Invalid by its own spec is not injected", "[inject][decision]") {
  const auto backup = Scene().backup(a_backup_configuration().time_out("soon")).decide(a_workload());
  CHECK_FALSE(backup.backups.at(0).repository);
  CHECK(backup.findings ==
        std::vector{Finding{Reason::invalid, "BackupConfiguration demo/app-backup",
                            "BackupConfiguration demo/app-backup has spec.timeOut \"soon\", which is no duration above "
                            "zero such as 30m or 2h"}});
  const auto restore = Scene().restore(a_restore_session().rules({})).decide(a_workload());
  CHECK_FALSE(restore.restore);
  CHECK(restore.findings == std::vector{Finding{Reason::invalid, "RestoreSession demo/app-restore",
                                                "RestoreSession demo/app-restore: it has no rules, so nothing would be "
                                                "restored; set spec.rules[0].paths; create a new one"}});
}

TEST_CASE("a RestoreSession that was accepted by older rules keeps its place", "[inject][decision]") {
  CHECK(Scene().restore(a_restore_session().rules({}).phase("Running")).decide(a_workload()).restore);
  INFO("given back by a pod that had begun it");
  api::HostStats begun{"host-0", "Pending", {}, {}, "", ""};
  begun.attempts = 1;
  CHECK(Scene().restore(a_restore_session().rules({}).phase("Pending").host(begun)).decide(a_workload()).restore);
  begun.attempts = 0;
  CHECK_FALSE(Scene().restore(a_restore_session().rules({}).phase("Pending").host(begun)).decide(a_workload()).restore);
}

TEST_CASE("what is in the way of a backup is named with its remedy", "[inject][decision]") {
  const auto finding = [](Scene scene, const api::BackupConfiguration& configuration) {
    const auto decided = scene.backup(configuration).decide(a_workload());
    CHECK((decided.backups.empty() || !decided.backups[0].repository));
    REQUIRE(decided.findings.size() == 1);
    CHECK(decided.findings[0].object == "BackupConfiguration demo/app-backup");
    return std::pair(decided.findings[0].reason, decided.findings[0].message);
  };
  const api::BackupConfiguration plain = a_backup_configuration();
  CHECK(finding(Scene().no_repository(), plain) ==
        std::pair(Reason::repository_missing,
                  std::string("Repository demo/repo does not exist; create it, and injection follows")));
  CHECK(finding(Scene(), a_backup_configuration().repository("")) ==
        std::pair(Reason::repository_missing, std::string("spec.repository.name is missing; name a Repository")));
  CHECK(finding(Scene().repository(a_repository().secret("")), plain) ==
        std::pair(Reason::secret_name_missing,
                  std::string("Repository demo/repo names no Secret; set spec.backend.storageSecretName")));
  CHECK(finding(Scene().repository(without_secret()), plain) ==
        std::pair(Reason::secret_missing, std::string("Secret repo-secret of Repository demo/repo does not exist; "
                                                      "create it with RESTIC_PASSWORD in it")));
  CHECK(finding(Scene().repository(without_claim()), plain) ==
        std::pair(Reason::claim_missing, std::string("PersistentVolumeClaim backups of Repository demo/repo does not "
                                                     "exist; create it, and injection follows")));
  CHECK(finding(Scene().repository(a_repository().gcs("", "")), plain) ==
        std::pair(Reason::malformed, std::string("Repository demo/repo: /spec/backend/gcs/bucket is missing; set the "
                                                 "name of the bucket")));
  CHECK(finding(Scene().repository(a_repository().with([](auto& r) { r.spec.backend.local.reset(); })), plain).first ==
        Reason::malformed);
  CHECK(finding(Scene().repository(a_repository().volume({{"iscsi", Json::object()}})), plain).first ==
        Reason::backend_unsupported);
  CHECK(finding(Scene().repository(a_repository().host_path("relative")), plain) ==
        std::pair(Reason::malformed,
                  std::string("Repository demo/repo: spec.backend.local.hostPath: path must be absolute")));
  CHECK(
      finding(Scene(), a_backup_configuration().with([](auto& c) { c.spec.driver = "VolumeSnapshotter"; })) ==
      std::pair(Reason::driver_unsupported, std::string("spec.driver VolumeSnapshotter is not supported; use Restic")));
  CHECK(finding(Scene().namespace_label("stash.appscode.com/injection", ""), plain) ==
        std::pair(Reason::namespace_not_opted_in,
                  std::string("namespace demo has not asked for backups: kubectl label namespace demo "
                              "stash.appscode.com/injection=enabled")));
}

TEST_CASE("a Secret that was missing from an older generation of the Repository does not count", "[inject][decision]") {
  api::Repository repository = without_secret();
  repository.metadata.generation = 2;
  const auto decided = Scene().repository(repository).backup(a_backup_configuration()).decide(a_workload());
  CHECK(decided.backups.at(0).repository);
  CHECK(decided.findings.empty());
}

/// A restore that ended under us: older Stash wrote no conditions.
RestoreSessionBuilder failed_here(const std::string& name) {
  return a_restore_session(name).phase("Failed").with([](auto& session) {
    session.status.conditions = {{"Completed", "True", "Failed", "wrong password", 1, later(1)}};
  });
}

TEST_CASE("the newest unfinished restore is injected and supersedes older ones", "[inject][decision]") {
  const auto decided = Scene()
                           .restore(failed_here("failed").created(later(1)))
                           .restore(a_restore_session("new").created(later(3)))
                           .restore(a_restore_session("running").phase("Running").created(later(2)))
                           .decide(a_workload());
  CHECK(decided.restore->metadata.name == "new");
  CHECK(codes_of(decided.findings) == std::vector<std::string>{"Superseded", "Superseded"});
}

TEST_CASE("a restore at work stays until a newer one is accepted and can be injected", "[inject][decision]") {
  Scene scene = Scene().restore(a_restore_session("first").phase("Running").created(later(1)));
  const Json workload = scene.injected(a_workload());
  REQUIRE(init_container_in(workload).is_object());
  const auto second = [](const char* phase, const char* repository) {
    return a_restore_session("second").phase(phase).repository(repository).created(later(2));
  };
  SECTION("its Repository does not exist") {
    scene.restore(second("Pending", "misspelt"));
    CHECK(scene.decide(workload).restore->metadata.name == "first");
    CHECK(scene.inject(workload).patch.empty());
    CHECK(codes_of(scene.inject(workload).findings) == std::vector<std::string>{"Superseded", "RepositoryMissing"});
  }
  SECTION("the controller has not looked at it yet") {
    scene.restore(second("", "repo"));
    CHECK(scene.inject(workload).patch.empty());
  }
  SECTION("it has failed already") {
    scene.restore(failed_here("second").created(later(2)));
    CHECK(scene.inject(workload).patch.empty());
  }
  SECTION("its container would not be accepted") {
    scene.restore(second("Pending", "repo").with([](auto& session) {
      session.spec.runtime_settings.container = {{"resources", {{"limits", {{"cpu", "much"}}}}}};
    }));
    CHECK(scene.inject(workload).patch.empty());
  }
  SECTION("it can take its place") {
    scene.restore(second("Pending", "repo"));
    CHECK(init_container_in(scene.injected(workload))["args"][1] == "--restore-session=second");
  }
}

TEST_CASE("a restore that an older Stash ended does not begin again, and its container stays", "[inject][decision]") {
  Json workload = a_workload();
  workload["spec"]["template"]["spec"]["initContainers"] = {
      {{"name", "stash-init"}, {"image", "old/stash"}, {"args", {"restore", "--restore-session=old"}}}};
  for (const char* phase : {"Failed", "Unknown", "Succeeded"}) {
    const Scene scene = Scene().restore(a_restore_session("old").phase(phase));
    CHECK(scene.inject(workload).patch.empty());
  }
}

TEST_CASE("a restore that failed before it reached the pod does not begin with a later update", "[inject][decision]") {
  for (const char* phase : {"Failed", "Invalid"}) {
    const auto desired = Scene().restore(a_restore_session("late").phase(phase)).decide(a_workload());
    CHECK_FALSE(desired.restore);
  }
}

TEST_CASE("a restore older than a succeeded one is not run: it would put older data over newer", "[inject][decision]") {
  const auto decided = Scene()
                           .restore(failed_here("old").created(later(1)))
                           .restore(a_restore_session("done").phase("Succeeded").created(later(2)))
                           .decide(a_workload());
  CHECK_FALSE(decided.restore);
  CHECK(codes_of(decided.findings) == std::vector<std::string>{"Superseded"});
}

TEST_CASE("of a volume that each pod has for itself is said that it is restored for one pod only",
          "[inject][decision]") {
  const auto remarks = [](const Json& source, const char* kind = "Deployment") {
    Json workload = a_workload();
    workload["spec"]["template"]["spec"]["volumes"] = {source};
    workload["spec"]["template"]["spec"]["volumes"][0]["name"] = "source-data";
    return Scene()
        .kind(kind)
        .restore(a_restore_session().target({"apps/v1", kind, "stash-demo"}))
        .inject(workload)
        .remarks;
  };
  const Json empty_dir = {{"emptyDir", Json::object()}};
  CHECK(
      remarks(empty_dir) ==
      std::vector{Finding{Reason::volume_not_shared, "RestoreSession demo/app-restore",
                          "volume source-data is an emptyDir volume, so each pod has its own: only the first pod gets "
                          "the data, and a pod that takes the place of another starts empty"}});
  CHECK(remarks({{"ephemeral", {{"volumeClaimTemplate", Json::object()}}}})
            .at(0)
            .message.starts_with("volume source-data is an ephemeral volume, so each pod has its own: only the first"));
  CHECK(
      remarks(empty_dir, "DaemonSet").at(0).message ==
      "volume source-data is an emptyDir volume, so each pod has its own: a pod that takes the place of another starts "
      "empty");
  CHECK(remarks(empty_dir, "StatefulSet").empty());
  CHECK(remarks({{"persistentVolumeClaim", {{"claimName", "data"}}}}).empty());
}

TEST_CASE("restores by jobs, or by another driver, are refused", "[inject][decision]") {
  const auto decided = Scene()
                           .restore(a_restore_session("jobs").with([](auto& r) { r.spec.target->has_jobs = true; }))
                           .restore(a_restore_session("driver").with([](auto& r) { r.spec.driver = "Other"; }))
                           .decide(a_workload());
  CHECK_FALSE(decided.restore);
  CHECK(codes_of(decided.findings) == std::vector<std::string>{"TargetIsJobModel", "DriverUnsupported"});
}

TEST_CASE("a workload that is being deleted gets nothing", "[inject][decision]") {
  const Json workload = a_workload().with([](Json& w) { w["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z"; });
  const auto injection = Scene().backup(a_backup_configuration()).inject(workload);
  CHECK(injection.patch.empty());
  CHECK(codes_of(injection.findings) == std::vector<std::string>{"WorkloadBeingDeleted"});
}

}  // namespace
}  // namespace stash::test
