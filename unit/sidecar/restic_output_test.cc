#include "sidecar/restic_output.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <ranges>
#include <string_view>

#include "unit/support/fake_restic.h"

namespace stash::sidecar {
namespace {

TEST_CASE("a backup's summary becomes the session's entry", "[sidecar][restic_output]") {
  BackupOutput output;
  output.feed(R"({"message_type":"status","percent_done":0,"total_files":1,"total_bytes":2})");
  output.feed("not json at all with \"summary\" in it");
  CHECK_FALSE(output.summary());
  output.feed(test::summary_line("c4aff7e46f3a8e766b17e8f2867d78e997026a8a1922448d75a885a6f7e6c2fb", 6));
  REQUIRE(output.summary());
  const api::SnapshotStats stats = snapshot_stats("/source/data", *output.summary());
  CHECK(stats.name == "c4aff7e4");
  CHECK(stats.path == "/source/data");
  CHECK(stats.total_size == "10.000 MiB");
  CHECK(stats.uploaded == "517.455 KiB");
  CHECK(stats.processing_time == "1:01");
  CHECK(stats.file_stats == api::FileStats{6, 6, 0, 0});
}

TEST_CASE("a backup's and a restore's status lines are read, of every restic that prints them",
          "[sidecar][restic_output][progress]") {
  CHECK(parse_status(R"({"message_type":"status","seconds_elapsed":2,"seconds_remaining":7,"percent_done":0.25,)"
                     R"("total_files":51,"files_done":3,"total_bytes":400,"bytes_done":100,"current_files":["/a"]})") ==
        ResticStatus{3, 51, 100, 400, std::chrono::seconds(7)});
  CHECK(parse_status(R"({"message_type":"status","percent_done":0,"total_files":1,"total_bytes":30000000})") ==
        ResticStatus{0, 1, 0, 30'000'000, {}});
  CHECK(
      parse_status(R"({"message_type":"status","seconds_elapsed":1,"percent_done":0.5,"total_files":52,)"
                   R"("files_restored":20,"files_skipped":6,"total_bytes":10,"bytes_restored":3,"bytes_skipped":2})") ==
      ResticStatus{26, 52, 5, 10, {}});
  CHECK(parse_status(
            R"({"message_type":"summary","total_files":52,"files_restored":52,"total_bytes":9,"bytes_restored":9})") ==
        ResticStatus{52, 52, 9, 9, {}});
  CHECK_FALSE(parse_status(test::summary_line()));
  CHECK_FALSE(parse_status("restoring <Snapshot 6f45feee of [/data]> to /"));
  CHECK_FALSE(parse_status(R"({"message_type":"error","error":{"message":"x"}})"));
}

TEST_CASE("a restore's errors are read as text and as JSON", "[sidecar][restic_output]") {
  const RestoreErrors errors = parse_restore_errors(
      "{\"message_type\":\"error\",\"error\":{\"message\":\"no space left on device\"},\"during\":\"restore\","
      "\"item\":\"/data/a\"}\n"
      "{\"message_type\":\"exit_error\",\"code\":1,\"message\":\"Fatal: There were 1 errors\"}\n");
  CHECK(errors.items == std::vector<RestoreErrors::Item>{{"/data/a", "no space left on device"}});
  CHECK(errors.total == 1);
}

TEST_CASE("odd numbers in a summary are zero, not a crash", "[sidecar][restic_output][F41][I17]") {
  BackupOutput output;
  output.feed(R"({"message_type":"summary","files_new":-1,"total_duration":-5,"data_added":"x","snapshot_id":7})");
  REQUIRE(output.summary());
  CHECK(*output.summary() == BackupSummary{});
}

TEST_CASE("what a restore has taken stands in its summary, and nothing is said of nothing",
          "[sidecar][restic_output]") {
  // Recorded from restic 0.18.0.
  CHECK(parse_restored(R"({"message_type":"summary","total_files":5,"files_restored":8,"total_bytes":4})") == 5);
  CHECK(parse_restored(R"({"message_type":"summary"})") == 0);
  // Of one file that was there already.
  CHECK(parse_restored(R"({"message_type":"summary","files_restored":3,"files_skipped":1,"bytes_skipped":2})") == 1);
  CHECK_FALSE(parse_restored(R"({"message_type":"status","total_files":5})"));
  CHECK_FALSE(parse_restored("a \"summary\""));
}

UnreadableFiles unreadable_in(std::string_view standard_error) {
  UnreadableOutput output;
  for (const auto line : std::views::split(standard_error, '\n')) output.feed(std::string_view(line));
  return output.files();
}

TEST_CASE("unreadable files are named once, the first five", "[sidecar][restic_output]") {
  CHECK(unreadable_in(test::kUnreadable) == UnreadableFiles{{"/src/a (permission denied)", "/src/noaccess"}, 2});
  std::string many;
  for (int i = 0; i < 7; ++i) {
    many += fmt::format(
        "{{\"message_type\":\"error\",\"error\":{{\"message\":\"open /f{0}: permission "
        "denied\"}},\"item\":\"/f{0}\"}}\n",
        i);
  }
  CHECK(describe(unreadable_in(many)) ==
        "7 files could not be read: /f0 (permission denied), /f1 (permission denied), /f2 (permission denied), "
        "/f3 (permission denied), /f4 (permission denied), ...");
  CHECK(describe(unreadable_in("junk\n{\n")) == "some files could not be read");
}

TEST_CASE("snapshots are read, and the newest is the newest by time", "[sidecar][restic_output]") {
  const auto snapshots = parse_snapshots(
      R"([{"time":"2026-11-23T12:51:58.405334566Z","paths":["/a"],"hostname":"h","tags":["t"],"id":"bb","short_id":"b"},
          {"time":"2026-11-23T13:51:57+02:00","paths":["/a"],"hostname":"h","id":"0123456789"}, {"id":""}, 7])");
  REQUIRE(snapshots);
  REQUIRE(snapshots->size() == 2);
  CHECK((*snapshots)[1].short_id == "01234567");
  CHECK(newest(*snapshots)->short_id == "b");
  CHECK(newest({}) == nullptr);
  CHECK(parse_snapshots("null")->empty());
  CHECK_FALSE(parse_snapshots("{}"));
  CHECK_FALSE(parse_snapshots("Fatal"));
}

TEST_CASE("a snapshot tells its parent, and what its backup came to where restic kept that",
          "[sidecar][restic_output]") {
  const auto snapshots = parse_snapshots(
      R"([{"id":"0123456789","parent":"aa"},
          {"id":"abcdef0123","summary":{"backup_start":"2026-11-23T12:51:58Z","backup_end":"2026-11-23T12:52:00.5Z",
           "files_new":1,"files_changed":2,"files_unmodified":3,"total_files_processed":6,"total_bytes_processed":70,
           "data_added":8}}])");
  REQUIRE(snapshots);
  CHECK((*snapshots)[0].parent == "aa");
  CHECK_FALSE((*snapshots)[0].summary);
  CHECK((*snapshots)[1].parent.empty());
  CHECK((*snapshots)[1].summary == BackupSummary{"abcdef01", 1, 2, 3, 6, 70, 8, 2.5});
}

