#include <catch2/catch.hpp>

#include "sidecar/restore.h"
#include "unit/sidecar/story.h"

namespace stash::sidecar {
namespace {

using test::a_restore_session;
using test::Story;

constexpr const char* kSession = "/apis/stash.appscode.com/v1beta1/namespaces/demo/restoresessions/app-restore";
constexpr const char* kSessions = "/apis/stash.appscode.com/v1beta1/namespaces/demo/restoresessions";
constexpr const char* kStatus = "/apis/stash.appscode.com/v1beta1/namespaces/demo/restoresessions/app-restore/status";
constexpr const char* kEvents = "/api/v1/namespaces/demo/events";
constexpr const char* kSnapshot =
    R"([{"id":"d2769cc2175c","short_id":"d2769cc2","time":"2026-11-23T12:54:48Z","hostname":"host-0","paths":["/source/data"]}])";

struct RestoreStory : Story {
  Json pending = a_restore_session().phase("Pending").total_hosts(1).host("host-0", "Pending").json();
  Json running = a_restore_session().phase("Running").host(running_here()).json();
  int run() { return restore(context, "app-restore"); }
  void reads(const Json& session) { script.on("GET", kSession).reply(session); }
  void answers() {
    script.on("PATCH", kStatus).always().reply(running);
    script.on("POST", kEvents).always().reply(201, Json::object());
  }
};

TEST_CASE("a pending host is restored, told, and the application may start", "[sidecar][restore_story]") {
  RestoreStory story;
  story.reads(story.pending);
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kSnapshot}).on("restore", {});
  CHECK(story.run() == 0);
  const auto calls = story.restic.calls();
  REQUIRE(calls.size() == 3);
  CHECK(std::vector<std::string>(calls[2].arguments.begin() + 2, calls[2].arguments.end()) ==
        std::vector<std::string>{"restore", "--target", "/", "--include", "/source/data", "--", "d2769cc2175c"});
  CHECK(string_at(test::result_in(story.script.calls()), {"phase"}) == "Succeeded");
  CHECK(test::text_of(story.script.calls()).find("\"reason\":\"SuccessfulHostRestore\"") != std::string::npos);
}

TEST_CASE("what is restored, gone or going lets the application start at once", "[sidecar][restore_story]") {
  RestoreStory story;
  SECTION("restored") { story.reads(a_restore_session().phase("Succeeded").host("host-0", "Succeeded").json()); }
  SECTION("gone") { story.script.on("GET", kSession).reply(404); }
  SECTION("going") { story.reads(a_restore_session().being_deleted().host("host-0", "Pending").json()); }
  CHECK(story.run() == 0);
  CHECK(story.restic.calls().empty());
}

TEST_CASE("a failed restore keeps the application from starting, and says why", "[sidecar][restore_story]") {
  RestoreStory story;
  story.reads(story.pending);
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  std::string expected;
  SECTION("wrong password") {
    story.restic.on("cat", {.exit_code = 1, .standard_error = test::kWrongPassword});
    expected = "opening the repository: wrong password";
  }
  SECTION("no repository; none is made") {
    story.restic.on("cat", {.exit_code = 1, .standard_error = test::kNoRepository});
    expected = "there is no restic repository at ";
  }
  SECTION("no snapshot") {
    story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).on("snapshots", {.output = "[]\n"});
    expected = "the repository has no snapshot of host host-0 with the path /source/data; it has no snapshots at all";
  }
  SECTION("half restored") {
    story.restic.on("cat", {})
        .on("snapshots", {.output = kSnapshot})
        .on("restore",
            {.exit_code = 1,
             .standard_error = "ignoring error for /source: chmod /source: read-only file system\n"
                               "ignoring error for /source/data/f: write /source/data/f: no space left on device\n"
                               "Fatal: There were 2 errors\n"});
    expected = "restoring /source/data from snapshot d2769cc2: no space is left";
  }
  CHECK(story.run() == 1);
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Failed");
  CHECK(string_at(result, {"error"}).starts_with(expected));
  CHECK(test::text_of(story.script.calls()).find("\"reason\":\"FailedHostRestore\"") != std::string::npos);
}

TEST_CASE("a restore whose result cannot be written keeps the application from starting", "[sidecar][restore_story]") {
  RestoreStory story;
  story.reads(story.pending);
  story.script.on("PATCH", kStatus).reply(story.running);
  story.script.on("PATCH", kStatus).always().reply(403);
  story.script.on("POST", kEvents).always().reply(201, Json::object());
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kSnapshot}).on("restore", {});
  CHECK(story.run() == 1);
}

TEST_CASE("a read-only directory above the volume spoils no restore", "[sidecar][restore_story]") {
  RestoreStory story;
  story.reads(story.pending);
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots", {.output = kSnapshot})
      .on("restore",
          {.exit_code = 1,
           .standard_error =
               "ignoring error for /source: UtimesNano: read-only file system\nFatal: There were 1 errors\n"});
  CHECK(story.run() == 0);
}

TEST_CASE("a pod waits while another one restores, then starts", "[sidecar][restore_story]") {
  RestoreStory story;
  api::HostStats others = Story::running_here();
  others.claim->pod_uid = "uid-other";
  story.reads(a_restore_session().phase("Running").host(others).json());
  story.script.on("GET", kSessions, "watch=true&fieldSelector=metadata.name=app-restore&resourceVersion=100")
      .stream_events({{"MODIFIED", story.running}});
  story.reads(a_restore_session().phase("Succeeded").host("host-0", "Succeeded").json());
  CHECK(story.run() == 0);
  CHECK(story.restic.calls().empty());
}

TEST_CASE("a session that the controller has not started is waited for, over outages", "[sidecar][restore_story]") {
  RestoreStory story;
  story.script.on("GET", kSession).reply(500);
  story.script.on("GET", kSession).reply(403);
  story.reads(a_restore_session().json());
  story.script.on("GET", kSessions, "watch=true").reply(410);
  story.script.on("GET", kSession).reply(404);
  CHECK(story.run() == 0);
}

TEST_CASE("a pod that is being stopped gives an unfinished restore back", "[sidecar][restore_story]") {
  RestoreStory story;
  story.reads(story.pending);
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kSnapshot}).hang("restore");
  story.stop_when = [&story] { return story.restic.subcommands().size() >= 3; };
  CHECK(story.run() == 1);
  CHECK(story.script.calls().back().body.find("\"value\":\"Pending\"") != std::string::npos);
}

}  // namespace
}  // namespace stash::sidecar
