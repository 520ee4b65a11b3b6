#include "inject/injector.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "unit/inject/scene.h"

namespace stash::test {
namespace {

Scene with_backup() { return Scene().backup(a_backup_configuration()); }

Json sorted_volumes(Json workload) {
  Json& volumes = workload["spec"]["template"]["spec"]["volumes"];
  std::sort(volumes.begin(), volumes.end());
  return workload;
}

const std::string kApplied = "stash.appscode.com/last-applied-backupconfiguration";

TEST_CASE("the sidecar is what the contract says", "[inject][sidecar]") {
  const Json workload = with_backup().injected(a_workload());
  const Json sidecar = sidecar_in(workload);
  CHECK(names_in(workload, "containers") == std::vector<std::string>{"busybox", "stash"});
  CHECK(sidecar["image"] == "stash:1");
  CHECK(sidecar["args"] ==
        Json::array({"run-backup", "--backup-configuration=app-backup", "--secret-dir=/etc/stash/repository/secret",
                     "--enable-cache=true", "--max-connections=0", "--metrics-enabled=true",
                     "--pushgateway-url=http://stash-operator.stash.svc:56789"}));
  CHECK(sidecar["env"] ==
        Json::array(
            {Json{{"name", "NODE_NAME"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "spec.nodeName"}}}}}},
             Json{{"name", "POD_NAME"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "metadata.name"}}}}}},
             Json{{"name", "POD_UID"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "metadata.uid"}}}}}},
             Json{{"name", "POD_NAMESPACE"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "metadata.namespace"}}}}}}}));
  CHECK(sidecar["volumeMounts"] ==
        Json::array({Json{{"name", "stash-podinfo"}, {"mountPath", "/etc/stash"}},
                     Json{{"name", "stash-secret-volume"}, {"mountPath", "/etc/stash/repository/secret"}},
                     Json{{"name", "tmp-dir"}, {"mountPath", "/tmp"}},
                     Json{{"name", "source-data"}, {"mountPath", "/source/data"}},
                     Json{{"name", "stash-local"}, {"mountPath", "/safe/data"}}}));
  CHECK_FALSE(sidecar.contains("resources"));
  CHECK_FALSE(sidecar.contains("command"));
  CHECK_FALSE(sidecar.contains("imagePullPolicy"));
}

TEST_CASE("a repository in an object store needs no volume of the pod", "[inject][sidecar]") {
  const Json workload = Scene()
                            .repository(a_repository().gcs("bucket", "prefix"))
                            .backup(a_backup_configuration())
                            .restore(a_restore_session())
                            .injected(a_workload());
  CHECK_FALSE(workload.dump().contains("stash-local"));
  CHECK(sidecar_in(workload)["volumeMounts"] ==
        Json::array({Json{{"name", "stash-podinfo"}, {"mountPath", "/etc/stash"}},
                     Json{{"name", "stash-secret-volume"}, {"mountPath", "/etc/stash/repository/secret"}},
                     Json{{"name", "tmp-dir"}, {"mountPath", "/tmp"}},
                     Json{{"name", "source-data"}, {"mountPath", "/source/data"}}}));
  CHECK(init_container_in(workload)["args"][0] == "restore");
}

TEST_CASE("the init container goes after those of the author", "[inject][init]") {
  const Json workload = Scene().restore(a_restore_session()).injected(a_workload().init_container("migrate"));
  CHECK(names_in(workload, "initContainers") == std::vector<std::string>{"migrate", "stash-init"});
  const Json init = init_container_in(workload);
  CHECK(init["args"][0] == "restore");
  CHECK(init["args"][1] == "--restore-session=app-restore");
  CHECK(init["securityContext"]["runAsUser"] == 0);
  CHECK(names_in(workload, "containers") == std::vector<std::string>{"busybox"});
}

