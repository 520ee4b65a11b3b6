#include "controller/execute.h"

#include <catch2/catch.hpp>

#include "support/api_script.h"
#include "support/fake_clock.h"
#include "unit/controller/worlds.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

constexpr const char* kSession =
    "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions/app-backup-1700000000";
constexpr const char* kEvents = "/api/v1/namespaces/demo/events";

Json written(const char* version) { return {{"metadata", {{"resourceVersion", version}}}}; }

Result<void> run(ApiScript& script, const Plan& plan, bool dry_run = false) {
  kube::Api api(script.config());
  const FakeClock clock;
  return execute(api, plan, a_backup_session().json(), {dry_run, "Tester"}, clock);
}

Plan two_patches() {
  Plan plan;
  const Json session = a_backup_session().json();
  write_patch(plan, api::kBackupSessions, session, {{"metadata", {{"labels", {{"a", "b"}}}}}});
  write_status(plan, api::kBackupSessions, session, {{"phase", "Pending"}});
  return plan;
}

}  // namespace

TEST_CASE("an empty plan makes no call", "[controller][execute]") {
  ApiScript script;
  CHECK(run(script, Plan()));
}

TEST_CASE("the second write to an object carries the version that the first one made", "[controller][execute]") {
  ApiScript script;
  script.on("PATCH", kSession).reply(written("101"));
  script.on("PATCH", std::string(kSession) + "/status").reply(written("102"));
  CHECK(run(script, two_patches()));
  const auto calls = script.calls();
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].json()["metadata"]["resourceVersion"] == "100");
  CHECK(calls[1].json() == Json({{"metadata", {{"resourceVersion", "101"}}}, {"status", {{"phase", "Pending"}}}}));
}

TEST_CASE("a write for admission's eyes goes out with its field manager", "[controller][execute]") {
  ApiScript script;
  script.on("PATCH", kSession, "fieldManager=an-upgrade").reply(written("101"));
  Plan plan;
  write_patch(plan, api::kBackupSessions, a_backup_session().json(), Json::object());
  plan.writes.back().field_manager = "an-upgrade";
  CHECK(run(script, plan));
  CHECK(render_plan(plan).ends_with(" as an-upgrade\n"));
}

TEST_CASE("the first write that fails stops the rest, and no event is written", "[controller][execute][F17][I7]") {
  ApiScript script;
  script.on("PATCH", kSession).reply(409);
  Plan plan = two_patches();
  note(plan, "Reason", "message");
  const auto result = run(script, plan);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::conflict);
}

TEST_CASE("a removal of what is gone, or was made anew, is done already", "[controller][execute][F17][F22][I7]") {
  for (const int status : {404, 409}) {
    ApiScript script;
    script.on("DELETE", kSession).reply(status);
    Plan plan;
    remove_object(plan, api::kBackupSessions, api::meta_of(a_backup_session().json()));
    CHECK(run(script, plan));
    CHECK(script.calls().at(0).json()["preconditions"]["uid"] == "uid-app-backup-1700000000");
  }
}

TEST_CASE("an event that cannot be written stops nothing", "[controller][execute]") {
  ApiScript script;
  script.on("POST", kEvents).reply(403);
  Plan plan;
  warn(plan, "Reason", "message");
  CHECK(run(script, plan));
}

TEST_CASE("a dry run writes nothing", "[controller][execute]") {
  ApiScript script;
  CHECK(run(script, two_patches(), true));
}

TEST_CASE("a plan can be printed", "[controller][execute]") {
  Plan plan = two_patches();
  warn(plan, "Reason", "message");
  look_again(plan, std::chrono::seconds(9));
  look_again(plan, std::chrono::seconds(10));
  CHECK(render_plan(plan) ==
        "patch BackupSession demo/app-backup-1700000000 "
        "{\"metadata\":{\"labels\":{\"a\":\"b\"},\"resourceVersion\":\"100\"}}\n"
        "patch BackupSession demo/app-backup-1700000000/status "
        "{\"metadata\":{\"resourceVersion\":\"100\"},\"status\":{\"phase\":\"Pending\"}}\n"
        "event Warning Reason: message\n"
        "look again in 9 s\n");
}
