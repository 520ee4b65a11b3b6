#include "controller/withdrawal.h"

#include <catch2/catch.hpp>

#include "inject/withdrawal.h"
#include "unit/controller/worlds.h"
#include "unit/inject/scene.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

const PodTrouble kTrouble{inject::Reason::pods_refused, "must specify limits.cpu for: stash"};

/// One BackupConfiguration over time.
struct Story {
  api::BackupConfiguration configuration = a_backup_configuration();
  RolloutFacts rollout{.injected = true, .settings = "now"};
  std::int64_t repository_generation = 1;
  TimePoint now = kCreated;

  const std::optional<api::Withdrawal>& look() {
    configuration.status.withdrawal = plan_withdrawal({.configuration = configuration,
                                                       .repository_generation = repository_generation,
                                                       .workload = "Deployment demo/web",
                                                       .rollout = rollout,
                                                       .now = now});
    return configuration.status.withdrawal;
  }
  /// In trouble, and taken out.
  Story& withdrawn() {
    rollout.injected = true;
    rollout.trouble = kTrouble;
    look();
    rollout.injected = false;
    rollout.trouble.reset();
    return *this;
  }
};

}  // namespace

TEST_CASE("pods that do without trouble are no reason to withdraw", "[controller][withdrawal]") {
  Story story;
  CHECK_FALSE(story.look());
  story.rollout.settled = true;
  CHECK_FALSE(story.look());
}

TEST_CASE("in trouble the sidecar goes, with the sentence, the remedy and the time of the next try",
          "[controller][withdrawal]") {
  Story story;
  story.rollout.trouble = kTrouble;
  CHECK(story.look() ==
        api::Withdrawal{"Withdrawn", "PodsRefused",
                        "pods of Deployment demo/web are refused with the sidecar, so it goes without: must specify "
                        "limits.cpu for: stash; set spec.runtimeSettings.container to what the namespace allows, or "
                        "change its quota, limits or policy",
                        1, 1, "now", 1, kCreated, kCreated + minutes(10)});
}

TEST_CASE("while the workload has yet to follow, the verdict stays as it is", "[controller][withdrawal]") {
  Story story;
  story.rollout.trouble = kTrouble;
  const auto first = story.look();
  story.now += seconds(20);
  CHECK(story.look() == first);
  story.rollout.settled = true;  // the old pods, under the eyes of an old copy
  CHECK(story.look() == first);
}

TEST_CASE("it is tried again after 10 minutes, then 20, up to 6 hours", "[controller][withdrawal][F50][I4]") {
  Story story;
  std::vector<minutes> waits;
  for (int i = 0; i < 8; ++i) {
    story.withdrawn();
    const auto withdrawal = story.look();
    waits.push_back(std::chrono::duration_cast<minutes>(*withdrawal->retry_at - story.now));
    story.now = *withdrawal->retry_at - seconds(1);
    CHECK(story.look()->phase == "Withdrawn");
    story.now += seconds(1);
    CHECK(story.look()->phase == "Retrying");
  }
  CHECK(waits == std::vector<minutes>{minutes(10), minutes(20), minutes(40), minutes(80), minutes(160), minutes(320),
                                      minutes(360), minutes(360)});
}

TEST_CASE("once all pods run with it everything is forgotten", "[controller][withdrawal]") {
  Story story;
  story.withdrawn();
  story.now += minutes(10);
  story.look();
  story.rollout.injected = true;
  CHECK(story.look()->phase == "Retrying");
  story.rollout.settled = true;
  CHECK_FALSE(story.look());
}

TEST_CASE("a workload that is refused without the sidecar too waits on, and says so", "[controller][withdrawal]") {
  Story story;
  story.withdrawn();
  story.now += minutes(10);
  story.rollout.refused_without = "exceeded quota";
  const auto withdrawal = story.look();
  CHECK(withdrawal->phase == "Withdrawn");
  CHECK(withdrawal->attempts == 2);
  CHECK(withdrawal->retry_at == story.now + minutes(20));
  CHECK(
      withdrawal->message ==
      "pods of Deployment demo/web are refused without the sidecar too, so it is not tried again yet: exceeded quota");
}

TEST_CASE("a changed BackupConfiguration or Repository gets a fresh start", "[controller][withdrawal]") {
  Story story;
  story.withdrawn();
  SECTION("configuration") { story.configuration.metadata.generation = 2; }
  SECTION("Repository") { story.repository_generation = 2; }
  CHECK_FALSE(story.look());
}

TEST_CASE("a Repository that is not known for a moment changes nothing", "[controller][withdrawal]") {
  Story story;
  story.withdrawn();
  story.repository_generation = 0;
  CHECK(story.look());
}