TEST_CASE("settings of the BackupConfiguration reach the sidecar", "[inject][sidecar]") {
  const Json settings = {{"resources", {{"requests", {{"cpu", "10m"}}}}},
                         {"env", {Json{{"name", "A"}, {"value", "b"}}}},
                         {"envFrom", {Json{{"secretRef", {{"name", "s"}}}}}},
                         {"livenessProbe", {{"exec", {{"command", {"true"}}}}}}};
  Scene scene;
  scene.repository(a_repository().sub_path("sub"))
      .with_settings([](auto& s) { s.pushgateway_url = ""; })
      .backup(a_backup_configuration()
                  .container_settings(settings)
                  .temp_dir({"", "", true})
                  .mounts({{"source-data", "/source/data", "part"}}));
  const Json sidecar = sidecar_in(scene.injected(a_workload()));
  CHECK(sidecar["resources"] == Json{{"requests", {{"cpu", "10m"}}}});
  CHECK(sidecar["env"][4] == Json{{"name", "A"}, {"value", "b"}});
  CHECK(sidecar["envFrom"] == Json::array({Json{{"secretRef", {{"name", "s"}}}}}));
  CHECK(sidecar["livenessProbe"]["exec"]["command"] == Json::array({"true"}));
  CHECK(sidecar["args"] ==
        Json::array({"run-backup", "--backup-configuration=app-backup", "--secret-dir=/etc/stash/repository/secret",
                     "--enable-cache=false", "--max-connections=0", "--metrics-enabled=false"}));
  CHECK(sidecar["volumeMounts"][3]["subPath"] == "part");
  CHECK(sidecar["volumeMounts"][4]["subPath"] == "sub");
}

TEST_CASE("a readiness probe and lifecycle hooks reach the sidecar whole", "[inject][sidecar]") {
  const Json settings = {{"readinessProbe", {{"exec", {{"command", {"cat", "/tmp/ready"}}}}, {"periodSeconds", 5}}},
                         {"lifecycle",
                          {{"postStart", {{"exec", {{"command", {"touch", "/tmp/ready"}}}}}},
                           {"preStop", {{"httpGet", {{"path", "/stop"}, {"port", 8080}}}}}}}};
  const Json sidecar =
      sidecar_in(Scene().backup(a_backup_configuration().container_settings(settings)).injected(a_workload()));
  CHECK(sidecar["readinessProbe"] == settings["readinessProbe"]);
  CHECK(sidecar["lifecycle"] == settings["lifecycle"]);
}

TEST_CASE("settings of the RestoreSession reach stash-init and the pod", "[inject][init]") {
  const auto session = a_restore_session().with([](api::RestoreSession& s) {
    s.spec.runtime_settings.container = {{"resources", {{"limits", {{"memory", "1Gi"}}}}},
                                         {"env", {Json{{"name", "A"}, {"value", "b"}}}},
                                         {"envFrom", {Json{{"configMapRef", {{"name", "c"}}}}}},
                                         {"nice", {{"adjustment", 5}}},
                                         {"ionice", {{"class", 2}, {"classData", 7}}}};
    s.spec.runtime_settings.pod = {{"imagePullSecrets", {Json{{"name", "of-the-restore"}}}},
                                   {"serviceAccountName", "robot"}};
    s.spec.temp_dir = {"Memory", "1Gi", true};
  });
  const Json workload = Scene().restore(session).injected(a_workload());
  const Json init = init_container_in(workload);
  CHECK(init["resources"] == Json{{"limits", {{"memory", "1Gi"}}}});
  CHECK(init["envFrom"] == Json::array({Json{{"configMapRef", {{"name", "c"}}}}}));
  for (const auto& [name, value] : {std::pair{"NICE_ADJUSTMENT", "5"}, std::pair{"IONICE_CLASS", "2"},
                                    std::pair{"IONICE_CLASS_DATA", "7"}, std::pair{"A", "b"}}) {
    const Json variable = {{"name", name}, {"value", value}};
    CHECK(std::ranges::count(init["env"], variable) == 1);
  }
  CHECK(std::ranges::count(init["args"], Json("--enable-cache=false")) == 1);
  CHECK(volume_in(workload, "tmp-dir") ==
        Json{{"name", "tmp-dir"}, {"emptyDir", {{"medium", "Memory"}, {"sizeLimit", "1Gi"}}}});
  CHECK(names_in(workload, "imagePullSecrets") == std::vector<std::string>{"of-the-restore"});
  // It is for the CronJob's pods, and a restore has none: the application keeps its own account.
  CHECK_FALSE(workload["spec"]["template"]["spec"].contains("serviceAccountName"));
  CHECK(names_in(Scene().injected(workload), "imagePullSecrets").empty());
}

TEST_CASE("an init container gets no probes, which Kubernetes would refuse", "[inject][init]") {
  const auto session = a_restore_session().with([](api::RestoreSession& s) {
    s.spec.runtime_settings.container = {{"livenessProbe", {{"exec", {{"command", {"true"}}}}}}};
  });
  const Json init = init_container_in(Scene().restore(session).injected(a_workload()));
  CHECK(init.contains("args"));
  CHECK_FALSE(init.contains("livenessProbe"));
}

