#include "controller/repository_plan.h"

#include <catch2/catch.hpp>

#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Texts = std::vector<std::string>;

RepositoryWorld a_world(const RepositoryBuilder& repository = a_repository()) {
  return {.repository = repository.json(), .secret = Presence::present, .settings = some_settings(), .now = kCreated};
}

Json after(const RepositoryWorld& world) {
  Json repository = world.repository;
  carry_out(plan_repository(world), api::kRepositories, repository);
  return repository;
}

}  // namespace

TEST_CASE("a Repository whose Secret exists is Ready", "[controller][repository]") {
  CHECK(condition_of(after(a_world()), "BackendSecretFound") ==
        "True BackendSecretAvailable: Secret demo/repo-secret exists");
  CHECK(condition_of(after(a_world()), "Ready").starts_with("True"));
}

TEST_CASE("a missing Secret is named and looked for again, ever more slowly", "[controller][repository]") {
  RepositoryWorld world = a_world();
  world.secret = Presence::absent;
  const std::string message = "Secret demo/repo-secret does not exist; create it with the key RESTIC_PASSWORD";
  CHECK(condition_of(after(world), "BackendSecretFound") == "False BackendSecretNotAvailable: " + message);
  CHECK(events_of(plan_repository(world)) == Texts{"BackendSecretNotAvailable: " + message});
  std::vector<seconds> waits;
  for (world.misses = 1; world.misses <= 6; ++world.misses) waits.push_back(*plan_repository(world).look_again_in);
  CHECK(waits == std::vector<seconds>{seconds(5), seconds(10), seconds(20), seconds(40), seconds(60), seconds(60)});
}

TEST_CASE("a missing claim is named and looked for again, and one that is there is said to be",
          "[controller][repository]") {
  RepositoryWorld world = a_world(a_repository().pvc("backups"));
  world.claim = Presence::absent;
  world.misses = 1;
  const std::string message =
      "PersistentVolumeClaim demo/backups does not exist; create it, or correct "
      "spec.backend.local.persistentVolumeClaim.claimName";
  CHECK(condition_of(after(world), "BackendClaimFound") == "False BackendClaimNotAvailable: " + message);
  CHECK(condition_of(after(world), "Ready") == "False BackendClaimNotAvailable: " + message);
  CHECK(events_of(plan_repository(world)) == Texts{"BackendClaimNotAvailable: " + message});
  CHECK(plan_repository(world).look_again_in == seconds(5));
  world.claim = Presence::present;
  CHECK(condition_of(after(world), "BackendClaimFound") ==
        "True BackendClaimAvailable: PersistentVolumeClaim demo/backups exists");
  CHECK(condition_of(after(world), "Ready").starts_with("True"));
  CHECK(plan_repository(world).look_again_in == minutes(5));
}

TEST_CASE("a Repository that leaves its claim misses none", "[controller][repository]") {
  RepositoryWorld world = a_world(a_repository().pvc("backups"));
  world.claim = Presence::absent;
  const Json status = after(world)["status"];
  world = a_world();
  world.repository["status"] = status;
  CHECK(condition_of(after(world), "BackendClaimFound") == "True NoClaimNeeded: the backend is on no claim");
  CHECK(condition_of(after(a_world()), "BackendClaimFound").empty());
}

TEST_CASE("a backend in the cloud is Ready as a local one is", "[controller][repository]") {
  CHECK(condition_of(after(a_world(a_repository().gcs("bucket", "/x"))), "Ready").starts_with("True"));
}

TEST_CASE("a backend that no restic can use is named by its field before a backup runs", "[controller][repository]") {
  const RepositoryWorld world = a_world(a_repository().gcs("", "/x"));
  const std::string message = "/spec/backend/gcs/bucket is missing; set the name of the bucket";
  CHECK(condition_of(after(world), "Ready") == "False Invalid: " + message);
  CHECK(events_of(plan_repository(world)) == Texts{"Invalid: " + message});
}