TEST_CASE("what failed gives way to newer settings at once, and these have a try of their own",
          "[controller][withdrawal]") {
  Story story;
  story.rollout.trouble = kTrouble;
  story.rollout.outdated = true;
  CHECK(story.look()->settings == "older");
  const auto first = story.look();
  CHECK(story.look() == first);
  story.rollout.outdated = false;  // renewed
  story.rollout.trouble.reset();
  CHECK(story.look() == first);
  story.rollout.trouble = kTrouble;
  CHECK(story.look()->attempts == 2);
  CHECK(story.look()->settings == "now");
}

TEST_CASE("where the change that would come is refused, what fails goes for good and not for that change",
          "[controller][withdrawal][F66][I1]") {
  api::BackupConfiguration configuration = a_backup_configuration();
  RolloutFacts rollout{.injected = true, .settings = "now"};
  rollout.trouble = kTrouble;
  rollout.outdated = true;
  const auto verdict = plan_withdrawal({.configuration = configuration,
                                        .repository_generation = 1,
                                        .workload = "Deployment demo/web",
                                        .rollout = rollout,
                                        .refused = RefusedChange{"denied", kCreated},
                                        .now = kCreated});
  REQUIRE(verdict);
  CHECK(verdict->phase == "Withdrawn");
  CHECK(verdict->settings == "now");
}

TEST_CASE("a long sentence is cut between two characters", "[controller][withdrawal]") {
  Story story;
  std::string sentence = "x";
  while (sentence.size() < 5000) sentence += "\xc3\xa9";
  story.rollout.trouble = PodTrouble{inject::Reason::pods_refused, sentence};
  const std::string message = story.look()->message;
  CHECK(message.size() < 1000);
  CHECK(parse_json(dump_json(message)).value() == message);
}

TEST_CASE("only a rollout under way is looked at again and again", "[controller][withdrawal]") {
  const RolloutFacts going{.injected = true};
  CHECK(look_at_rollout_in({}, going, kCreated, kCreated) == seconds(15));
  CHECK(look_at_rollout_in({}, going, kCreated, kCreated + minutes(10)) == seconds(60));
  CHECK_FALSE(look_at_rollout_in({}, {.injected = true, .settled = true}, kCreated, kCreated));
  CHECK_FALSE(look_at_rollout_in({}, {}, kCreated, kCreated));
  Story story;
  story.withdrawn();
  CHECK(look_at_rollout_in(story.look(), story.rollout, kCreated, kCreated + minutes(4)) == minutes(6));
}

// What the injector makes of it.

namespace {

api::BackupConfiguration a_withdrawn_configuration(const std::string& settings,
                                                   const std::string& phase = "Withdrawn") {
  return a_backup_configuration().with([&](api::BackupConfiguration& configuration) {
    configuration.status.withdrawal =
        api::Withdrawal{phase, "ImagePullFailed", "no image", 1, 1, settings, 1, kCreated, kCreated + minutes(10)};
  });
}

inject::Settings settings_of(const std::string& image) {
  inject::Settings settings;
  settings.image = image;
  settings.pushgateway_url = "http://stash-operator.stash.svc:56789";
  return settings;
}

}  // namespace

TEST_CASE("a withdrawn sidecar is taken out, is not put back, and the finding says when it will be",
          "[controller][withdrawal]") {
  const Json injected = Scene().backup(a_backup_configuration()).injected(a_workload());
  const Scene scene = Scene().backup(a_withdrawn_configuration(fingerprint(settings_of("stash:1"))));
  const auto injection = scene.inject(injected, &injected);
  CHECK(injected.patch(document(injection.patch)) == a_workload().json());
  CHECK(injection.findings ==
        std::vector{inject::Finding{inject::Reason::image_pull_failed, "BackupConfiguration demo/app-backup",
                                    "no image; it is tried again at 2023-11-14T22:23:20Z, or when the "
                                    "BackupConfiguration, its Repository or the chart's settings change"}});
  CHECK(scene.inject(a_workload()).patch.empty());
}

TEST_CASE("a verdict about another generation, or while it is tried again, holds nothing back",
          "[controller][withdrawal]") {
  const std::string settings = fingerprint(settings_of("stash:1"));
  CHECK(Scene().backup(a_withdrawn_configuration(settings, "Retrying")).inject(a_workload()).has_sidecar);
  api::BackupConfiguration changed = a_withdrawn_configuration(settings);
  changed.metadata.generation = 2;
  CHECK(Scene().backup(changed).inject(a_workload()).has_sidecar);
  api::Repository repository = a_repository();
  repository.metadata.generation = 2;
  CHECK(Scene().repository(repository).backup(a_withdrawn_configuration(settings)).inject(a_workload()).has_sidecar);
}

TEST_CASE("a verdict about other settings brings the new ones at once", "[controller][withdrawal]") {
  const Json live = as_stored(Scene().backup(a_backup_configuration()).injected(a_workload()));
  Scene scene = Scene().image("stash:2").backup(a_withdrawn_configuration("older"));
  const Json renewed = scene.injected(live, &live);
  CHECK(sidecar_in(renewed)["image"] == "stash:2");
  CHECK(scene.inject(renewed, &renewed).patch.empty());
}
