#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "unit/sidecar/backup_story.h"

/// Snapshots that lack files, until they have their tag (docs/decisions/0046).
namespace stash::sidecar {
namespace {

using test::answer_all;
using test::BackupStory;
using test::Story;
using test::summary_line;

constexpr const char* kStatus = BackupStory::kStatus;
constexpr const char* kUntagged =
    R"([{"id":"c4aff7e499","short_id":"c4aff7e4","time":"2026-11-23T09:00:00Z","tags":["stash-session=u"]}])";
constexpr const char* kPointer = "/status/stats/0/incomplete";

/// A backup that could not read all files.
struct IncompleteStory : BackupStory {
  IncompleteStory() {
    answer_all(*this);
    reads(a_checked_repository_here());
    script.on("PATCH", kRepositoryStatus).always().reply(a_repository_here().json());
  }
  void cannot_read_all() {
    restic.on("cat", {})
        .on("snapshots", {.output = "[]\n"})
        .on("backup", {.exit_code = 3, .output = summary_line(), .standard_error = test::kUnreadable});
  }
  /// As the pod before us left it.
  void inherits(const std::vector<std::string>& incomplete) {
    auto& entry = pending["status"]["stats"][0];
    entry["incomplete"] = incomplete;
  }
  /// Each value that was put at kPointer, with the phase that was put beside it.
  std::vector<std::pair<Json, std::string>> told() const {
    std::vector<std::pair<Json, std::string>> found;
    for (const auto& call : script.calls()) {
      if (call.method != "PATCH" || call.path != kStatus) continue;
      Json ids;
      std::string phase;
      for (const Json& operation : call.json()) {
        if (string_at(operation, {"path"}) == kPointer) ids = operation["value"];
        if (string_at(operation, {"path"}) == "/status/stats/0/phase" && string_at(operation, {"op"}) == "add")
          phase = string_at(operation, {"value"});
      }
      if (!ids.is_null()) found.emplace_back(ids, phase);
    }
    return found;
  }
};

TEST_CASE("a snapshot that lacks files is named in the session before the hook after and before its tag",
          "[sidecar][incomplete][F3][F42][I5]") {
  IncompleteStory story;
  ApiScript application;
  auto configuration = story.a_configuration_here().build();
  configuration.spec.post_backup = api::Hook();
  configuration.spec.post_backup->http_get =
      api::HttpAction{.path = "/thaw", .port = std::to_string(application.port())};
  std::size_t told_at_hook = 0;
  application.on("GET", "/thaw").before([&] { told_at_hook = story.told().size(); }).reply(200, Json());
  story.cannot_read_all();
  story.restic.on("tag", {}).on("snapshots", {.output = BackupStory::kTagged});
  REQUIRE(story.run(configuration));
  REQUIRE(told_at_hook == 1);
  CHECK(story.told().front().first == Json{"c4aff7e4"});
  // The result says it in words.
  CHECK_FALSE(test::result_in(story.script.calls()).contains("incomplete"));
}

TEST_CASE("of a volume that cannot be read at all the number is true and the first files are named",
          "[sidecar][incomplete][F42][I5]") {
  constexpr int kFiles = 5'000;  // far more than the part of restic's standard error that is kept
  IncompleteStory story;
  std::string errors;
  for (int i = 0; i < kFiles; ++i) {
    errors += fmt::format(
        "{{\"message_type\":\"error\",\"error\":{{\"Op\":\"open\",\"Path\":\"/src/f{0}\",\"Err\":13}},"
        "\"during\":\"archival\",\"item\":\"/src/f{0}\"}}\n",
        i);
  }
  story.restic.on("cat", {})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.exit_code = 3, .output = summary_line(), .standard_error = errors})
      .on("tag", {})
      .on("snapshots", {.output = BackupStory::kTagged});
  REQUIRE(story.run());
  const std::string error = string_at(test::result_in(story.script.calls()), {"error"});
  INFO(error);
  CHECK(error.find("5000 files could not be read: /src/f0 (permission denied), /src/f1 (permission denied)") !=
        std::string::npos);
}

