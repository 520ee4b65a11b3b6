#include "webhook/warn.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "unit/support/objects.h"
#include "unit/support/review.h"

using namespace stash;
using namespace stash::test;
using namespace stash::webhook;

namespace {

const inject::Settings kSettings{.image = "stash:test", .opt_in = true, .allowed_host_paths = {"/"}};

WarnWorld a_world() {
  return {.namespace_labels = [](const std::string&) -> std::optional<Json> {
            return Json{{"stash.appscode.com/injection", "enabled"}};
          },
          .repository =
              [](const std::string& ns, const std::string& name) {
                return ns == "demo" && name == "repo" ? a_repository().shared() : nullptr;
              }};
}

std::vector<std::string> warnings_for(const std::string& kind, const Json& object, const WarnWorld& world = a_world()) {
  const auto review = parse_review(a_review("stash.appscode.com", kind, object).dump()).value();
  const Answer answer = warn(review, kSettings, world);
  CHECK(answer.patch.empty());
  CHECK(answer.outcome == "unchanged");
  CHECK(answer.reason == (answer.warnings.empty() ? "no_warnings" : "warnings"));
  return answer.warnings;
}

bool any_contains(const std::vector<std::string>& warnings, std::string_view text) {
  UNSCOPED_INFO(fmt::format("warnings: {}", fmt::join(warnings, " | ")));
  return std::ranges::any_of(warnings, [&](const std::string& w) { return w.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("objects that are in order get no warning", "[webhook][warn]") {
  CHECK(warnings_for("BackupConfiguration", a_backup_configuration().json()) == std::vector<std::string>{});
  CHECK(warnings_for("Repository", a_repository().json()) == std::vector<std::string>{});
  CHECK(warnings_for("RestoreSession", a_restore_session().json()) == std::vector<std::string>{});
}

TEST_CASE("a field of a wrong type is named", "[webhook][warn]") {
  Json object = a_backup_configuration().json();
  object["spec"]["schedule"] = 5;
  CHECK(any_contains(warnings_for("BackupConfiguration", object), "/spec/schedule"));
}

TEST_CASE("fields without effect are named", "[webhook][warn]") {
  Json object = a_backup_configuration().json();
  object["spec"]["shedule"] = "typo";
  CHECK(any_contains(warnings_for("BackupConfiguration", object),
                     "/spec/shedule is no field that this version knows; is it misspelt?"));
}

TEST_CASE("a schedule that no CronJob takes is named", "[webhook][warn]") {
  CHECK(any_contains(warnings_for("BackupConfiguration", a_backup_configuration().schedule("every day").json()),
                     "stash: spec.schedule: expected five fields"));
  CHECK(any_contains(warnings_for("BackupConfiguration", a_backup_configuration().schedule("0 0 30 2 *").json()),
                     "stash: spec.schedule is due on no day of the calendar"));
}

TEST_CASE("a BackupBlueprint is warned of like what it makes, but for what variables may still mend",
          "[webhook][warn]") {
  const auto warnings = [](const char* changes) {
    Json object =
        R"({"apiVersion": "stash.appscode.com/v1beta1", "kind": "BackupBlueprint", "metadata": {"name": "nightly"},
        "spec": {"schedule": "@daily", "backend": {"storageSecretName": "s", "s3": {"endpoint": "e", "bucket": "b"}}}})"_json;
    object["spec"].merge_patch(Json::parse(changes));
    return warnings_for("BackupBlueprint", object);
  };
  CHECK(warnings("{}") == std::vector<std::string>{});
  CHECK(warnings(R"({"schedule": "${TARGET_NAME}"})") == std::vector<std::string>{});
  CHECK(any_contains(warnings(R"({"schedule": "every day"})"), "no backup will be taken"));
  CHECK(any_contains(warnings(R"({"backend": {"s3": {"bucket": null}}})"), "/spec/backend/s3/bucket is missing"));
  CHECK(any_contains(warnings(R"({"backend": {"s3": null, "local": {"mountPath": "/safe", "rbd": {"image": "i"}}}})"),
                     "spec.backend.local.rbd: this version mounts only"));
  CHECK(any_contains(warnings(R"({"task": {"name": "t"}})"), "does not act on it"));
  CHECK(any_contains(warnings(R"({"repoNamespace": "x"})"), "/spec/repoNamespace"));
}

TEST_CASE("a Repository that does not exist is named", "[webhook][warn]") {
  const Json object = a_backup_configuration().with([](auto& c) { c.spec.repository = "nowhere"; }).json();
  CHECK(any_contains(warnings_for("BackupConfiguration", object), "nowhere"));
  INFO("but not while the caches are being filled");
  WarnWorld unsynced = a_world();
  unsynced.synced = false;
  CHECK(warnings_for("BackupConfiguration", object, unsynced).empty());
}

TEST_CASE("a target that cannot be backed up is named", "[webhook][warn]") {
  const auto changed = [](auto change) {
    return warnings_for("BackupConfiguration", a_backup_configuration().with(change).json());
  };
  CHECK(any_contains(changed([](auto& c) { c.spec.target.reset(); }), "spec.target is missing"));
  CHECK(any_contains(changed([](auto& c) { c.spec.target->paths.clear(); }), "spec.target.paths is empty"));
  CHECK(any_contains(changed([](auto& c) { c.spec.target->volume_mounts.clear(); }), "volumeMounts is empty"));
  CHECK(any_contains(changed([](auto& c) { c.spec.target->paths = {"/source/database"}; }),
                     "/source/database of spec.target.paths is at or below no mountPath"));
  CHECK(any_contains(changed([](auto& c) { c.spec.target->ref.kind = "Job"; }), "Job of apps/v1"));
  CHECK(any_contains(changed([](auto& c) { c.spec.target->ref.name.clear(); }), "needs apiVersion, kind and name"));
}

TEST_CASE("a time-out that is no duration is named", "[webhook][warn]") {
  CHECK(any_contains(warnings_for("BackupConfiguration",
                                  a_backup_configuration().with([](auto& c) { c.spec.time_out = "soon"; }).json()),
                     "spec.timeOut soon is no duration above zero such as 30m or 2h; no backup will be taken"));
  CHECK(any_contains(
      warnings_for("RestoreSession", a_restore_session().with([](auto& s) { s.spec.time_out = "0s"; }).json()),
      "spec.timeOut 0s is no duration above zero such as 30m or 2h; nothing will be restored"));
}

TEST_CASE("a place of the CronJob's pods that cannot be is named", "[webhook][warn]") {
  const Json misspelt = {{"tolerations", {{{"efect", "NoSchedule"}}}}};
  CHECK(any_contains(warnings_for("BackupConfiguration", a_backup_configuration().pod_settings(misspelt).json()),
                     "spec.runtimeSettings.pod/tolerations/0/efect: not a field"));
}

TEST_CASE("a namespace that did not opt in is named", "[webhook][warn]") {
  WarnWorld world = a_world();
  world.namespace_labels = [](const std::string&) -> std::optional<Json> { return Json::object(); };
  CHECK_FALSE(warnings_for("BackupConfiguration", a_backup_configuration().json(), world).empty());
}

TEST_CASE("a Repository whose backend cannot be used is named", "[webhook][warn]") {
  CHECK(warnings_for("Repository", a_repository().gcs("bucket", "").json()).empty());
  CHECK_FALSE(warnings_for("Repository", a_repository().gcs("", "").json()).empty());
  CHECK_FALSE(warnings_for("Repository", a_repository().secret("").json()).empty());
}

TEST_CASE("a Repository that the hosts of a workload do not share is named, unless nothing is known yet",
          "[webhook][warn][F28][I8]") {
  WarnWorld world = a_world();
  const auto warnings = [&world](const char* kind, const Json& volume) {
    world.repository = [&volume](const std::string&, const std::string&) {
      return a_repository().volume(volume).shared();
    };
    return warnings_for("BackupConfiguration", a_backup_configuration().target({"apps/v1", kind, "app"}).json(), world);
  };
  const Json host_path{{"hostPath", {{"path", "/srv/backups"}}}}, empty_dir{{"emptyDir", Json::object()}};
  CHECK(any_contains(warnings("DaemonSet", host_path),
                     "stash: Repository demo/repo is the hostPath /srv/backups: unless"));
  CHECK(any_contains(warnings("StatefulSet", host_path), "each node has a repository of its own there"));
  CHECK(any_contains(warnings("StatefulSet", empty_dir), "stash: Repository demo/repo is an emptyDir: "));
  CHECK(warnings("Deployment", host_path).empty());
  CHECK(warnings("DaemonSet", {{"persistentVolumeClaim", {{"claimName", "c"}}}}).empty());
  world.synced = false;
  CHECK(warnings("DaemonSet", host_path).empty());
}

TEST_CASE("credentials in a Repository's URL are pointed at, and not repeated", "[webhook][warn]") {
  const auto open = a_repository().with([](api::Repository& repository) {
    repository.spec.backend.local.reset();
    repository.spec.backend.rest = api::RestBackend{"https://user:canary@host/"};
  });
  const auto warnings = warnings_for("Repository", open.json());
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].starts_with("stash: /spec/backend/rest/url holds credentials"));
  CHECK_FALSE(warnings[0].contains("canary"));
}

