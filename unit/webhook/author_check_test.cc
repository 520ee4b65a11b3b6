#include "webhook/author_check.h"

#include <catch2/catch.hpp>

#include "unit/support/objects.h"
#include "unit/support/review.h"

using namespace stash;
using namespace stash::test;
using namespace stash::webhook;

namespace {

using Rights = std::vector<Right>;
using Texts = std::vector<std::string>;

const inject::Settings kSettings{.allowed_host_paths = {"/data"}};

const Right kExec{"create", "", "pods", "exec", "", "demo"};
const Right kPods{"create", "", "pods", "", "", "demo"};
const Right kSecret{"get", "", "secrets", "", "repo-secret", "demo"};
const Right kDeployment{"patch", "apps", "deployments", "", "stash-demo", "demo"};

Review a_write(const Json& after, const Json& before = nullptr) {
  return parse_review(a_review("stash.appscode.com", string_at(after, {"kind"}), after, before).dump()).value();
}
AuthorCheck check_of(const Json& after, const Json& before = nullptr) {
  return plan_author_check(a_write(after, before), kSettings);
}
Rights rights_for(const Json& after, const Json& before = nullptr) {
  Rights rights;
  for (const Need& need : check_of(after, before).needs) rights.push_back(need.right);
  return rights;
}
std::string refusal_of(const Json& object, const std::vector<bool>& has) {
  const Review review = a_write(object);
  return judge_author(review, plan_author_check(review, kSettings), has).refusal;
}

api::Hook exec_hook(const std::string& command) {
  api::Hook hook;
  hook.exec = api::ExecAction{{command}};
  return hook;
}
BackupConfigurationBuilder with_exec(const std::string& command = "sync") {
  return a_backup_configuration().with(
      [&](api::BackupConfiguration& configuration) { configuration.spec.pre_backup = exec_hook(command); });
}
Json in_cloud() { return a_repository().gcs("bucket", "").json(); }
Json with(Json object, const char* pointer, Json value) {
  object[Json::json_pointer(pointer)] = std::move(value);
  return object;
}

}  // namespace

TEST_CASE("who makes a BackupConfiguration must be allowed to change its workload", "[webhook][author]") {
  CHECK(rights_for(a_backup_configuration().json()) == Rights{kDeployment});
  const auto right_for = [](const char* api_version, const char* kind) {
    return rights_for(a_backup_configuration().target({api_version, kind, "x"}).json());
  };
  CHECK(right_for("apps/v1", "StatefulSet") == Rights{{"patch", "apps", "statefulsets", "", "x", "demo"}});
  CHECK(right_for("extensions/v1beta1", "DaemonSet") == Rights{{"patch", "apps", "daemonsets", "", "x", "demo"}});
  CHECK(right_for("v1", "ReplicationController") == Rights{{"patch", "", "replicationcontrollers", "", "x", "demo"}});
  CHECK(right_for("apps.openshift.io/v1", "DeploymentConfig") ==
        Rights{{"patch", "apps.openshift.io", "deploymentconfigs", "", "x", "demo"}});
}

TEST_CASE("who makes a RestoreSession must be allowed to change its workload", "[webhook][author]") {
  CHECK(rights_for(a_restore_session().json()) == Rights{kDeployment});
}

TEST_CASE("an object that names no workload that takes a sidecar needs no right", "[webhook][author]") {
  CHECK(rights_for(a_backup_configuration().no_target().json()).empty());
  CHECK(rights_for(a_backup_configuration().target({"v1", "Pod", "x"}).json()).empty());
  CHECK(rights_for(a_backup_configuration().target({"apps/v1", "Deployment", ""}).json()).empty());
}

TEST_CASE("an exec hook needs the right to exec into pods, once for all hooks", "[webhook][author][F73][I16]") {
  CHECK(rights_for(with_exec().json()) == Rights{kExec, kDeployment});
  const auto both = with_exec().with(
      [](api::BackupConfiguration& configuration) { configuration.spec.post_backup = exec_hook("sync"); });
  CHECK(rights_for(both.json()) == Rights{kExec, kDeployment});
  const auto restore =
      a_restore_session().with([](api::RestoreSession& session) { session.spec.post_restore = exec_hook("sync"); });
  CHECK(rights_for(restore.json()) == Rights{kExec, kDeployment});
}

