#include <catch2/catch.hpp>

#include "unit/sidecar/backup_story.h"

/// What becomes of a backup that is there when its pod is stopped (docs/decisions/0046).
namespace stash::sidecar {
namespace {

using test::answer_all;
using test::BackupStory;
using test::of_two_hosts;
using test::other_host;
using test::summary_line;
using test::TwoHostStory;

constexpr const char* kNotChecked =
    "the repository was not checked, as the work was ended early; the next session does it";
constexpr const char* kNotApplied =
    "the retention policy was not applied, as the work was ended early; the next session does it";

std::string condition(const Json& result, std::string_view type) {
  for (const Json& condition : array_at(result, {"conditions"})) {
    if (string_at(condition, {"type"}) == type) return string_at(condition, {"status"});
  }
  return "";
}

void stops_at(BackupStory& story, std::string subcommand) {
  story.stop_when = [&story, subcommand = std::move(subcommand)] {
    return std::ranges::count(story.restic.subcommands(), subcommand) > 0;
  };
}

TEST_CASE("a pod that is stopped after its snapshots tells them, with the upkeep that did not happen",
          "[sidecar][parting][F9][I5][I6][I11]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  story.script.on("PATCH", BackupStory::kRepositoryStatus).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).on("backup", {.output = summary_line()});
  std::string told;
  SECTION("in the check") {
    story.restic.hang("check");
    stops_at(story, "check");
    told = std::string(kNotChecked) + "; " + kNotApplied;
  }
  SECTION("in forget") {
    story.restic.on("check", {}).hang("forget");
    stops_at(story, "forget");
    told = kNotApplied;
  }
  SECTION("while it measures") {
    story.restic.on("check", {}).on("forget", {.output = "[]\n"}).hang("stats");
    stops_at(story, "stats");
  }
  REQUIRE(story.run());
  const Json result = test::result_in(story.script.calls());
  REQUIRE(string_at(result, {"phase"}) == "Succeeded");
  CHECK(array_at(result, {"snapshots"}).size() == 1);
  CHECK(string_at(result, {"error"}) == told);
  CHECK(condition(result, "RepositoryIntegrityVerified") == (told.starts_with(kNotChecked) ? "False" : "True"));
  CHECK(condition(result, "RetentionPolicyApplied") == (told.empty() ? "True" : "False"));
  CHECK(test::text_of(story.script.calls()).find("\"firstBackupTime\"") != std::string::npos);
}

TEST_CASE("one of several hosts that is stopped while it waits for the others is backed up",
          "[sidecar][parting][F9][F28][I5][I6]") {
  TwoHostStory story;
  story.script.on("PATCH", BackupStory::kRepositoryStatus).reply(story.a_repository_here().json());
  story.script.on("PATCH", BackupStory::kStatus).always().reply(of_two_hosts(true, other_host("Pending")).json());
  story.stop_when = [&story] { return story.tellings() >= 2; };
  REQUIRE(story.run());
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Succeeded");
  CHECK(bool_at(result, {"backedUp"}));
  // Whoever comes for the other host does the upkeep; if nobody does, the controller says so.
  CHECK(at(result, {"conditions"}) == nullptr);
  CHECK(string_at(result, {"error"}).empty());
}

TEST_CASE("a pod that is stopped in its hook after gives its host back, for the backup is not over",
          "[sidecar][parting][F9][I9]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_checked_repository_here());
  ApiScript application;
  auto configuration = story.a_configuration_here().build();
  configuration.spec.post_backup = api::Hook();
  configuration.spec.post_backup->exec = api::ExecAction{{"thaw"}};
  story.script.on("GET", BackupStory::kSession).always().reply(story.running);
  story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).on("backup", {.output = summary_line()});
  story.stop_when = [&story] { return test::text_of(story.script.calls()).find("postBackup") != std::string::npos; };
  REQUIRE(story.run(configuration));
  CHECK(test::result_in(story.script.calls()).is_null());
  CHECK(story.script.calls().back().body.contains("\"Pending\""));
}

}  // namespace
}  // namespace stash::sidecar