TEST_CASE("objects of others, deletions and subresources are none of our business", "[webhook][warn]") {
  Json envelope = a_review("stash.appscode.com", "BackupConfiguration", Json::object());
  SECTION("another group") { envelope["request"]["kind"]["group"] = "elsewhere"; }
  SECTION("another kind") { envelope["request"]["kind"]["kind"] = "BackupSession"; }
  SECTION("status") { envelope["request"]["subResource"] = "status"; }
  SECTION("a deletion") { envelope["request"]["operation"] = "DELETE"; }
  SECTION("no object") { envelope["request"]["object"] = nullptr; }
  const Answer answer = warn(parse_review(envelope.dump()).value(), kSettings, a_world());
  CHECK(answer.outcome == "skipped");
  CHECK(answer.warnings.empty());
}

TEST_CASE("a hook that would not be run is named at once", "[webhook][warn]") {
  const api::Hook sync{.exec = api::ExecAction{.command = {"sync"}}};
  const Json backup = a_backup_configuration().with([&](auto& c) { c.spec.pre_backup = sync; }).json();
  const Json restore = a_restore_session().with([&](auto& r) { r.spec.post_restore = sync; }).json();
  CHECK_FALSE(any_contains(warnings_for("BackupConfiguration", backup), "exec"));
  CHECK(any_contains(warnings_for("RestoreSession", restore), "spec.hooks.postRestore.exec cannot be run"));
  inject::Settings turned_off = kSettings;
  turned_off.exec_hooks = false;
  CHECK(any_contains(warn(parse_review(a_review("stash.appscode.com", "BackupConfiguration", backup).dump()).value(),
                          turned_off, a_world())
                         .warnings,
                     "spec.hooks.preBackup.exec is turned off by the administrator (hooks.exec=false of the chart)"));
}