TEST_CASE("an HTTP hook needs no right beside that to the workload, in whose pod it runs", "[webhook][author]") {
  const Json object = with(a_backup_configuration().json(), "/spec/hooks",
                           {{"preBackup", {{"httpGet", {{"path", "/"}, {"port", 80}}}}}});
  CHECK(rights_for(object) == Rights{kDeployment});
}

TEST_CASE("who changes nothing but schedule, retention, pause and the like needs no right", "[webhook][author]") {
  const Json before = with_exec().json();
  for (const std::string& field : harmless_fields()) {
    CHECK(rights_for(with(before, ("/spec/" + field).c_str(), "changed"), before).empty());
    Json without = before;
    without["spec"].erase(field);
    CHECK(rights_for(without, before).empty());
  }
  CHECK(rights_for(with(before, "/metadata/labels", {{"a", "b"}}), before).empty());
  CHECK(rights_for(with(before, "/status", {{"phase", "Ready"}}), before).empty());
}

TEST_CASE("whatever else changes needs the right to the workload, fields that we do not know too",
          "[webhook][author]") {
  const Json before = with_exec().json();
  for (const char* field : {"/spec/repository/name", "/spec/target/paths", "/spec/target/volumeMounts", "/spec/driver",
                            "/spec/runtimeSettings", "/spec/tempDir", "/spec/fieldOfALaterRelease"}) {
    CHECK(rights_for(with(before, field, "changed"), before) == Rights{kDeployment});
  }
  Json without = before;
  without["spec"].erase("hooks");
  INFO("leaving something out is a change as well");
  CHECK(rights_for(without, before) == Rights{kDeployment});
}

TEST_CASE("an exec hook of somebody else is asked about again when it changes, or runs elsewhere",
          "[webhook][author][F73][I16]") {
  const Json before = with_exec("sync").json();
  CHECK(rights_for(with_exec("rm").json(), before) == Rights{kExec, kDeployment});
  CHECK(rights_for(with(before, "/spec/hooks/preBackup/containerName", "db"), before) == Rights{kExec, kDeployment});
  CHECK(rights_for(with_exec("sync").deployment("other").json(), before) ==
        Rights{kExec, {"patch", "apps", "deployments", "", "other", "demo"}});
  const Json http = {{"httpGet", {{"path", "/"}, {"port", 80}}}};
  INFO("another hook beside it");
  CHECK(rights_for(with(before, "/spec/hooks/postBackup", http), before) == Rights{kDeployment});
  INFO("the exec hook goes");
  CHECK(rights_for(with(before, "/spec/hooks/preBackup", http), before) == Rights{kDeployment});
}

TEST_CASE("who names a Secret in a Repository must be allowed to read it", "[webhook][author][F74][I16]") {
  CHECK(rights_for(in_cloud()) == Rights{kSecret});
  CHECK(rights_for(a_repository().gcs("bucket", "").secret("").json()).empty());
}

TEST_CASE("the right to the Secret is asked for again when its credentials could go elsewhere",
          "[webhook][author][F75][I16]") {
  const Json before = in_cloud();
  CHECK(rights_for(a_repository().gcs("of-somebody-else", "").json(), before) == Rights{kSecret});
  CHECK(rights_for(a_repository().gcs("bucket", "").secret("other").json(), before) ==
        Rights{{"get", "", "secrets", "", "other", "demo"}});
  CHECK(rights_for(with(before, "/metadata/labels", {{"a", "b"}}), before).empty());
  CHECK(rights_for(with(before, "/status", {{"snapshotCount", 1}}), before).empty());
}

TEST_CASE("who has the data deleted must be allowed to read the Secret, who keeps it need not", "[webhook][author]") {
  const Json kept = in_cloud();
  const Json wiped = with(kept, "/spec/wipeOut", true);
  CHECK(rights_for(wiped, kept) == Rights{kSecret});
  CHECK(rights_for(kept, wiped).empty());
  CHECK(rights_for(with(kept, "/spec/wipeOut", false), wiped).empty());
}

TEST_CASE("a repository on a volume needs the right to create pods", "[webhook][author]") {
  CHECK(rights_for(a_repository().pvc("backups").json()) == Rights{kSecret, kPods});
  CHECK(rights_for(a_repository().volume({{"nfs", {{"server", "nfs"}, {"path", "/"}}}}).json()) ==
        Rights{kSecret, kPods});
  CHECK(rights_for(a_repository().json()) == Rights{kSecret, kPods});
  INFO("not again for a change of the Secret");
  CHECK(rights_for(a_repository().pvc("backups").secret("other").json(), a_repository().pvc("backups").json()) ==
        Rights{{"get", "", "secrets", "", "other", "demo"}});
}

