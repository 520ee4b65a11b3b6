#include <catch2/catch.hpp>

#include "inject/repository_sharing.h"
#include "unit/inject/scene.h"

namespace {

using namespace stash;
using namespace stash::inject;
using namespace stash::test;
using Names = std::vector<std::string>;

Json plain() { return a_workload(); }

TimePoint later(int hours) { return kCreated + std::chrono::hours(hours); }

BackupConfigurationBuilder configuration(const std::string& name, int hour, const std::string& repository = "repo") {
  return a_backup_configuration(name).repository(repository).created(later(hour));
}

Names args_of(const Json& container, const std::string& flag) {
  Names found;
  for (const Json& argument : array_at(container, {"args"})) {
    const std::string text = argument;
    if (text.starts_with(flag + "=")) found.push_back(text.substr(flag.size() + 1));
  }
  return found;
}

/// "volume at path" of each mount.
Names mounts_of(const Json& container) {
  Names found;
  for (const Json& mount : array_at(container, {"volumeMounts"})) {
    found.push_back(string_at(mount, {"name"}) + " at " + string_at(mount, {"mountPath"}));
  }
  return found;
}

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

api::Repository second_repository(const std::string& secret = "second-secret") {
  api::Repository repository = a_repository().host_path("/backups/second");
  repository.metadata.name = "second";
  repository.spec.backend.storage_secret_name = secret;
  return repository;
}

}  // namespace

TEST_CASE("one sidecar serves two configurations of one Repository, and a third path adds no mount twice",
          "[inject][several]") {
  const Scene scene = Scene().backup(configuration("old", 1)).backup(configuration("new", 2));
  const Json workload = scene.injected(plain());
  CHECK(names_in(workload, "containers").size() == names_in(a_workload(), "containers").size() + 1);
  const Json sidecar = sidecar_in(workload);
  CHECK(args_of(sidecar, "--backup-configuration") == Names{"old", "new"});
  CHECK(args_of(sidecar, "--repository-secret-dir").empty());
  CHECK(args_of(sidecar, "--local-mount").empty());
  const Json alone = sidecar_in(Scene().backup(configuration("old", 1)).injected(plain()));
  CHECK(mounts_of(sidecar) == mounts_of(alone));
}

TEST_CASE("a second Repository brings its own Secret and volume, at places of their own", "[inject][several]") {
  const Scene scene =
      Scene().repository(second_repository()).backup(configuration("old", 1)).backup(configuration("new", 2, "second"));
  const Json workload = scene.injected(plain());
  const Json sidecar = sidecar_in(workload);
  CHECK(args_of(sidecar, "--secret-dir") == Names{"/etc/stash/repository/secret"});
  CHECK(args_of(sidecar, "--repository-secret-dir") == Names{"second=/etc/stash/repositories/second"});
  CHECK(args_of(sidecar, "--local-mount") == Names{"second=/stash-repositories/second"});
  CHECK(volume_in(workload, "stash-secret-volume-2")["secret"]["secretName"] == "second-secret");
  CHECK(volume_in(workload, "stash-local-2")["hostPath"]["path"] == "/backups/second");
  CHECK(contains(mounts_of(sidecar), "stash-secret-volume-2 at /etc/stash/repositories/second"));
  CHECK(contains(mounts_of(sidecar), "stash-local-2 at /stash-repositories/second"));
}

TEST_CASE("two Repositories with one Secret share its volume", "[inject][several]") {
  const api::Repository first = a_repository();
  const Scene scene = Scene()
                          .repository(second_repository(first.spec.backend.storage_secret_name))
                          .backup(configuration("old", 1))
                          .backup(configuration("new", 2, "second"));
  const Json workload = scene.injected(plain());
  CHECK(volume_in(workload, "stash-secret-volume-2").is_null());
  CHECK(args_of(sidecar_in(workload), "--repository-secret-dir").empty());
}

TEST_CASE("what was added for several configurations goes with them", "[inject][several]") {
  const Scene both =
      Scene().repository(second_repository()).backup(configuration("old", 1)).backup(configuration("new", 2, "second"));
  const Json workload = both.injected(plain());
  CHECK(both.inject(workload).patch.empty());
  const Json one = Scene().repository(second_repository()).backup(configuration("old", 1)).injected(workload);
  CHECK(volume_in(one, "stash-secret-volume-2").is_null());
  CHECK(volume_in(one, "stash-local-2").is_null());
  CHECK(args_of(sidecar_in(one), "--backup-configuration") == Names{"old"});
  CHECK(Scene().injected(workload) == plain());
}

