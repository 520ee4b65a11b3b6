#include "inject/pod_policy.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "unit/inject/scene.h"

namespace stash::test {
namespace {

// The only finding of an injection that changes nothing.
std::string refusal(const Scene& scene, const Json& workload) {
  const auto injection = scene.inject(workload);
  CHECK(injection.patch.empty());
  CHECK_FALSE(injection.has_sidecar);
  if (injection.findings.size() != 1) return "not exactly one finding";
  return std::string(code_of(injection.findings[0].reason)) + ": " + injection.findings[0].message;
}

/// One that failed under us is tried again; older Stash wrote no conditions.
RestoreSessionBuilder failed_or(RestoreSessionBuilder session) {
  return session.with([](auto& restore) {
    if (restore.status.phase == "Failed")
      restore.status.conditions = {{"Completed", "True", "Failed", "", 1, kCreated}};
  });
}

Scene backup_with(std::vector<api::VolumeMount> mounts) {
  return Scene().backup(a_backup_configuration().mounts(std::move(mounts)));
}

TEST_CASE("Pod Security levels that forbid the backend's volume keep the pod as it is", "[inject][policy][F66][I1]") {
  const std::string remedy = "; use a persistentVolumeClaim as backend, change runtimeSettings, or lower the level";
  CHECK(refusal(Scene().backup(a_backup_configuration()).pod_security("baseline"), a_workload()) ==
        "PodSecurity: namespace demo enforces Pod Security \"baseline\", which forbids a hostPath volume, which the "
        "Repository's local backend uses" +
            remedy);
  const Json nfs = {{"nfs", {{"server", "s"}, {"path", "/p"}}}};
  CHECK(
      refusal(
          Scene().backup(a_backup_configuration()).repository(a_repository().volume(nfs)).pod_security("restricted"),
          a_workload())
          .starts_with("PodSecurity: namespace demo enforces Pod Security \"restricted\", which forbids a nfs volume"));
}

TEST_CASE("what is injected into a restricted namespace passes its level", "[inject][policy]") {
  Scene scene;
  scene.repository(a_repository().pvc("repo")).pod_security("restricted");
  scene.backup(a_backup_configuration()).restore(a_restore_session());
  const auto injection = scene.inject(a_workload());
  CHECK(injection.findings.empty());
  CHECK(injection.has_sidecar);
  CHECK(injection.has_init_container);
}

TEST_CASE("runtime settings that the level forbids are refused", "[inject][policy]") {
  const auto with_context = [](const Json& context) {
    return Scene()
        .repository(a_repository().pvc("repo"))
        .pod_security("restricted")
        .backup(a_backup_configuration().container_settings({{"securityContext", context}}));
  };
  CHECK(refusal(with_context({{"runAsUser", 0}}), a_workload()).starts_with("PodSecurity: "));
  CHECK(refusal(with_context({{"capabilities", {{"add", {"CHOWN"}}}}}), a_workload()).starts_with("PodSecurity: "));
  CHECK(
      refusal(with_context({{"seccompProfile", {{"type", "Unconfined"}}}}), a_workload()).starts_with("PodSecurity: "));
  CHECK(refusal(with_context({{"allowPrivilegeEscalation", true}}), a_workload()).starts_with("PodSecurity: "));
}

TEST_CASE("a container of the user's with our name is left alone", "[inject][policy][F65][I1]") {
  const std::string message =
      "ContainerNameTaken: the pod template has a container named stash that is not Stash's; rename it";
  CHECK(refusal(Scene().backup(a_backup_configuration()), a_workload().container("stash")) == message);
  CHECK(refusal(Scene().backup(a_backup_configuration()), a_workload().init_container("stash")) == message);
}

TEST_CASE("a target volume that the pod does not have is not injected", "[inject][policy]") {
  CHECK(refusal(backup_with({{"sauce-data", "/source/data", ""}}), a_workload()) ==
        "VolumeMissing: spec.target.volumeMounts names volume \"sauce-data\", which the pod template does not have; "
        "correct the name or add the volume");
  CHECK(refusal(backup_with({{"", "/source/data", ""}}), a_workload()).starts_with("VolumeMissing: "));
  CHECK(refusal(Scene().backup(a_backup_configuration()), a_workload().no_volumes()).starts_with("VolumeMissing: "));
}

// The kubelet says "volume source-data has volumeMode Block, but is specified in volumeMounts", for ever.
TEST_CASE("a target volume that is a block device is not injected, and takes a sidecar out that mounts it",
          "[inject][policy][F66][I1]") {
  const Scene scene = Scene().kind("StatefulSet").backup(a_backup_configuration().with([](auto& it) {
    it.spec.target->ref.kind = "StatefulSet";
  }));
  const Json device = Json::array({Json{{"name", "source-data"}, {"devicePath", "/dev/x"}}});
  const Json claimed = a_workload().no_volumes().with([](Json& w) {
    w["spec"]["volumeClaimTemplates"] =
        Json::array({Json{{"metadata", {{"name", "source-data"}}}, {"spec", {{"volumeMode", "Block"}}}}});
  });
  const Json in_init = a_workload().init_container("setup").with(
      [&device](Json& w) { w["spec"]["template"]["spec"]["initContainers"][0]["volumeDevices"] = device; });
  const Json used = a_workload().with([&device](Json& w) {
    Json& container = w["spec"]["template"]["spec"]["containers"][0];
    container.erase("volumeMounts");
    container["volumeDevices"] = device;
  });
  for (const Json& workload : {claimed, in_init, used}) {
    CHECK(refusal(scene, workload) ==
          "VolumeIsDevice: spec.target.volumeMounts names volume source-data, which is a block device; Stash backs up "
          "files, so name volumes with a file system only");
  }
  Json injected = scene.injected(a_workload());
  REQUIRE(inject::has_sidecar(injected));
  injected["spec"]["template"]["spec"]["containers"][0] = used["spec"]["template"]["spec"]["containers"][0];
  CHECK_FALSE(scene.inject(injected).has_sidecar);
}

TEST_CASE("claims of volumeClaimTemplates count as volumes", "[inject][policy]") {
  const Json workload = a_workload().no_volumes().with([](Json& w) {
    w["spec"]["volumeClaimTemplates"] = Json::array({Json{{"metadata", {{"name", "source-data"}}}}});
  });
  CHECK(Scene().backup(a_backup_configuration()).inject(workload).has_sidecar);
}

TEST_CASE("mounts at places that are taken, or that would break the container, are refused",
          "[inject][policy][F65][I1]") {
  for (const char* path :
       {"/tmp", "/tmp/", "//tmp", "/etc/stash", "/etc/stash/repository/secret", "/etc/stash/x", "/", "/etc", "/usr/bin",
        "/proc/x", "/dev", "relative", "", "/a:b", "/a/../b", "/safe/data", "/safe/data/x", "/safe"}) {
    INFO(path);
    CHECK(refusal(backup_with({{"source-data", path, ""}}), a_workload()).starts_with("MountPathTaken: "));
  }
  CHECK(refusal(backup_with({{"source-data", "/a", ""}, {"source-data", "/a/", "sub"}}), a_workload())
            .starts_with("MountPathTaken: "));
  CHECK(refusal(backup_with({{"source-data", "/a", "../b"}}), a_workload()).starts_with("Malformed: "));
  CHECK(backup_with({{"source-data", "/tmp/data", ""}}).inject(a_workload()).has_sidecar);
  CHECK(backup_with({{"source-data", "/a", ""}, {"source-data", "/a/b", ""}}).inject(a_workload()).has_sidecar);
}

TEST_CASE("a Repository mounted at a bad place is refused", "[inject][policy]") {
  const auto repository = [](const char* mount_path, const char* sub_path) {
    return Scene().backup(a_backup_configuration()).repository(a_repository().with([&](api::Repository& r) {
      r.spec.backend.local->mount_path = mount_path;
      r.spec.backend.local->sub_path = sub_path;
    }));
  };
  CHECK(refusal(repository("", ""), a_workload()).starts_with("Malformed: "));
  CHECK(refusal(repository("/source/data", ""), a_workload()).starts_with("MountPathTaken: "));
  CHECK(refusal(repository("/stash", ""), a_workload()).starts_with("MountPathTaken: "));
  CHECK(refusal(repository("/safe", "../x"), a_workload()).starts_with("Malformed: "));
}

TEST_CASE("Windows pods are left alone", "[inject][policy][F66][I1]") {
  CHECK(refusal(Scene().backup(a_backup_configuration()), a_workload().pod_field("os", {{"name", "windows"}}))
            .starts_with("WindowsPod: "));
}

TEST_CASE("a workload whose annotations would exceed the limit is left alone", "[inject][policy][F65][I1]") {
  const std::string room(std::size_t{256 * 1024} - 50, 'x');
  CHECK(refusal(Scene().backup(a_backup_configuration()), a_workload().annotation("big", room)) ==
        "TooLarge: its annotations would exceed the API server's limit of 256 KiB; shorten them");
  CHECK(refusal(Scene().backup(a_backup_configuration()), a_workload().template_annotation("big", room))
            .starts_with("TooLarge: "));
}

TEST_CASE("stash-init of a restore at work stays, whatever the pods' level says by now", "[inject][policy][F66][I13]") {
  const Json nfs = {{"nfs", {{"server", "s"}, {"path", "/p"}}}};
  const auto scene = [&](const char* phase, bool backup) {
    Scene scene;
    scene.repository(a_repository().volume(nfs)).restore(failed_or(a_restore_session().phase(phase)));
    if (backup) scene.backup(a_backup_configuration());
    return scene;
  };
  for (const char* phase : {"Pending", "Running", "Failed"}) {
    for (const bool backup : {false, true}) {
      INFO(phase << " " << backup);
      const Json workload = scene("Pending", backup).injected(a_workload());
      REQUIRE(init_container_in(workload).is_object());
      const auto injection = scene(phase, backup).pod_security("restricted").inject(workload);
      CHECK(injection.patch.empty());
      CHECK(std::ranges::count(codes_of(injection.findings), "PodSecurity") > 0);
    }
  }
  const Json workload = scene("Pending", true).injected(a_workload());
  SECTION("once it has succeeded, what the pods would be refused for goes") {
    CHECK(names_in(scene("Succeeded", true).pod_security("restricted").injected(workload), "initContainers").empty());
  }
  SECTION("once it is deleted, too") {
    CHECK(Scene().pod_security("restricted").injected(workload) == a_workload().json());
  }
}

TEST_CASE("stash-init of a restore at work stays in a workload that has grown too large",
          "[inject][policy][F65][I13]") {
  const Scene scene = Scene().backup(a_backup_configuration()).restore(a_restore_session().phase("Running"));
  Json workload = scene.injected(a_workload());
  const Json init = init_container_in(workload);
  workload["metadata"]["annotations"]["big"] = std::string(std::size_t{256} << 10, 'x');
  const Json after = scene.injected(workload);
  CHECK(init_container_in(after) == init);
  CHECK(names_in(after, "volumes").size() > 1);
  CHECK(sidecar_in(after).is_null());
  CHECK(codes_of(scene.inject(workload).findings) == std::vector<std::string>{"TooLarge", "TooLarge"});
  CHECK(scene.inject(after).patch.empty());
}

TEST_CASE("a workload near etcd's limit is left alone", "[inject][policy][F65][I1]") {
  CHECK(refusal(Scene().backup(a_backup_configuration()), a_workload().with([](Json& w) {
          w["spec"]["huge"] = std::string(1'400'000, 'x');
        })).starts_with("TooLarge: "));
}

}  // namespace
}  // namespace stash::test
