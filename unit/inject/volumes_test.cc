#include "inject/volumes.h"

#include <catch2/catch.hpp>

#include "unit/inject/scene.h"

namespace stash::test {
namespace {

Result<Json> local(Json source) { return inject::local_source({std::move(source), "/repo", ""}); }
std::string problem(Json source) {
  const auto result = local(std::move(source));
  return result ? "none" : result.error().message;
}

TEST_CASE("a local backend's volume source is what the API server will return", "[inject][volumes]") {
  CHECK(*local({{"hostPath", {{"path", "/data"}, {"type", ""}}}}) == Json{{"hostPath", {{"path", "/data"}}}});
  CHECK(*local({{"persistentVolumeClaim", {{"claimName", "c"}, {"readOnly", false}}}}) ==
        Json{{"persistentVolumeClaim", {{"claimName", "c"}}}});
  CHECK(*local({{"emptyDir", Json::object()}}) == Json{{"emptyDir", Json::object()}});
  CHECK(*local({{"nfs", {{"server", "s"}, {"path", "/p"}}}}) == Json{{"nfs", {{"server", "s"}, {"path", "/p"}}}});
}

TEST_CASE("a volume source that the API server would refuse is refused", "[inject][volumes]") {
  CHECK(problem(Json::object()) == "spec.backend.local needs exactly one volume source beside mountPath");
  CHECK(problem({{"hostPath", {{"path", "/a"}}}, {"emptyDir", Json::object()}}) ==
        "spec.backend.local needs exactly one volume source beside mountPath");
  CHECK(problem({{"hostPath", {{"path", "/a/../b"}}}}) == "spec.backend.local.hostPath: path must not contain ..");
  CHECK(problem({{"hostPath", {{"path", "/a"}, {"type", "Dir"}}}}) == "spec.backend.local.hostPath: unknown type");
  CHECK(problem({{"hostPath", 5}}) == "spec.backend.local.hostPath: expected an object");
  CHECK(problem({{"persistentVolumeClaim", Json::object()}}) ==
        "spec.backend.local.persistentVolumeClaim: claimName is missing");
  CHECK(problem({{"emptyDir", {{"medium", "HugePages"}}}}) ==
        "spec.backend.local.emptyDir/medium: medium must be empty or Memory");
  CHECK(problem({{"cephfs", Json::object()}}) ==
        "spec.backend.local.cephfs: this version mounts only hostPath, persistentVolumeClaim, nfs and emptyDir; others "
        "come with a later one");
}

TEST_CASE("the volumes of a pod with a sidecar are those of the contract", "[inject][volumes]") {
  const Json workload =
      Scene().backup(a_backup_configuration().temp_dir({"Memory", "1Gi", false})).injected(a_workload());
  CHECK(names_in(workload, "volumes") ==
        std::vector<std::string>{"source-data", "tmp-dir", "stash-podinfo", "stash-secret-volume", "stash-local"});
  CHECK(volume_in(workload, "tmp-dir") ==
        Json{{"name", "tmp-dir"}, {"emptyDir", {{"medium", "Memory"}, {"sizeLimit", "1Gi"}}}});
  CHECK(volume_in(workload, "stash-secret-volume") ==
        Json{{"name", "stash-secret-volume"}, {"secret", {{"secretName", "repo-secret"}, {"optional", true}}}});
  CHECK(volume_in(workload, "stash-local") == Json{{"name", "stash-local"}, {"hostPath", {{"path", "/data/repo"}}}});
  const Json sources = volume_in(workload, "stash-podinfo")["projected"]["sources"];
  REQUIRE(sources.size() == 3);
  CHECK(sources[0]["downwardAPI"]["items"][0] ==
        Json{{"path", "labels"}, {"fieldRef", {{"fieldPath", "metadata.labels"}}}});
  CHECK(sources[1]["serviceAccountToken"] == Json{{"path", "token"}, {"expirationSeconds", 3600}});
  CHECK(sources[2]["configMap"]["name"] == "kube-root-ca.crt");
}

TEST_CASE("a pod's own tmp-dir stays its own", "[inject][volumes]") {
  const Json original =
      a_workload().volume("tmp-dir", {{"hostPath", {{"path", "/x"}}}}).container("app", "tmp-dir", "/tmp");
  const Json workload = Scene().backup(a_backup_configuration()).injected(original);
  CHECK(volume_in(workload, "tmp-dir") == volume_in(original, "tmp-dir"));
  CHECK(volume_in(workload, "stash-tmp-dir") == Json{{"name", "stash-tmp-dir"}, {"emptyDir", Json::object()}});
  CHECK(Scene().injected(workload) == original);
}

TEST_CASE("a pod's own tmp-dir can be backed up", "[inject][volumes]") {
  const Json original = a_workload().volume("tmp-dir", {{"emptyDir", Json::object()}});
  const Json workload = Scene().backup(a_backup_configuration().mounts({{"tmp-dir", "/data", ""}})).injected(original);
  CHECK(names_in(workload, "volumes").size() == 6);
  CHECK(Scene().injected(workload) == original);
}

TEST_CASE("two Repositories in one pod get volumes of their own", "[inject][volumes]") {
  Scene scene;
  scene.repository(a_repository("other").secret("other-secret").host_path("/other"))
      .backup(a_backup_configuration())
      .restore(a_restore_session().repository("other"));
  const Json workload = scene.injected(a_workload());
  CHECK(volume_in(workload, "stash-secret-volume")["secret"]["secretName"] == "repo-secret");
  CHECK(volume_in(workload, "stash-restore-secret-volume")["secret"]["secretName"] == "other-secret");
  CHECK(volume_in(workload, "stash-restore-local")["hostPath"]["path"] == "/other");
  CHECK(scene.inject(workload).patch.empty());
  CHECK(Scene().injected(workload) == Json(a_workload()));
}

TEST_CASE("a pod whose own volumes have all of our names is left alone", "[inject][volumes]") {
  const Json original =
      a_workload().volume("stash-podinfo", {{"emptyDir", Json::object()}}).container("app", "stash-podinfo", "/x");
  const auto injection = Scene().backup(a_backup_configuration()).inject(original);
  CHECK(injection.patch.empty());
  CHECK(codes_of(injection.findings) == std::vector<std::string>{"VolumeNameTaken"});
}

TEST_CASE("a volume of ours that another container came to mount stays when the sidecar goes", "[inject][volumes]") {
  Scene scene;
  scene.backup(a_backup_configuration());
  Json workload = scene.injected(a_workload());
  workload["spec"]["template"]["spec"]["containers"][0]["volumeMounts"].push_back(
      Json{{"name", "tmp-dir"}, {"mountPath", "/scratch"}});
  CHECK(scene.inject(workload).patch.empty());
  CHECK(names_in(Scene().injected(workload), "volumes") == std::vector<std::string>{"source-data", "tmp-dir"});
}

}  // namespace
}  // namespace stash::test