TEST_CASE("a hostPath is refused unless the administrator allows it, whoever asks", "[webhook][author][F69][I16]") {
  CHECK(refusal_of(a_repository().host_path("/data/repo").json(), {true, true}).empty());
  for (const char* path : {"/", "/etc", "/database", "/data/../etc", "data", ""}) {
    CHECK(refusal_of(a_repository().host_path(path).json(), {true, true}) ==
          std::string("Repository demo/repo: spec.backend.local.hostPath ") + path +
              " is at or below no path of the node that the administrator allows; let him add it to the chart value "
              "hostPath.allowed, or use another volume, such as a persistentVolumeClaim");
  }
}

TEST_CASE("a refusal names the object, the right, who lacks it, and what to do", "[webhook][author]") {
  CHECK(refusal_of(with_exec().json(), {false, true}) ==
        "BackupConfiguration demo/app-backup: spec.hooks.preBackup.exec runs a command in a container of a pod, and "
        "jane may not create pods/exec in namespace demo; have that granted, or use httpGet, httpPost or tcpSocket");
  CHECK(refusal_of(with_exec().json(), {true, false}) ==
        "BackupConfiguration demo/app-backup: it acts on the pods of Deployment stash-demo, its spec.target.ref, and "
        "jane may not patch deployments.apps stash-demo in namespace demo; have that granted, or name a workload that "
        "you may change");
  CHECK(refusal_of(in_cloud(), {false}) ==
        "Repository demo/repo: spec.backend.storageSecretName has Secret repo-secret used, and jane may not get "
        "secrets repo-secret in namespace demo; have that granted, or name a Secret that you may read");
  CHECK(refusal_of(a_repository().pvc("backups").json(), {true, false}) ==
        "Repository demo/repo: spec.backend.local has a volume mounted into pods, and jane may not create pods in "
        "namespace demo; have that granted, or use another backend");
}