TEST_CASE("a configuration that mounts another volume at the same place is not served, the others are",
          "[inject][several]") {
  Json workload = plain();
  workload["spec"]["template"]["spec"]["volumes"].push_back({{"name", "more"}, {"emptyDir", Json::object()}});
  const Scene scene = Scene().backup(configuration("old", 1)).backup(configuration("new", 2).with([](auto& object) {
    object.spec.target->volume_mounts = {{"more", "/source/data/", ""}};
  }));
  const Injection injection = scene.inject(workload);
  CHECK(codes_of(injection.findings) == Names{"MountPathTaken"});
  CHECK(injection.findings[0].object == "BackupConfiguration demo/new");
  CHECK(args_of(sidecar_in(workload.patch(document(injection.patch))), "--backup-configuration") == Names{"old"});
}

TEST_CASE("a configuration whose Repository vanished keeps its place in a running sidecar", "[inject][several]") {
  Scene scene =
      Scene().repository(second_repository()).backup(configuration("old", 1)).backup(configuration("new", 2, "second"));
  const Json workload = scene.injected(plain());
  scene.no_repository().repository(a_repository());
  const Injection injection = scene.inject(workload);
  CHECK(injection.patch.empty());
  CHECK(codes_of(injection.findings) == Names{"RepositoryMissing"});
}

TEST_CASE("a configuration without its Repository does not keep another from being served", "[inject][several]") {
  const Scene scene = Scene().backup(configuration("old", 1, "missing")).backup(configuration("new", 2));
  CHECK(args_of(sidecar_in(scene.injected(plain())), "--backup-configuration") == Names{"new"});
}

TEST_CASE("the settings of the first configuration that has any hold for the sidecar, and the other learns it",
          "[inject][several]") {
  const auto limited = [](const char* cpu) {
    return
        [cpu](auto& object) { object.spec.runtime_settings.container = {{"resources", {{"limits", {{"cpu", cpu}}}}}}; };
  };
  const Scene scene = Scene()
                          .backup(configuration("plain", 1))
                          .backup(configuration("small", 2).with(limited("100m")))
                          .backup(configuration("large", 3).with(limited("2")));
  const Injection injection = scene.inject(plain());
  CHECK(sidecar_in(plain().patch(document(injection.patch)))["resources"]["limits"]["cpu"] == "100m");
  CHECK(injection.findings.empty());
  REQUIRE(codes_of(injection.remarks) == Names{"SharedSidecar"});
  CHECK(injection.remarks[0].object == "BackupConfiguration demo/large");
}

TEST_CASE("a repository in an emptyDir is injected with a remark", "[inject][several]") {
  const Scene scene =
      Scene().repository(a_repository().volume({{"emptyDir", Json::object()}})).backup(configuration("a", 1));
  CHECK(codes_of(scene.inject(plain()).remarks) == Names{"RepositoryNotDurable"});
  CHECK(sidecar_in(scene.injected(plain())).is_object());
}

TEST_CASE("what pods of several hosts do not share is told of their Repository", "[inject][several]") {
  using api::HostScheme;
  const auto backend = [](const RepositoryBuilder& repository) { return repository.build().spec.backend; };
  const api::Backend empty_dir = backend(a_repository().volume({{"emptyDir", Json::object()}}));
  CHECK(lost_with_pods("R", empty_dir, HostScheme::single) == "R is an emptyDir: the backups are lost with their pod");
  CHECK(lost_with_pods("R", empty_dir, HostScheme::ordinals) ==
        "R is an emptyDir: the backups are lost with their pod, and each pod has a repository of its own");
  const api::Backend host_path = backend(a_repository().host_path("/srv/backups"));
  CHECK(apart_on_nodes("R", host_path, HostScheme::nodes) ==
        "R is the hostPath /srv/backups: unless that is the same network mount on every node, each node has a "
        "repository of its own there; a persistentVolumeClaim with ReadWriteMany is one for all");
  // The API server cuts a warning after 256 characters.
  const std::string label = "stash: Repository production/" + std::string(20, 'r');
  CHECK(apart_on_nodes(label, backend(a_repository().host_path("/srv/stash/backups")), HostScheme::nodes).size() <=
        256);
  CHECK(apart_on_nodes("R", host_path, HostScheme::single).empty());
  for (const auto hosts : {HostScheme::single, HostScheme::ordinals, HostScheme::nodes}) {
    CHECK(apart_on_nodes("R", backend(a_repository().pvc("c")), hosts).empty());
    CHECK(lost_with_pods("R", host_path, hosts).empty());
  }
}

