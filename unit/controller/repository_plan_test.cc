#include "controller/repository_plan.h"

#include <catch2/catch.hpp>

#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Texts = std::vector<std::string>;

RepositoryWorld a_world(const RepositoryBuilder& repository = a_repository()) {
  return {.repository = repository.json(), .secret = Presence::present, .now = kCreated};
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

TEST_CASE("a backend in the cloud is Ready as a local one is", "[controller][repository]") {
  CHECK(condition_of(after(a_world(a_repository().gcs("bucket", "/x"))), "Ready").starts_with("True"));
}

TEST_CASE("a backend that no restic can use is named by its field before a backup runs", "[controller][repository]") {
  const RepositoryWorld world = a_world(a_repository().gcs("", "/x"));
  const std::string message = "/spec/backend/gcs/bucket is missing; set the name of the bucket";
  CHECK(condition_of(after(world), "Ready") == "False Invalid: " + message);
  CHECK(events_of(plan_repository(world)) == Texts{"Invalid: " + message});
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
    for (const auto& repository : {a_repository(), a_repository().gcs("b", ""), a_repository().secret("")}) {
      RepositoryWorld world = a_world(repository);
      world.secret = secret;
      world.repository = after(world);
      world.now += hours(1);
      CHECK(plan_repository(world).empty());
    }
  }
}