TEST_CASE("a refusal names all that is missing at once", "[webhook][author]") {
  const std::string text = refusal_of(a_repository().host_path("/etc").json(), {false, false});
  for (const char* part : {"hostPath /etc", "get secrets repo-secret", "create pods in"}) {
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("a right without an answer counts as missing", "[webhook][author]") {
  CHECK_FALSE(refusal_of(with_exec().json(), {}).empty());
  CHECK_FALSE(refusal_of(with_exec().json(), {true}).empty());
  CHECK(refusal_of(with_exec().json(), {true, true}).empty());
}

TEST_CASE("an object whose name the API server will make is named by what it begins with", "[webhook][author]") {
  Json object = a_restore_session().json();
  object["metadata"].erase("name");
  object["metadata"]["generateName"] = "restore-";
  CHECK(check_of(object).object == "RestoreSession demo/restore-");
}

TEST_CASE("deletions, other kinds and subresources need no right", "[webhook][author]") {
  Review review = a_write(with_exec().json());
  review.operation = "DELETE";
  CHECK(plan_author_check(review, kSettings).needs.empty());
  review = a_write(with_exec().json());
  review.subresource = "status";
  CHECK(plan_author_check(review, kSettings).needs.empty());
  review = a_write(with_exec().json());
  review.group = "apps";
  CHECK(plan_author_check(review, kSettings).needs.empty());
  CHECK(rights_for(a_backup_session().json()).empty());
}

TEST_CASE("objects of any shape have a check", "[webhook][author][F64][I17]") {
  for (const Json& wrong : {Json(), Json(5), Json("x"), Json::array({1}), Json{{"spec", 5}},
                            Json{{"spec", {{"target", 1}, {"hooks", {{"preBackup", {{"exec", 0}}}}}}}},
                            Json{{"spec", {{"target", {{"ref", {{"kind", 7}}}}}, {"hooks", {1, 2}}}}},
                            Json{{"spec", {{"backend", {{"local", "x"}, {"storageSecretName", 1}}}}}}}) {
    for (const char* kind : {"Repository", "BackupConfiguration", "RestoreSession"}) {
      Review review = a_write(a_backup_configuration().json());
      review.kind = kind;
      review.object = wrong;
      review.old_object = wrong;
      CHECK_NOTHROW(judge_author(review, plan_author_check(review, kSettings), {}));
    }
  }
}

TEST_CASE("who writes a BackupBlueprint must have the rights that it uses, in all namespaces",
          "[webhook][author][I16]") {
  const auto written = [](const Json& spec) {
    return Json{{"apiVersion", "stash.appscode.com/v1beta1"},
                {"kind", "BackupBlueprint"},
                {"metadata", {{"name", "nightly"}}},
                {"spec", spec}};
  };
  const auto rights = [](const Json& after, const Json& before = nullptr) {
    Json review = a_review("stash.appscode.com", "BackupBlueprint", after, before);
    review["request"].erase("namespace");
    Rights found;
    for (const Need& need : plan_author_check(parse_review(review.dump()).value(), kSettings).needs)
      found.push_back(need.right);
    return found;
  };
  const Json in_cloud = {{"schedule", "@daily"},
                         {"backend", {{"storageSecretName", "backups"}, {"s3", {{"bucket", "b"}}}}}};
  const Right secret{"get", "", "secrets", "", "backups", ""}, any_secret{"get", "", "secrets", "", "", ""};
  const Right pods{"create", "", "pods", "", "", ""}, workloads{"patch", "apps", "deployments", "", "", ""};
  CHECK(rights(written(in_cloud)) == Rights{secret});
  CHECK(rights(with(written(in_cloud), "/spec/backend/storageSecretName", "of-${TARGET_NAME}")) == Rights{any_secret});
  CHECK(rights(with(written(in_cloud), "/spec/backend/local", {{"hostPath", {{"path", "/data/x"}}}})) ==
        Rights{secret, pods});
  CHECK(rights(with(written(in_cloud), "/spec/runtimeSettings", {{"container", {{"env", Json::array()}}}})) ==
        Rights{secret, workloads});
  CHECK(rights(with(written(in_cloud), "/spec/fieldOfALaterRelease", 1)) == Rights{secret, workloads});
  CHECK(rights(with(written(in_cloud), "/spec/schedule", "@hourly"), written(in_cloud)).empty());
  CHECK(to_string(secret) == "get secrets backups in all namespaces");
}

TEST_CASE("the controller may keep Repositories on volumes, but no more than anybody on a node", "[webhook][author]") {
  inject::Settings settings = kSettings;
  settings.operator_account = "jane";
  CHECK(plan_author_check(a_write(a_repository().json()), settings).needs.size() == 1);
  CHECK(plan_author_check(a_write(a_repository().json()), settings).needs.at(0).right == kSecret);
  CHECK_FALSE(plan_author_check(a_write(a_repository().host_path("/etc").json()), settings).objections.empty());
  settings.operator_account = "somebody-else";
  CHECK(plan_author_check(a_write(a_repository().json()), settings).needs.size() == 2);
}

TEST_CASE("the question carries user, groups, uid and extra, and the right", "[webhook][author]") {
  const Json user = {{"username", "jane"}, {"uid", "7"}, {"groups", {"a", "b"}}, {"extra", {{"scopes", {"x"}}}}};
  CHECK(encode_access_review(user, kDeployment) == Json{{"apiVersion", "authorization.k8s.io/v1"},
                                                        {"kind", "SubjectAccessReview"},
                                                        {"spec",
                                                         {{"user", "jane"},
                                                          {"uid", "7"},
                                                          {"groups", {"a", "b"}},
                                                          {"extra", {{"scopes", {"x"}}}},
                                                          {"resourceAttributes",
                                                           {{"verb", "patch"},
                                                            {"group", "apps"},
                                                            {"resource", "deployments"},
                                                            {"name", "stash-demo"},
                                                            {"namespace", "demo"}}}}}});
  CHECK(encode_access_review(nullptr, kExec)["spec"]["resourceAttributes"] ==
        Json{{"verb", "create"}, {"resource", "pods"}, {"subresource", "exec"}, {"namespace", "demo"}});
}

TEST_CASE("only a clear yes is a yes", "[webhook][author]") {
  CHECK(decode_access_review({{"status", {{"allowed", true}}}}).value());
  CHECK_FALSE(decode_access_review({{"status", {{"allowed", false}, {"evaluationError", "no role"}}}}).value());
  for (const Json& unclear : {Json(), Json::object(), Json{{"status", {{"allowed", "true"}}}}, Json{{"status", 1}}}) {
    CHECK(decode_access_review(unclear).error().code == ErrorCode::invalid);
  }
}