TEST_CASE("a volume that no sidecar mounts makes a local Repository not Ready", "[controller][repository]") {
  const auto ready = [](Json source) {
    return condition_of(after(a_world(a_repository().volume(std::move(source)))), "Ready");
  };
  const std::string known =
      ": this version mounts only hostPath, persistentVolumeClaim, nfs and emptyDir; others come with a later one";
  CHECK(ready({{"awsElasticBlockStore", {{"volumeID", "vol-1"}, {"fsType", "ext4"}}}}) ==
        "False BackendUnsupported: spec.backend.local.awsElasticBlockStore" + known);
  CHECK(ready(Json::object()) == "False Invalid: spec.backend.local needs exactly one volume source beside mountPath");
  CHECK(ready({{"nfs", {{"server", "nfs.demo.svc"}, {"path", "/"}}}}).starts_with("True"));
}

TEST_CASE("a hostPath that the administrator does not allow is not Ready, also when it was once",
          "[controller][repository]") {
  RepositoryWorld world = a_world();
  world.repository = after(world);
  world.settings.allowed_host_paths = {"/data/other"};
  const std::string message =
      "spec.backend.local.hostPath /data/repo is at or below no path of the node that the administrator allows; let "
      "him add it to the chart value hostPath.allowed, or use another volume, such as a persistentVolumeClaim";
  CHECK(condition_of(after(world), "Ready") == "False HostPathNotAllowed: " + message);
  CHECK(events_of(plan_repository(world)) == Texts{"HostPathNotAllowed: " + message});
}

TEST_CASE("a further backend is said to be ignored", "[controller][repository]") {
  const auto two = a_repository().with(
      [](api::Repository& repository) { repository.spec.backend.rest = api::RestBackend{"https://host/"}; });
  CHECK(condition_of(after(a_world(two)), "Ready")
            .ends_with("; /spec/backend/rest is ignored, for local comes before it; remove one of the two"));
}

TEST_CASE("the figures that sidecars write into a Repository's status are not touched", "[controller][repository]") {
  RepositoryWorld world = a_world();
  world.repository["status"] = {{"snapshotCount", 3}, {"integrity", true}, {"mystery", "kept"}};
  const Plan plan = plan_repository(world);
  REQUIRE(plan.writes.size() == 1);
  const Json& status = plan.writes[0].body["status"];
  CHECK(status.size() == 2);
  CHECK(status.contains("conditions"));
  CHECK(status.contains("observedGeneration"));
}

TEST_CASE("a new generation renews the conditions, for readers trust no older ones", "[controller][repository]") {
  RepositoryWorld world = a_world();
  world.repository = after(world);
  world.repository["metadata"]["generation"] = 2;
  const Json repository = after(world);
  CHECK(repository["status"]["conditions"][0]["observedGeneration"] == 2);
}

TEST_CASE("a deleted Repository of older Stash is released, and its data kept", "[controller][repository]") {
  const Plan plan = plan_repository(a_world(a_repository().being_deleted().finalizer("stash")));
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].body["metadata"]["finalizers"] == Json::array());
  CHECK(plan.notes.empty());
}

TEST_CASE("the plan after a Repository's plan writes nothing", "[controller][repository]") {
  for (const Presence secret : {Presence::present, Presence::absent, Presence::unknown}) {
    for (const auto& repository :
         {a_repository(), a_repository().gcs("b", ""), a_repository().secret(""), a_repository().pvc("c")}) {
      RepositoryWorld world = a_world(repository);
      world.secret = secret;
      world.repository = after(world);
      world.now += hours(1);
      CHECK(plan_repository(world).empty());
    }
  }
}

TEST_CASE("a deleted Repository that cannot be read is let go, unless it asks for its data to be removed",
          "[controller][repository][F84][I6][I11]") {
  RepositoryWorld world = a_world(a_repository().being_deleted().finalizer("stash").finalizer("stash.appscode.com"));
  world.repository["spec"]["backend"] = 5;
  const Plan plan = plan_repository(world);
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].body["metadata"]["finalizers"] == Json::array());
  world.repository["spec"]["wipeOut"] = true;
  CHECK(after(world)["metadata"]["finalizers"] == world.repository["metadata"]["finalizers"]);
  CHECK(condition_of(after(world), "Ready").starts_with("False Invalid"));
}
