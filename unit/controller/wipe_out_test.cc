#include "controller/wipe_out.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "controller/repository_plan.h"
#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Texts = std::vector<std::string>;

constexpr const char* kFinalizer = "stash.appscode.com/wipe-out";
constexpr const char* kWayOut = "to delete the Repository and keep its data, set spec.wipeOut to false";

/// Long enough after the deletion for the Job to be made.
const TimePoint kSettled = kCreated + hours(1) + seconds(10);

RepositoryBuilder wiped() {
  return a_repository().gcs("bucket", "/x").with([](api::Repository& repository) { repository.spec.wipe_out = true; });
}
RepositoryBuilder going() { return wiped().being_deleted().finalizer(kFinalizer); }

RepositoryWorld a_world(const RepositoryBuilder& repository) {
  RepositoryWorld world{.repository = repository.json(), .secret = Presence::present, .now = kSettled};
  world.wipe_out.secret = Presence::present;
  world.wipe_out.awaiting_wipe_out = 1;
  world.wipe_out.wiped_at_once = 10;
  world.settings = some_settings();
  return world;
}

/// The Job as the API server would have it.
Json a_job(const RepositoryBuilder& repository, const char* ended = nullptr) {
  Json job = wipe_out_job(repository, repository.json(), some_settings(), JobResources().wipe_out);
  job["metadata"]["uid"] = "uid-job";
  if (ended) {
    job["status"]["conditions"] = {{{"type", ended},
                                    {"status", "True"},
                                    {"message", "Job has reached the specified backoff limit"},
                                    {"lastTransitionTime", format_time(kSettled)}}};
  }
  return job;
}

Json after(const RepositoryWorld& world) {
  Json repository = world.repository;
  carry_out(plan_repository(world), api::kRepositories, repository);
  return repository;
}

std::vector<Write::Verb> verbs_on(const Plan& plan, const api::Resource& resource) {
  std::vector<Write::Verb> verbs;
  for (const Write& write : plan.writes) {
    if (write.resource == resource) verbs.push_back(write.verb);
  }
  return verbs;
}

using Verbs = std::vector<Write::Verb>;

}  // namespace

TEST_CASE("the Job is told the API server's time, by which it judges locks", "[controller][wipe_out][F52][I12]") {
  const auto told = [](std::optional<TimePoint> time) {
    const Json job = wipe_out_job(going(), going().json(), some_settings(), JobResources().wipe_out, time);
    for (const Json& variable : job["spec"]["template"]["spec"]["containers"][0]["env"]) {
      if (variable["name"] == "STASH_SERVER_TIME") return string_at(variable, {"value"});
    }
    return std::string();
  };
  CHECK(told(kCreated) == format_time(kCreated));
  CHECK(told(std::nullopt).empty());
}

TEST_CASE("a Repository has the finalizer while wipeOut is true, and no longer", "[controller][wipe_out]") {
  RepositoryWorld world = a_world(wiped().finalizer("of-others"));
  CHECK(after(world)["metadata"]["finalizers"] == Json({"of-others", kFinalizer}));
  world.repository = after(world);
  CHECK(plan_repository(world).empty());
  world.repository["spec"]["wipeOut"] = false;
  CHECK(after(world)["metadata"]["finalizers"] == Json::array({"of-others"}));
}

TEST_CASE("no other Repository ever gets a finalizer", "[controller][wipe_out]") {
  const auto with_wipe_out = [](api::Repository& repository) { repository.spec.wipe_out = true; };
  for (const auto& repository : {a_repository(), a_repository().gcs("b", ""), a_repository().with(with_wipe_out),
                                 a_repository().gcs("", "").with(with_wipe_out)}) {
    CHECK_FALSE(after(a_world(repository))["metadata"].contains("finalizers"));
  }
}

TEST_CASE("the Job that removes the data needs no rights and passes every Pod Security level",
          "[controller][wipe_out]") {
  inject::Settings settings = some_settings();
  settings.image_pull_secrets = {"regcred"};
  const Json job = wipe_out_job(going(), going().json(), settings, JobResources().wipe_out);
  CHECK(job["metadata"]["name"] == "stash-wipe-out-repo");
  CHECK_FALSE(job["metadata"].contains("ownerReferences"));
  CHECK(job["spec"]["template"]["metadata"]["annotations"]["linkerd.io/inject"] == "disabled");
  const Json& pod = job["spec"]["template"]["spec"];
  CHECK(pod["automountServiceAccountToken"] == false);
  CHECK(pod["restartPolicy"] == "Never");
  CHECK(pod["nodeSelector"] == Json({{"kubernetes.io/os", "linux"}}));
  CHECK(pod["imagePullSecrets"] == Json::array({{{"name", "regcred"}}}));
  CHECK(pod["volumes"][0] == Json({{"name", "secret"}, {"secret", {{"secretName", "repo-secret"}}}}));
  const Json& container = pod["containers"][0];
  CHECK(container["image"] == "stash:test");
  CHECK(container["args"] == Json({"wipe-out", "--secret-dir=/etc/stash/repository/secret"}));
  CHECK(container["securityContext"]["runAsNonRoot"] == true);
  CHECK(container["securityContext"]["capabilities"]["drop"] == Json::array({"ALL"}));
  REQUIRE(container["env"][1]["name"] == "STASH_REPOSITORY");
  const auto repository = parse_json(container["env"][1]["value"].get<std::string>());
  REQUIRE(repository);
  CHECK((*repository)["spec"]["backend"]["gcs"]["bucket"] == "bucket");
  CHECK_FALSE(repository->contains("status"));
}