TEST_CASE("forget's groups are summed, with and without what prune prints", "[sidecar][restic_output]") {
  CHECK(parse_forget("[{\"keep\":[{},{}],\"remove\":[{}]},{\"keep\":[{}],\"remove\":null}]\nloading indexes...\n") ==
        ForgetOutcome{3, 1});
  CHECK(parse_forget("\n") == ForgetOutcome{});
  CHECK_FALSE(parse_forget("loading indexes\n"));
}

TEST_CASE("the repository's size is total_size", "[sidecar][restic_output]") {
  CHECK(parse_stats("{\"total_size\":10485764,\"total_file_count\":13}\n") == 10485764u);
  CHECK_FALSE(parse_stats("{}"));
}

TEST_CASE("errors above the restored path alone do not spoil a restore", "[sidecar][restic_output]") {
  const auto errors = parse_restore_errors(
      "ignoring error for /source: UtimesNano: read-only file system\nFatal: There were 1 errors\n\n");
  CHECK(errors == RestoreErrors{{{"/source", "UtimesNano: read-only file system"}}, 1});
  CHECK(only_above(errors, {"/source/data"}));
  CHECK_FALSE(only_above(errors, {"/source"}));
  CHECK_FALSE(only_above(errors, {"/sourcery/data"}));
}

TEST_CASE("a lost or a real error spoils a restore", "[sidecar][restic_output]") {
  CHECK_FALSE(only_above({{{"/source", ""}}, 2}, {"/source/data"}));  // one of two was cut off
  CHECK_FALSE(only_above({{{"/source", ""}}, std::nullopt}, {"/source/data"}));
  CHECK_FALSE(only_above({{{"/source", ""}, {"/source/data/x", "no space"}}, 2}, {"/source/data"}));
  CHECK_FALSE(only_above({{{"/source", ""}}, 1}, {"/source/data", "/source"}));
  CHECK_FALSE(only_above({{}, 0}, {"/source/data"}));
}

TEST_CASE("above means a directory above", "[sidecar][restic_output]") {
  CHECK(is_above("/", "/a"));
  CHECK(is_above("/a", "/a/b"));
  CHECK_FALSE(is_above("/a", "/ab"));
  CHECK_FALSE(is_above("/a", "/a"));
  CHECK_FALSE(is_above("/", "/"));
}

}  // namespace
}  // namespace stash::sidecar