TEST_CASE("a configuration may not rename the pod to its sidecar", "[inject][several]") {
  for (const char* name : {"POD_NAME", "POD_UID", "POD_NAMESPACE", "NODE_NAME"}) {
    const Scene scene = Scene().backup(configuration("a", 1).with([&](auto& object) {
      object.spec.runtime_settings.container = {{"env", Json::array({{{"name", name}, {"value", "x"}}})}};
    }));
    CHECK(codes_of(scene.inject(plain()).findings) == Names{"Malformed"});
  }
}

TEST_CASE("a ReplicaSet that a Deployment owns is left alone, and who names it learns whom to name",
          "[inject][several]") {
  Json workload = plain();
  workload["metadata"]["ownerReferences"] = {{{"kind", "Deployment"}, {"name", "web"}, {"controller", true}}};
  const Json sidecar = {{"name", "stash"}, {"image", "stash:1"}, {"args", {"run-backup", "--backup-configuration=a"}}};
  workload["spec"]["template"]["spec"]["containers"].push_back(sidecar);
  api::BackupConfiguration names_it = configuration("a", 1);
  names_it.spec.target->ref.kind = "ReplicaSet";
  World world{.group = "apps", .kind = "ReplicaSet", .workload = &workload, .ns = "demo"};
  world.namespace_labels = {{"stash.appscode.com/injection", "enabled"}};
  world.configurations = {names_it};
  world.repository = [](const std::string&) { return nullptr; };
  const Injection injection = inject::inject(world, {.image = "stash:1"});
  CHECK(injection.patch.empty());
  REQUIRE(codes_of(injection.findings) == Names{"ManagedByOwner"});
  CHECK(injection.findings[0].message ==
        "ReplicaSet stash-demo belongs to Deployment web, which writes its pod template; name that one in "
        "spec.target.ref");
}

namespace {

/// On a claim that the controller did not find.
api::Repository second_on_missing_claim() {
  api::Repository repository = second_repository();
  repository.spec.backend.local->volume_source = {{"persistentVolumeClaim", {{"claimName", "gone"}}}};
  repository.status.conditions = {{"BackendClaimFound", "False", "BackendClaimNotAvailable", "", 1, {}}};
  return repository;
}

}  // namespace

TEST_CASE("a sidecar whose repository's claim is gone goes, for its pods could not be scheduled", "[inject][several]") {
  Scene scene = Scene().repository(second_repository()).backup(configuration("only", 1, "second"));
  const Json injected = scene.injected(plain());
  const auto injection = scene.repository(second_on_missing_claim()).inject(injected);
  CHECK(codes_of(injection.findings) == Names{"ClaimMissing"});
  CHECK(injected.patch(document(injection.patch)) == plain());
  CHECK(scene.inject(plain()).patch.empty());
}

TEST_CASE("a configuration whose claim is gone does not take the sidecar from the others", "[inject][several]") {
  Scene scene = Scene().backup(configuration("old", 1));
  const Json one = scene.injected(plain());
  scene.repository(second_repository()).backup(configuration("new", 2, "second"));
  const Json both = scene.injected(plain());
  CHECK(args_of(sidecar_in(both), "--backup-configuration") == Names{"old", "new"});
  CHECK(scene.repository(second_on_missing_claim()).injected(both) == one);
}

TEST_CASE("what was said about an older generation of the Repository does not count", "[inject][several]") {
  api::Repository repository = second_on_missing_claim();
  repository.metadata.generation = 2;
  CHECK(Scene().repository(repository).backup(configuration("only", 1, "second")).inject(plain()).has_sidecar);
}