TEST_CASE("the annotations tell what was applied", "[inject][annotations]") {
  const auto configuration = a_backup_configuration()
                                 .label("team", "a")
                                 .annotation("note", "x")
                                 .annotation("kubectl.kubernetes.io/last-applied-configuration", "long");
  const Json workload = Scene().backup(configuration).injected(a_workload());
  const Json applied = *parse_json(string_at(workload, {"metadata", "annotations", kApplied}));
  CHECK(applied["apiVersion"] == "stash.appscode.com/v1beta1");
  CHECK(applied["kind"] == "BackupConfiguration");
  CHECK(applied["metadata"] == Json{{"name", "app-backup"},
                                    {"namespace", "demo"},
                                    {"uid", "uid-app-backup"},
                                    {"labels", {{"team", "a"}}},
                                    {"annotations", {{"note", "x"}}}});
  CHECK(applied["spec"]["repository"]["name"] == "repo");
  CHECK_FALSE(applied.contains("status"));
  const std::string hash = string_at(workload, {"spec", "template", "metadata", "annotations", kApplied + "-hash"});
  CHECK_FALSE(hash.empty());
  CHECK(hash.find_first_not_of("0123456789") == std::string::npos);
}

TEST_CASE("injecting into an injected workload changes nothing, as sent and as stored",
          "[inject][idempotent][F61][I2]") {
  Scene scene = with_backup().restore(a_restore_session());
  const Json injected = scene.injected(a_workload());
  CHECK(scene.inject(injected).patch.empty());
  const Json stored = as_stored(injected);
  CHECK(scene.inject(stored, &stored).patch.empty());
  CHECK(scene.inject(stored).has_sidecar);
  CHECK(scene.inject(stored).has_init_container);
}

// The API server stores no empty lists.
TEST_CASE("a wish for an empty list takes out what is in ours, and is known again as stored",
          "[inject][idempotent][F61][I2]") {
  const Scene scene = Scene().backup(a_backup_configuration().container_settings(
      {{"securityContext", {{"capabilities", {{"add", Json::array()}}}}},
       {"livenessProbe", {{"httpGet", {{"port", 80}, {"httpHeaders", Json::array()}}}}}}));
  const Json injected = scene.injected(a_workload());
  CHECK(sidecar_in(injected)["securityContext"]["capabilities"] == Json{{"drop", {"ALL"}}});
  CHECK(sidecar_in(injected)["livenessProbe"] == Json{{"httpGet", {{"port", 80}}}});
  const Json stored = as_stored(injected);
  CHECK(scene.inject(stored, &stored).patch.empty());
}

TEST_CASE("changes of schedule, retention and pause restart nothing", "[inject][idempotent]") {
  const Json stored = as_stored(with_backup().injected(a_workload()));
  const Json changed =
      Scene().backup(a_backup_configuration().schedule("@hourly").paused().history_limit(3)).injected(stored, &stored);
  CHECK(changed["spec"] == stored["spec"]);
  CHECK(changed["metadata"] != stored["metadata"]);
}

TEST_CASE("a field that is dropped from the settings disappears from the container", "[inject][update]") {
  const Json limits = {{"resources", {{"limits", {{"cpu", "1"}}}}}};
  const Json stored =
      as_stored(Scene()
                    .backup(a_backup_configuration().container_settings(limits).temp_dir({"Memory", "1Gi", false}))
                    .injected(a_workload()));
  const Json updated = with_backup().injected(stored, &stored);
  CHECK_FALSE(sidecar_in(updated).contains("resources"));
  CHECK(volume_in(updated, "tmp-dir") == Json{{"name", "tmp-dir"}, {"emptyDir", Json::object()}});
}

TEST_CASE("a sidecar that somebody changed is put right in its place", "[inject][update]") {
  Json workload = with_backup().injected(a_workload());
  workload["spec"]["template"]["spec"]["containers"].push_back(Json{{"name", "mesh"}, {"image", "mesh"}});
  workload["spec"]["template"]["spec"]["containers"][1]["args"] = {"run-backup", "--backup-configuration=other"};
  const Json repaired = with_backup().injected(workload);
  CHECK(names_in(repaired, "containers") == std::vector<std::string>{"busybox", "stash", "mesh"});
  CHECK(sidecar_in(repaired)["args"][1] == "--backup-configuration=app-backup");
}