TEST_CASE("a hook that can never work is named at once", "[webhook][warn]") {
  const api::Hook named_port{.http_get = api::HttpAction{.port = "http"}};
  const Json backup = a_backup_configuration().with([&](auto& c) { c.spec.post_backup = named_port; }).json();
  CHECK(any_contains(warnings_for("BackupConfiguration", backup),
                     "stash: spec.hooks.postBackup.httpGet.port: \"http\" is no number from 1 to 65535"));
  const Json restore = a_restore_session().with([&](auto& r) { r.spec.pre_restore = named_port; }).json();
  const auto warnings = warnings_for("RestoreSession", restore);
  CHECK(any_contains(warnings, "stash: spec.hooks.preRestore.httpGet.port: \"http\" is no number from 1 to 65535"));
  CHECK(any_contains(warnings, "so give the number; nothing will be restored"));
  CHECK(warnings.size() == 1);
}

TEST_CASE("a restore that cannot succeed is named at once, in whatever namespace", "[webhook][warn]") {
  WarnWorld world = a_world();
  world.namespace_labels = [](const std::string&) -> std::optional<Json> { return Json::object(); };
  const Json restore = a_restore_session().rules({{{}, "", {}, {"/source/database"}, {}, {}}}).json();
  CHECK(any_contains(warnings_for("RestoreSession", restore, world),
                     "rule[0] names the path /source/database, which lies in none of the volumes"));
  CHECK(warnings_for("RestoreSession", restore).size() == 1);
}
