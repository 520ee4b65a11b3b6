#include "controller/mass_deletion.h"

#include <catch2/catch.hpp>

#include "controller/repository_plan.h"
#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

constexpr const char* kConfirm = "stash.appscode.com/confirm-wipe-out";
constexpr std::size_t kLimit = 10;
const TimePoint kDeleted = kCreated + hours(1);
const TimePoint kLater = kDeleted + seconds(10);

RepositoryBuilder deleted_with_data() {
  return a_repository()
      .gcs("bucket", "/x")
      .uid("uid-repo")
      .being_deleted()
      .finalizer("stash.appscode.com/wipe-out")
      .with([](api::Repository& repository) { repository.spec.wipe_out = true; });
}

RepositoryBuilder with_reason(const char* reason, const char* message = "as told then") {
  return deleted_with_data().with([=](api::Repository& repository) {
    repository.status.conditions = {{"WipedOut", "False", reason, message, 1, kDeleted}};
  });
}

/// All is there for the Job to be made, but for the others that await the same.
RepositoryWorld a_world_of(const RepositoryBuilder& repository, std::size_t awaiting, TimePoint now = kLater) {
  RepositoryWorld world{.repository = repository.json(), .secret = Presence::present, .now = now};
  world.wipe_out.secret = Presence::present;
  world.wipe_out.awaiting_wipe_out = awaiting;
  world.wipe_out.wiped_at_once = kLimit;
  world.settings = some_settings();
  return world;
}

bool wipes(const RepositoryWorld& world) { return begins_wipe_out(plan_repository(world)); }

}  // namespace

TEST_CASE("of ten Repositories that are deleted at once each is wiped, of eleven none",
          "[controller][mass_deletion][F82][I11]") {
  CHECK(wipes(a_world_of(deleted_with_data(), 10)));
  CHECK_FALSE(wipes(a_world_of(deleted_with_data(), 11)));
}

TEST_CASE("one of too many says how many, and what to type for either end", "[controller][mass_deletion][F82][I11]") {
  RepositoryWorld world = a_world_of(deleted_with_data(), 11);
  const std::string message =
      "11 Repositories with wipeOut are being deleted at once, which may be a mistake, so the data of none of them is "
      "removed before somebody confirms it; to remove its data: kubectl annotate repository repo -n demo --overwrite "
      "stash.appscode.com/confirm-wipe-out=uid-repo; to delete it and keep its data: kubectl patch repository repo -n "
      "demo --type=merge -p '{\"spec\":{\"wipeOut\":false}}'";
  const Plan plan = plan_repository(world);
  CHECK(events_of(plan) == std::vector<std::string>{"MassDeletion: " + message});
  CHECK(plan.look_again_in == minutes(10));
  carry_out(plan, api::kRepositories, world.repository);
  CHECK(condition_of(world.repository, "WipedOut") == "False MassDeletion: " + message);
  CHECK(world.repository["metadata"]["finalizers"] == Json::array({"stash.appscode.com/wipe-out"}));
  CHECK(plan_repository(world).empty());
}

TEST_CASE("one that was held stays held when it is the last, and its status is not written again",
          "[controller][mass_deletion][F82][I11]") {
  for (const std::size_t awaiting : {0, 1, 12}) {
    RepositoryWorld world = a_world_of(with_reason("MassDeletion"), awaiting);
    CHECK(plan_repository(world).empty());
    world.wipe_out.wiped_at_once = 0;
    CHECK(plan_repository(world).empty());
  }
}

TEST_CASE("nothing is wiped in the first ten seconds after a deletion, by the API server's clock",
          "[controller][mass_deletion][F82][F52][I11]") {
  RepositoryWorld world = a_world_of(deleted_with_data(), 1, kDeleted + std::chrono::milliseconds(2'400));
  CHECK(plan_repository(world).empty());
  CHECK(plan_repository(world).look_again_in == seconds(8));
  world.now = kLater + hours(5);
  world.wipe_out.server_time = kDeleted + seconds(9);
  CHECK(plan_repository(world).look_again_in == seconds(1));
  CHECK_FALSE(wipes(world));
  world.now = kCreated;
  world.wipe_out.server_time = kLater;
  CHECK(wipes(world));
}

TEST_CASE("its UID as the annotation confirms one Repository, and no other word does",
          "[controller][mass_deletion][F82][I11]") {
  const auto confirmed = [](const char* word) { return with_reason("MassDeletion").annotation(kConfirm, word); };
  CHECK(wipes(a_world_of(confirmed("uid-repo"), 11)));
  for (const char* word : {"", "true", "uid-of-the-one-before"}) CHECK_FALSE(wipes(a_world_of(confirmed(word), 11)));
  CHECK_FALSE(wipes(a_world_of(confirmed("").uid(""), 11)));
}

TEST_CASE("a held Repository goes without its data when wipeOut is set to false, or its namespace is deleted",
          "[controller][mass_deletion][F82][F23][I11]") {
  RepositoryWorld kept = a_world_of(with_reason("MassDeletion"), 11);
  kept.repository["spec"]["wipeOut"] = false;
  RepositoryWorld going = a_world_of(with_reason("MassDeletion"), 11);
  going.wipe_out.namespace_is_going = true;
  for (RepositoryWorld world : {kept, going}) {
    CHECK_FALSE(wipes(world));
    carry_out(plan_repository(world), api::kRepositories, world.repository);
    CHECK(world.repository["metadata"]["finalizers"] == Json::array());
  }
}

TEST_CASE("what has begun goes on while others are held", "[controller][mass_deletion][F82][I11]") {
  for (const char* reason : {"WipingOut", "WipeOutFailed"}) CHECK(wipes(a_world_of(with_reason(reason), 11)));
  RepositoryWorld world = a_world_of(deleted_with_data(), 11);
  world.wipe_out.job = wipe_out_job(deleted_with_data(), world.repository, world.settings, JobResources().wipe_out);
  carry_out(plan_repository(world), api::kRepositories, world.repository);
  CHECK(condition_of(world.repository, "WipedOut").starts_with("False WipingOut"));
}

TEST_CASE("without a limit the Job is made at once", "[controller][mass_deletion]") {
  RepositoryWorld world = a_world_of(deleted_with_data(), 1000, kDeleted);
  world.wipe_out.wiped_at_once = 0;
  CHECK(wipes(world));
}

TEST_CASE("counted are those that are deleted with their data and have neither begun nor been confirmed",
          "[controller][mass_deletion][F82][I11]") {
  CHECK(awaits_wipe_out(deleted_with_data().json()));
  CHECK(awaits_wipe_out(with_reason("MassDeletion").json()));
  CHECK(awaits_wipe_out(with_reason("InUse").json()));
  CHECK_FALSE(awaits_wipe_out(with_reason("WipingOut").json()));
  CHECK_FALSE(awaits_wipe_out(with_reason("MassDeletion").annotation(kConfirm, "uid-repo").json()));
  Json repository = deleted_with_data().json();
  repository["spec"]["wipeOut"] = false;
  CHECK_FALSE(awaits_wipe_out(repository));
  repository = deleted_with_data().json();
  repository["metadata"].erase("deletionTimestamp");
  CHECK_FALSE(awaits_wipe_out(repository));
  repository = deleted_with_data().json();
  repository["metadata"].erase("finalizers");
  CHECK_FALSE(awaits_wipe_out(repository));
}