TEST_CASE("annotations without a container prove nothing", "[inject][update][F77][I2]") {
  Json workload = with_backup().injected(a_workload());
  workload["spec"]["template"]["spec"]["containers"].erase(1);
  CHECK(with_backup().inject(workload).has_sidecar);
  CHECK_FALSE(sidecar_in(with_backup().injected(workload)).is_null());
}

TEST_CASE("without its objects the author's workload comes back", "[inject][removal]") {
  for (const Json& original :
       {a_workload().json(), a_workload().init_container("migrate").json(),
        a_workload().annotation("a/b~c", "x").template_annotation("d", "y").pull_secret("mine").json()}) {
    Scene scene = with_backup().restore(a_restore_session());
    scene.with_settings([](auto& s) { s.image_pull_secrets = {"registry", "mine"}; });
    const Json injected = scene.injected(original);
    CHECK(injected != original);
    const auto removal = Scene().inject(injected);
    CHECK(injected.patch(document(removal.patch)) == original);
    CHECK_FALSE(removal.has_sidecar);
    CHECK_FALSE(removal.has_init_container);
  }
}

TEST_CASE("the sidecar goes and the init container stays, with the volumes that it needs", "[inject][removal]") {
  const Json both = with_backup().restore(a_restore_session()).injected(a_workload());
  Scene restore_only = Scene().restore(a_restore_session());
  CHECK(restore_only.injected(both) == restore_only.injected(a_workload()));
  CHECK(with_backup().injected(both) == with_backup().injected(a_workload()));
}

TEST_CASE("the sidecar of an older Stash is taken over, and removed with all that was its own",
          "[inject][legacy][F61][I2]") {
  const Json legacy = a_workload().with([](Json& w) {
    w["metadata"]["annotations"]["stash.appscode.com/last-applied-backup-invoker"] = "{}";
    w["metadata"]["annotations"]["stash.appscode.com/last-applied-backup-invoker-kind"] = "BackupConfiguration";
    w["spec"]["template"]["metadata"]["annotations"]["stash.appscode.com/last-applied-backup-invoker-hash"] = "1";
    Json& pod = w["spec"]["template"]["spec"];
    pod["containers"].push_back({{"name", "stash"},
                                 {"image", "old/stash:v0.9.0-rc.6"},
                                 {"args", {"run-backup", "--invoker-name=app-backup"}},
                                 {"volumeMounts",
                                  {Json{{"name", "stash-podinfo"}, {"mountPath", "/etc/stash"}},
                                   Json{{"name", "stash-secret-volume"}, {"mountPath", "/etc/stash/repository/secret"}},
                                   Json{{"name", "tmp-dir"}, {"mountPath", "/tmp"}},
                                   Json{{"name", "stash-scratchdir"}, {"mountPath", "/scratch"}}}}});
    for (const char* name : {"stash-podinfo", "stash-secret-volume", "tmp-dir", "stash-scratchdir"}) {
      pod["volumes"].push_back(Json{{"name", name}, {"emptyDir", Json::object()}});
    }
  });
  CHECK(Scene().injected(legacy, &legacy) == Json(a_workload()));
  const Json taken_over = with_backup().injected(legacy, &legacy);
  CHECK(sorted_volumes(taken_over) == sorted_volumes(with_backup().injected(a_workload())));
}

TEST_CASE("pull secrets are added once and only ours are removed", "[inject][pull-secrets]") {
  const auto scene = [](std::vector<std::string> secrets) {
    return with_backup().with_settings([&](auto& s) { s.image_pull_secrets = std::move(secrets); });
  };
  const Json injected = scene({"mine", "ours"}).injected(a_workload().pull_secret("mine"));
  CHECK(names_in(injected, "imagePullSecrets") == std::vector<std::string>{"mine", "ours"});
  CHECK(scene({"mine", "ours"}).inject(injected).patch.empty());
  CHECK(names_in(scene({"new"}).injected(injected), "imagePullSecrets") == std::vector<std::string>{"mine", "new"});
  const Json removed = Scene().injected(scene({"new"}).injected(injected));
  CHECK(names_in(removed, "imagePullSecrets") == std::vector<std::string>{"mine"});
}

TEST_CASE("a forged record of pull secrets without a container of ours removes nothing",
          "[inject][pull-secrets][F77][I2]") {
  const Json workload =
      a_workload().pull_secret("mine").annotation(kApplied, R"({"added":{"imagePullSecrets":["mine"]}})");
  CHECK(names_in(Scene().injected(workload), "imagePullSecrets") == std::vector<std::string>{"mine"});
}