TEST_CASE("a deleted Repository with wipeOut waits for its Job, and goes when that has succeeded",
          "[controller][wipe_out]") {
  RepositoryWorld world = a_world(going());
  CHECK(verbs_on(plan_repository(world), api::kJobs) == Verbs{Write::Verb::create});
  CHECK(condition_of(after(world), "WipedOut") == "False WipingOut: a Job removes the data");
  world.repository = after(world);

  world.wipe_out.job = a_job(going());
  CHECK(verbs_on(plan_repository(world), api::kJobs).empty());
  CHECK(condition_of(after(world), "WipedOut") == "False WipingOut: Job demo/stash-wipe-out-repo removes the data");
  CHECK(plan_repository(world).look_again_in == seconds(5));

  world.wipe_out.job = a_job(going(), "Complete");
  world.wipe_out.report = "3 snapshots and all their data were removed";
  const Plan plan = plan_repository(world);
  CHECK(verbs_on(plan, api::kJobs) == Verbs{Write::Verb::remove});
  CHECK(after(world)["metadata"]["finalizers"] == Json::array());
  CHECK(events_of(plan) == Texts{"WipeOutSucceeded: 3 snapshots and all their data were removed"});
}

TEST_CASE("a Job that failed leaves the Repository there with the reason and the way out, and is tried again",
          "[controller][wipe_out]") {
  RepositoryWorld world = a_world(going());
  world.wipe_out.job = a_job(going(), "Failed");
  world.wipe_out.report = "the password is wrong";
  const std::string message =
      std::string("the data was not removed: the password is wrong; it is tried again; ") + kWayOut;
  CHECK(condition_of(after(world), "WipedOut") == "False WipeOutFailed: " + message);
  CHECK(events_of(plan_repository(world)) == Texts{"WipeOutFailed: " + message});
  CHECK(after(world)["metadata"]["finalizers"] == Json::array({kFinalizer}));
  world.now += minutes(10);
  CHECK(verbs_on(plan_repository(world), api::kJobs) == Verbs{Write::Verb::remove});
  CHECK(after(world)["metadata"]["finalizers"] == Json::array({kFinalizer}));
}

TEST_CASE("a wipe-out that the kernel ended for lack of memory names the limit to raise",
          "[controller][wipe_out][F6][I8]") {
  const auto ended = [](const Json& terminated) {
    return last_words(
        {{"status", {{"containerStatuses", {{{"name", "stash"}, {"state", {{"terminated", terminated}}}}}}}}});
  };
  CHECK_THAT(ended({{"exitCode", 137}, {"reason", "OOMKilled"}}), Catch::Contains("wipeOut.resources.limits.memory"));
  // Our program outlived restic, and knows more.
  CHECK(ended({{"exitCode", 1}, {"reason", "OOMKilled"}, {"message", "the password is wrong"}}) ==
        "the password is wrong");
  CHECK(ended({{"exitCode", 1}, {"reason", "Error"}}).empty());
  CHECK(last_words(Json()).empty());
}

TEST_CASE("the Job that removes the data takes what the chart says", "[controller][wipe_out]") {
  RepositoryWorld world = a_world(going());
  world.wipe_out.resources = {{"limits", {{"memory", "4Gi"}}}};
  const Plan plan = plan_repository(world);
  const auto job = std::ranges::find(plan.writes, api::kJobs, &Write::resource);
  REQUIRE(job != plan.writes.end());
  CHECK(job->body["spec"]["template"]["spec"]["containers"][0]["resources"] == world.wipe_out.resources);
}

TEST_CASE("nothing is removed while something backs up there or restores from it", "[controller][wipe_out]") {
  RepositoryWorld world = a_world(going());
  world.wipe_out.users = {"BackupConfiguration demo/app-backup"};
  CHECK(verbs_on(plan_repository(world), api::kJobs).empty());
  CHECK(condition_of(after(world), "WipedOut") ==
        "False InUse: BackupConfiguration demo/app-backup still uses this Repository; delete that first, or " +
            std::string(kWayOut));
}

TEST_CASE("nothing is removed where another Repository keeps its snapshots in the same place",
          "[controller][wipe_out][I14]") {
  RepositoryWorld world = a_world(going());
  const auto here = api::decode<api::Repository>(world.repository).value();
  auto other = here;
  other.metadata.name = "renamed";
  other.metadata.uid = "another";
  other.metadata.being_deleted = false;
  SECTION("which would lose them") {
    world.in_namespace = {here, other};
    CHECK(verbs_on(plan_repository(world), api::kJobs).empty());
    CHECK(condition_of(after(world), "WipedOut") ==
          "False InUse: Repository renamed keeps its snapshots in the same place and would lose them; delete that, "
          "too, or " +
              std::string(kWayOut));
  }
  SECTION("unless that is being deleted, too, or is in another namespace") {
    auto elsewhere = other;
    other.metadata.being_deleted = true;
    elsewhere.metadata.ns = "elsewhere";
    world.in_namespace = {here, other, elsewhere};
    CHECK(verbs_on(plan_repository(world), api::kJobs) == Verbs{Write::Verb::create});
  }
}

