#include <atomic>
#include <catch2/catch.hpp>

#include "api/silence.h"
#include "sidecar/restore.h"
#include "unit/sidecar/backup_story.h"

/// What a pod does whose signs of life reach nobody (docs/decisions/0046).
namespace stash::sidecar {
namespace {

using std::chrono::minutes;
using test::a_backup_session;
using test::a_restore_session;
using test::BackupStory;
using test::Story;
using test::summary_line;

constexpr const char* kStatus = BackupStory::kStatus;

/// An API server that answers the claim, and then is away until `length` has passed.
struct OutageStory : BackupStory {
  std::atomic<bool> away = true;
  std::chrono::steady_clock::time_point begun = clock.steady();

  minutes passed() const { return std::chrono::duration_cast<minutes>(clock.steady() - begun); }
  void is_away_for(minutes length, std::function<bool()> stops) {
    claims();
    reads(a_checked_repository_here());
    script.on("PATCH", kStatus).always().reply_with([this](const ApiScript::Call&) {
      return ApiScript::Reply{.status = away ? 500 : 200, .body = dump_json(running)};
    });
    script.on("POST", kEvents).always().reply(201, Json::object());
    stop_when = [this, length, stops = std::move(stops)] {
      if (passed() >= length) away = false;
      return stops();
    };
  }
  std::size_t writes_with(const std::string& text) const {
    const auto calls = script.calls();
    return static_cast<std::size_t>(std::ranges::count_if(
        calls, [&](const ApiScript::Call& call) { return call.method == "PATCH" && call.body.contains(text); }));
  }
};

TEST_CASE("a pod whose signs of life reach nobody stops restic before its host can be another's, and forgets nothing",
          "[sidecar][cut_off][F11][F26][I7][I10][I11]") {
  OutageStory story;
  // The stop is for a pod that never notices.
  story.is_away_for(minutes(60), [&story] { return story.passed() >= minutes(20); });
  story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).hang("backup");
  REQUIRE(story.run());
  CHECK(story.passed() >= api::kCutOff);
  CHECK(story.passed() < api::kStall);
  CHECK(story.restic.subcommands() == std::vector<std::string>{"cat", "snapshots", "backup"});
  CHECK(test::result_in(story.script.calls()).is_null());
  CHECK(story.writes_with("Pending") == 1);  // the claim tests it
}

TEST_CASE("an API server that is away for eight minutes costs a backup nothing",
          "[sidecar][cut_off][F11][F12][I6][I19]") {
  OutageStory story;
  const std::string end = story.volume / "end";
  story.is_away_for(minutes(8), [&] {
    if (story.passed() >= minutes(9)) std::ofstream{end};
    return false;
  });
  story.script.on("PATCH", BackupStory::kRepositoryStatus).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.output = summary_line(), .before = "while [ ! -e '" + end + "' ]; do sleep 0.02; done"})
      .on("forget", {.output = "[]\n"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  REQUIRE(story.run());
  CHECK(string_at(test::result_in(story.script.calls()), {"phase"}) == "Succeeded");
}

TEST_CASE("one who only stood still for long goes on with a host that is still its own", "[sidecar][cut_off][F7][I7]") {
  BackupStory story;
  HostStatus status(story.context, api::kBackupSessions, story.running, "host-0", *host_entry(story.running, "host-0"));
  story.clock.advance(minutes(20));
  story.script.on("PATCH", kStatus).reply(story.running);
  CHECK(status.beat());
  CHECK_FALSE(status.lost());
}

TEST_CASE("a host stays taken away although the API server is back, for restic was stopped",
          "[sidecar][cut_off][F11][I7]") {
  BackupStory story;
  HostStatus status(story.context, api::kBackupSessions, story.running, "host-0", *host_entry(story.running, "host-0"));
  story.clock.advance(api::kCutOff);
  story.script.on("PATCH", kStatus).reply(500);
  CHECK_FALSE(status.beat());
  story.clock.advance(minutes(1));
  CHECK_FALSE(status.beat());
  CHECK(status.lost());
  status.give_back();
  CHECK(story.script.calls().size() == 1);
}

TEST_CASE("a result that is there is written however long the API server was away", "[sidecar][cut_off][F11][I6]") {
  BackupStory story;
  HostStatus status(story.context, api::kBackupSessions, story.running, "host-0", *host_entry(story.running, "host-0"));
  story.clock.advance(api::kCutOff);
  story.script.on("PATCH", kStatus).times(2).reply(500);
  story.script.on("PATCH", kStatus).reply(story.running);
  CHECK_FALSE(status.beat());
  api::HostStats result = Story::running_here();
  result.phase = "Succeeded";
  CHECK(status.write_result(result));
}

TEST_CASE("a restarted container shows that it lives before it goes on, and leaves what is another's by now",
          "[sidecar][cut_off][F3][F26][I7]") {
  BackupStory story;
  story.script.on("PATCH", kStatus).refuse_test();
  const auto done = story.run(story.a_configuration_here().build(), /*resume=*/true);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::conflict);
  CHECK(story.restic.calls().empty());
}

TEST_CASE("a restore whose signs of life reach nobody stops, and the application does not start",
          "[sidecar][cut_off][F11][I13]") {
  const std::string session = "/apis/stash.appscode.com/v1beta1/namespaces/demo/restoresessions/app-restore";
  Story story;
  const Json running = a_restore_session().phase("Running").host(Story::running_here()).json();
  story.script.on("GET", session)
      .reply(a_restore_session().phase("Pending").total_hosts(1).host("host-0", "Pending").json());
  story.script.on("PATCH", session + "/status").always().reply_with([&](const ApiScript::Call&) {
    const auto steps = story.restic.subcommands();
    const bool restores = !steps.empty() && steps.back() == "restore";
    return ApiScript::Reply{.status = restores ? 500 : 200, .body = dump_json(running)};
  });
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.script.on("GET", session).always().reply(500);
  story.restic.on("cat", {})
      .on("snapshots", {.output = R"([{"id":"d2769cc2175c","short_id":"d2769cc2","time":"2026-11-23T12:54:48Z",)"
                                  R"("hostname":"host-0","paths":["/source/data"]}])"})
      .on("stats", {.output = "{\"total_size\":1}\n"})
      .hang("restore");
  const auto begun = story.clock.steady();
  story.stop_when = [&] { return story.clock.steady() - begun >= minutes(20); };
  CHECK(restore(story.context, "app-restore") == 1);
  const std::string all = test::text_of(story.script.calls());
  CHECK(all.find("\"op\":\"replace\"") == std::string::npos);
  // It is not given back in the dark, and not begun anew before the session can be read.
  CHECK(all.find("\"op\":\"remove\",\"path\":\"/status/stats/0/claim\"") == std::string::npos);
  CHECK(std::ranges::count(story.restic.subcommands(), "restore") == 1);
}

}  // namespace
}  // namespace stash::sidecar
