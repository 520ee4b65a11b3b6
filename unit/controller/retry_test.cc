#include "controller/retry.h"

#include <catch2/catch.hpp>

#include "inject/configuration_rules.h"
#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;
using Texts = std::vector<std::string>;

BackupConfigurationBuilder repeating(int times, std::string delay = "5m") {
  return a_backup_configuration().with([&](api::BackupConfiguration& configuration) {
    configuration.spec.retry_config = api::RetryConfig{times, std::move(delay)};
  });
}

BackupSessionBuilder failing(const std::string& name = "app-backup-1700000000") {
  return a_backup_session(name).phase("Running").total_hosts(1).host(failed("host-0", "wrong password"));
}

/// Looks at the session and lets the store have what follows; returns the plan.
Plan step(SessionWorld& world, seconds age) {
  world.now = kCreated + age;
  const Plan plan = plan_session(world);
  carry_out(plan, api::kBackupSessions, world.session);
  return plan;
}

std::vector<Json> made_by(const Plan& plan) {
  std::vector<Json> objects;
  for (const Write& write : plan.writes) {
    if (write.verb == Write::Verb::create) objects.push_back(write.body);
  }
  return objects;
}

}  // namespace

TEST_CASE("a failed session is repeated after the delay, by a session that counts down", "[controller][retry]") {
  SessionWorld world = a_session_world(failing(), repeating(2));
  step(world, minutes(1));
  CHECK(phase_of(world.session) == "Failed");
  CHECK(world.session["status"]["nextRetry"] == format_time(kCreated + minutes(6)));
  const Plan waiting = step(world, minutes(4));
  CHECK(waiting.empty());
  CHECK(waiting.look_again_in == minutes(2));

  const Plan plan = step(world, minutes(6));
  REQUIRE(made_by(plan).size() == 1);
  const Json retry = made_by(plan)[0];
  CHECK(retry["metadata"]["name"] == "app-backup-1700000000-retry-1");
  CHECK(retry["spec"]["retryLeft"] == 1);
  CHECK(retry["spec"]["invoker"]["name"] == "app-backup");
  CHECK(retry["spec"]["backupConfiguration"]["name"] == "app-backup");
  CHECK(retry["metadata"]["labels"]["stash.appscode.com/backup-configuration"] == "app-backup");
  CHECK(retry["metadata"]["ownerReferences"][0]["uid"] == "uid-app-backup");
  CHECK(world.session["status"]["retried"] == true);
  CHECK(events_of(plan) ==
        Texts{"BackupSessionRetried: it failed and is repeated by BackupSession app-backup-1700000000-retry-1"});
  CHECK(step(world, minutes(7)) == Plan());
}

TEST_CASE("the last repetition is not repeated", "[controller][retry]") {
  auto last = failing("nightly-retry-2").with([](api::BackupSession& session) { session.spec.retry_left = 0; });
  SessionWorld world = a_session_world(last, repeating(2));
  step(world, minutes(1));
  CHECK(phase_of(world.session) == "Failed");
  CHECK_FALSE(world.session["status"].contains("nextRetry"));
  CHECK(made_by(step(world, hours(1))).empty());
}

TEST_CASE("without retryConfig nothing is repeated", "[controller][retry]") {
  SessionWorld world = a_session_world(failing());
  step(world, minutes(1));
  CHECK_FALSE(world.session["status"].contains("nextRetry"));
}

TEST_CASE("a controller that ended between the two writes makes no second repetition", "[controller][retry][F2][I7]") {
  SessionWorld world = a_session_world(failing(), repeating(1, ""));
  step(world, minutes(1));
  world.siblings = {a_backup_session("app-backup-1700000000-retry-1").created(kCreated + minutes(1))};
  CHECK(made_by(step(world, minutes(2))).empty());
  CHECK(world.session["status"]["retried"] == true);
}

TEST_CASE("a session that a newer backup has overtaken is not repeated, a skipped one does not count",
          "[controller][retry]") {
  SessionWorld world = a_session_world(failing(), repeating(1));
  step(world, minutes(1));
  world.siblings = {a_backup_session("skipped").created(kCreated + minutes(2)).phase("Skipped")};
  CHECK(step(world, minutes(3)).look_again_in == minutes(3));
  world.siblings.push_back(a_backup_session("newer").created(kCreated + minutes(5)).phase("Running"));
  CHECK(made_by(step(world, minutes(6))).empty());
  CHECK_FALSE(world.session["status"].contains("nextRetry"));
  CHECK_FALSE(world.session["status"].contains("retried"));
}

TEST_CASE("what another try cannot change is not repeated", "[controller][retry]") {
  SessionWorld world = a_session_world(a_backup_session(), repeating(3).paths({}));
  step(world, seconds(1));
  CHECK(phase_of(world.session) == "Failed");
  CHECK_FALSE(world.session["status"].contains("nextRetry"));
}

TEST_CASE("a configuration that is paused while a repetition is due gets none", "[controller][retry]") {
  SessionWorld world = a_session_world(failing(), repeating(1));
  step(world, minutes(1));
  world.configuration->spec.paused = true;
  CHECK(made_by(step(world, minutes(10))).empty());
  CHECK_FALSE(world.session["status"].contains("nextRetry"));
}

TEST_CASE("names of repetitions count up, fit, and stay distinct", "[controller][retry]") {
  const auto name = [](const std::string& of, std::optional<int> left = 1) {
    return retry_name(a_backup_session(of).with([&](api::BackupSession& session) { session.spec.retry_left = left; }));
  };
  CHECK(name("s") == "s-retry-1");
  CHECK(name("s-retry-1") == "s-retry-2");
  CHECK(name("s-retry-9") == "s-retry-10");
  CHECK(name("s-retry-", std::nullopt) == "s-retry--retry-1");
  CHECK(name("s-retry-1", std::nullopt) == "s-retry-1-retry-1");
  const std::string longest(63, 'x');
  CHECK(name(longest).size() == 63);
  CHECK(name(longest) != name(std::string(64, 'x')));
}

TEST_CASE("a retryConfig that means nothing makes the BackupConfiguration unusable", "[controller][retry]") {
  CHECK(inject::unusable_retry(repeating(1).build().spec).empty());
  CHECK(inject::unusable_retry(repeating(1, "").build().spec).empty());
  CHECK(inject::unusable_retry(repeating(1, "soon").build().spec) ==
        "spec.retryConfig.delay \"soon\", which is no duration such as 30s or 5m");
  CHECK(inject::unusable_retry(repeating(-1).build().spec) == "spec.retryConfig.maxRetry below zero");
}