TEST_CASE("setting wipeOut to false lets a Repository go and keeps its data", "[controller][wipe_out]") {
  RepositoryWorld world = a_world(going());
  world.repository["spec"]["wipeOut"] = false;
  world.wipe_out.job = a_job(going(), "Failed");
  CHECK(verbs_on(plan_repository(world), api::kJobs) == Verbs{Write::Verb::remove});
  CHECK(after(world)["metadata"]["finalizers"] == Json::array());
}

TEST_CASE("a namespace that is being deleted is not held up", "[controller][wipe_out][F23][I11]") {
  RepositoryWorld world = a_world(going());
  world.wipe_out.namespace_is_going = true;
  CHECK(verbs_on(plan_repository(world), api::kJobs).empty());
  CHECK(after(world)["metadata"]["finalizers"] == Json::array());
  CHECK(events_of(plan_repository(world)) ==
        Texts{"WipeOutGivenUp: the whole namespace is being deleted, in which nothing can be run any more: the data is "
              "kept"});
}

TEST_CASE("what keeps the Job from being made or from running is said", "[controller][wipe_out]") {
  RepositoryWorld world = a_world(going());
  world.wipe_out.secret = Presence::absent;
  CHECK(condition_of(after(world), "WipedOut") ==
        "False BackendSecretNotAvailable: without Secret demo/repo-secret the data cannot be removed; bring it back, "
        "or, " +
            std::string(kWayOut));
  world.wipe_out.secret = Presence::present;
  world.wipe_out.refused = "exceeded quota";
  CHECK(condition_of(after(world), "WipedOut").find("cannot be made: exceeded quota") != std::string::npos);
  world.wipe_out.refused = "";
  world.wipe_out.job = a_job(going());
  world.wipe_out.trouble = "container stash: ImagePullBackOff";
  CHECK(condition_of(after(world), "WipedOut").find("container stash: ImagePullBackOff") != std::string::npos);
}

TEST_CASE("a Job of a Repository that had this name before, or of somebody else, is not taken for ours",
          "[controller][wipe_out]") {
  RepositoryWorld world = a_world(going());
  world.wipe_out.job = a_job(going().uid("uid-of-the-old-one"), "Failed");
  CHECK(verbs_on(plan_repository(world), api::kJobs) == Verbs{Write::Verb::remove});
  world.wipe_out.job = {{"metadata", {{"name", "stash-wipe-out-repo"}, {"namespace", "demo"}, {"uid", "u"}}}};
  CHECK(verbs_on(plan_repository(world), api::kJobs).empty());
  CHECK(condition_of(after(world), "WipedOut").starts_with("False NameTaken"));
}

TEST_CASE("what the Job of another Repository came to is not taken for this one's end, and no other Job is removed",
          "[controller][wipe_out][F22][I11]") {
  RepositoryWorld world = a_world(going());
  world.wipe_out.job = a_job(going().uid("uid-of-the-old-one"), "Complete");
  CHECK(after(world)["metadata"]["finalizers"] == Json::array({kFinalizer}));
  world.wipe_out.job = {{"metadata", {{"name", "stash-wipe-out-repo"}, {"namespace", "demo"}, {"uid", "u"}}}};
  world.repository["spec"]["wipeOut"] = false;
  CHECK(verbs_on(plan_repository(world), api::kJobs).empty());
  CHECK(after(world)["metadata"]["finalizers"] == Json::array());
}

TEST_CASE("a Repository that older Stash was to wipe is wiped", "[controller][wipe_out]") {
  const RepositoryWorld world = a_world(wiped().being_deleted().finalizer("stash"));
  CHECK(verbs_on(plan_repository(world), api::kJobs) == Verbs{Write::Verb::create});
}

TEST_CASE("a local Repository that got around admission is released with a word", "[controller][wipe_out]") {
  const auto local = a_repository().being_deleted().finalizer("stash").with(
      [](api::Repository& repository) { repository.spec.wipe_out = true; });
  CHECK(after(a_world(local))["metadata"]["finalizers"] == Json::array());
  CHECK(events_of(plan_repository(a_world(local))) ==
        Texts{"WipeOutGivenUp: the data of this backend is not removed by Stash: it is kept"});
}

TEST_CASE("while a Repository is being wiped, a second look writes nothing", "[controller][wipe_out]") {
  RepositoryWorld world = a_world(going());
  world.wipe_out.job = a_job(going());
  world.repository = after(world);
  CHECK(plan_repository(world).empty());
  world.wipe_out.job = a_job(going(), "Failed");
  world.repository = after(world);
  CHECK(plan_repository(world).empty());
}