TEST_CASE("while the Repository is missing a running sidecar is not touched", "[inject][untouched]") {
  const Json stored = as_stored(with_backup().injected(a_workload()));
  const auto injection = with_backup().no_repository().inject(stored, &stored);
  CHECK(injection.patch.empty());
  CHECK(injection.has_sidecar);
  CHECK(codes_of(injection.findings) == std::vector<std::string>{"RepositoryMissing"});
}

TEST_CASE("settings that cannot be injected leave the running sidecar as it is", "[inject][untouched]") {
  const Json stored = as_stored(with_backup().injected(a_workload()));
  const auto injection =
      Scene().backup(a_backup_configuration().container_settings({{"resources", 5}})).inject(stored, &stored);
  CHECK(injection.patch.empty());
  CHECK(injection.has_sidecar);
  CHECK(codes_of(injection.findings) == std::vector<std::string>{"Malformed"});
}

TEST_CASE("a configuration that becomes Invalid leaves the running sidecar as it is", "[inject][untouched]") {
  const Json stored = as_stored(with_backup().injected(a_workload()));
  const auto injection = Scene().backup(a_backup_configuration().paths({})).inject(stored, &stored);
  CHECK(injection.patch.empty());
  CHECK(codes_of(injection.findings) == std::vector<std::string>{"Invalid"});
  CHECK(Scene().backup(a_backup_configuration().paths({})).inject(a_workload()).patch.empty());
}

TEST_CASE("a sidecar of another configuration does not stay for one that cannot be injected", "[inject][untouched]") {
  const Json workload = with_backup().injected(a_workload());
  const auto injection = Scene().no_repository().backup(a_backup_configuration("other")).inject(workload);
  CHECK(workload.patch(document(injection.patch)) == Json(a_workload()));
}

TEST_CASE("a sidecar whose volume the author removed goes, lest the author's update be refused",
          "[inject][untouched]") {
  Json workload = with_backup().injected(a_workload());
  workload["spec"]["template"]["spec"]["volumes"].erase(0);
  workload["spec"]["template"]["spec"]["containers"][0].erase("volumeMounts");
  const auto injection = with_backup().inject(workload);
  CHECK(codes_of(injection.findings) == std::vector<std::string>{"VolumeMissing"});
  CHECK_FALSE(injection.has_sidecar);
  CHECK(workload.patch(document(injection.patch)) == Json(a_workload().no_volumes()));
}

TEST_CASE("a sidecar that the namespace's Pod Security came to forbid goes", "[inject][untouched]") {
  const Json workload = with_backup().injected(a_workload());
  const auto injection = with_backup().pod_security("baseline").inject(workload);
  CHECK(codes_of(injection.findings) == std::vector<std::string>{"PodSecurity"});
  CHECK(workload.patch(document(injection.patch)) == Json(a_workload()));
}

TEST_CASE("a restore that succeeds restarts nothing, and its deletion brings the author's workload back",
          "[inject][restore]") {
  const auto scene = [](const char* phase) { return with_backup().restore(a_restore_session().phase(phase)); };
  const Json stored = as_stored(scene("Running").injected(a_workload()));
  CHECK(scene("Succeeded").inject(stored, &stored).patch.empty());
  CHECK(scene("Succeeded").image("stash:2").inject(stored, &stored).patch.empty());
  CHECK(scene("Failed").inject(stored, &stored).patch.empty());
  CHECK(with_backup().injected(stored) == as_stored(with_backup().injected(a_workload())));
}

TEST_CASE("a restore that has succeeded already is not injected", "[inject][restore]") {
  CHECK(Scene().restore(a_restore_session().phase("Succeeded")).inject(a_workload()).patch.empty());
}

TEST_CASE("a namespace that has not opted in is never patched, not even to remove", "[inject][namespace]") {
  const Json workload = with_backup().injected(a_workload());
  CHECK(Scene().namespace_label("stash.appscode.com/injection", "no").inject(workload).patch.empty());
  CHECK(Scene().ns("kube-system").inject(workload).patch.empty());
}

TEST_CASE("an object that is no workload is left alone and reported", "[inject][hostile][F64][I1][I17]") {
  const Json hostile = a_workload().pod_field("volumes", "none");
  const auto injection = with_backup().inject(hostile);
  CHECK(injection.patch.empty());
  CHECK(codes_of(injection.findings) == std::vector<std::string>{"Malformed"});
}

}  // namespace
}  // namespace stash::test