TEST_CASE("the retention policy takes no complete snapshot for the sake of incomplete ones",
          "[sidecar][incomplete][F42][I11]") {
  IncompleteStory story;
  const std::string all =
      R"([{"id":"c1","short_id":"c1","time":"2026-11-22T09:00:00Z","hostname":"host-0","paths":["/a"],"tags":["stash-session=u1"]},)"
      R"({"id":"i2","short_id":"i2","time":"2026-11-22T10:00:00Z","hostname":"host-0","paths":["/a"],"tags":["stash-incomplete"]},)"
      R"({"id":"i3","short_id":"i3","time":"2026-11-22T08:00:00Z","hostname":"host-0","paths":["/a"],"tags":["stash-incomplete"]}])";
  story.restic.on("cat", {})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.output = summary_line()})
      .on("incomplete", {.output = all + "\n"})
      .on("snapshots", {.output = all + "\n"})
      .on("forget", {})
      .on("forget", {.output = "[]\n"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  REQUIRE(story.run());
  CHECK(string_at(test::result_in(story.script.calls()), {"phase"}) == "Succeeded");
  std::vector<std::vector<std::string>> forgets;
  for (const auto& call : story.restic.calls()) {
    if (call.subcommand == "forget") forgets.push_back(call.arguments);
  }
  REQUIRE(forgets.size() == 2);
  CHECK(forgets[0].back() == "i3");
  CHECK(std::ranges::find(forgets[1], "stash-session=u1") != forgets[1].end());
}

TEST_CASE("the next pod never takes a snapshot that is named as incomplete for a complete one, and tags it",
          "[sidecar][incomplete][F3][F9][F42][I5]") {
  IncompleteStory story;
  story.inherits({"c4aff7e4"});
  story.restic.on("cat", {}).on("snapshots", {.output = kUntagged});
  SECTION("all files can be read by now") {
    story.restic.on("backup", {.output = summary_line("", 6)})
        .on("backup", {.output = summary_line("aaaa1111")})
        .on("tag", {})
        .on("snapshots", {.output = BackupStory::kTagged})
        .on("forget", {.output = "[]\n"})
        .on("stats", {.output = "{\"total_size\":1}\n"});
    REQUIRE(story.run());
    const Json result = test::result_in(story.script.calls());
    CHECK(string_at(result, {"phase"}) == "Succeeded");
    REQUIRE(array_at(result, {"snapshots"}).size() == 1);
    CHECK(string_at(array_at(result, {"snapshots"})[0], {"name"}) == "aaaa1111");
    CHECK(story.restic.calls()[4].arguments.back() == "c4aff7e4");
  }
  SECTION("they still cannot") {
    story.restic.on("backup", {.exit_code = 3, .output = summary_line(""), .standard_error = test::kUnreadable})
        .on("tag", {})
        .on("snapshots", {.output = BackupStory::kTagged});
    REQUIRE(story.run());
    const Json result = test::result_in(story.script.calls());
    CHECK(string_at(result, {"phase"}) == "Failed");
    CHECK(string_at(array_at(result, {"snapshots"})[0], {"name"}) == "4f1e7c66");
  }
}

TEST_CASE("a pod that is stopped while the tag waits for a lock hands on what it knows, and tries once more",
          "[sidecar][incomplete][F9][F42][I5][I12]") {
  IncompleteStory story;
  story.script.on("GET", "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions")
      .always()
      .reply(Json{{"items", Json::array()}});
  story.cannot_read_all();
  story.restic.on("tag", {.exit_code = 1, .standard_error = test::kLocked});
  const auto tried = [&story] { return std::ranges::count(story.restic.subcommands(), "tag") > 0; };
  story.stop_when = tried;
  SECTION("the lock has gone") { story.restic.on("tag", {}).on("snapshots", {.output = BackupStory::kTagged}); }
  SECTION("it has not: nobody waits for it") {
    story.restic.on("tag", {.exit_code = 1, .standard_error = test::kLocked});
  }
  REQUIRE(story.run());
  CHECK(test::result_in(story.script.calls()).is_null());
  REQUIRE_FALSE(story.told().empty());
  CHECK(story.told().back() == std::pair(Json{"c4aff7e4"}, std::string("Pending")));
  CHECK(std::ranges::count(story.restic.subcommands(), "tag") == 2);
}

TEST_CASE("what could not be told of an incomplete snapshot is told with the next sign of life",
          "[sidecar][incomplete][F11][F17][I5]") {
  BackupStory story;
  HostStatus status(story.context, api::kBackupSessions, story.running, "host-0", *host_entry(story.running, "host-0"));
  story.script.on("PATCH", kStatus).times(2).reply(500);
  story.script.on("PATCH", kStatus).reply(story.running);
  int tries = 0;
  status.tell_incomplete({"c4aff7e4"}, [&tries] { return ++tries < 2; });
  CHECK(story.script.calls().size() == 2);
  story.clock.advance(std::chrono::seconds(10));
  CHECK(status.beat());
  CHECK(story.script.calls().back().body.contains(kPointer));
  CHECK(status.incomplete() == std::vector<std::string>{"c4aff7e4"});
  story.clock.advance(std::chrono::seconds(10));
  CHECK(status.beat());  // nothing is left to tell
}

TEST_CASE("the snapshot of a failed first backup is remembered by the Repository, which is not made anew",
          "[sidecar][incomplete][F36][F42][I14]") {
  SECTION("it is told") {
    IncompleteStory story;
    story.cannot_read_all();
    story.restic.on("tag", {}).on("snapshots", {.output = BackupStory::kTagged});
    REQUIRE(story.run());
    const std::string all = test::text_of(story.script.calls());
    CHECK(all.find("\"firstSnapshotTime\":\"2026-11-23T10:") != std::string::npos);
    CHECK(all.find("\"firstBackupTime\"") == std::string::npos);
    CHECK(all.find("\"lastBackupTime\"") == std::string::npos);
  }
  SECTION("it is gone") {
    BackupStory story;
    answer_all(story);
    story.reads(
        story.a_repository_here().with([](api::Repository& r) { r.status.first_snapshot_time = test::kCreated; }));
    story.restic.on("cat", {.exit_code = 1, .standard_error = test::kNoRepository});
    REQUIRE(story.run());
    CHECK(story.restic.subcommands() == std::vector<std::string>{"cat"});
    CHECK(string_at(test::result_in(story.script.calls()), {"error"})
              .find("held backups since 2023-11-14T22:13:20Z and is gone") != std::string::npos);
  }
}

}  // namespace
}  // namespace stash::sidecar
