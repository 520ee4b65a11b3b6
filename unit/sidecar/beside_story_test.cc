#include <catch2/catch.hpp>

#include "api/backup_session_host.h"
#include "unit/sidecar/backup_story.h"

namespace stash::sidecar {
namespace {

using test::BackupStory;
using test::Story;

/// One of the many hosts of a session, in which each is an object of its own. The repository is there and no Repository
/// says of a backup yet.
struct BesideStory : BackupStory {
  std::string path = "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessionhosts/" +
                     api::host_object_ref(pending, "host-0").name;

  BesideStory() {
    const Json object = {{"apiVersion", "stash.appscode.com/v1beta1"},
                         {"kind", "BackupSessionHost"},
                         {"spec", {{"backupSession", {{"uid", pending["metadata"]["uid"]}}}}},
                         {"status", {{"stats", Json::array({api::encode_host(running_here())})}}}};
    script.on("PATCH", path).always().reply(object);
    script.on("POST", kEvents).always().reply(201, Json::object());
    reads(a_checked_repository_here());
    restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).on("backup", {.output = test::summary_line()});
  }
  void runs() {
    const api::BackupConfiguration configuration = a_configuration_here().build();
    stays(configuration);
    const NextSession next{.name = "app-backup-1700000000",
                           .uid = string_at(pending, {"metadata", "uid"}),
                           .entry = *host_entry(pending, "host-0"),
                           .beside = true};
    REQUIRE(run_backup_session(context, memory, configuration, pending, next, "host-0") == true);
    CHECK(string_at(test::result_in(script.calls()), {"phase"}) == "Succeeded");
  }
  std::ptrdiff_t repository_patches() const {
    return std::ranges::count(script.calls(), kRepositoryStatus, &ApiScript::Call::path);
  }
  test::RepositoryBuilder told_repository() const {
    return a_checked_repository_here().with([](api::Repository& r) { r.status.first_backup_time = test::kCreated; });
  }
};

TEST_CASE("one of many hosts does not write to the Repository what another one has written since",
          "[sidecar][beside_story][F28][I20]") {
  BesideStory story;
  story.reads(story.told_repository());
  story.runs();
  CHECK(story.repository_patches() == 0);
}

TEST_CASE("one of many hosts that was not the first to write to the Repository leaves it at that",
          "[sidecar][beside_story][F16][F28][I20]") {
  BesideStory story;
  story.reads(story.a_checked_repository_here());
  story.script.on("PATCH", BesideStory::kRepositoryStatus).reply(409);
  story.reads(story.told_repository());
  story.runs();
  CHECK(story.repository_patches() == 1);
  CHECK(story.pauses.empty());
}

TEST_CASE("the first of many hosts tells the Repository that there is a backup, and takes away the claim of its making",
          "[sidecar][beside_story][F28][I14]") {
  BesideStory story;
  const bool claimed = GENERATE(false, true);
  Json now = (claimed ? story.told_repository() : story.a_checked_repository_here()).json();
  now["metadata"]["resourceVersion"] = "77";
  if (claimed) now["status"]["initialisation"] = {{"podName", "app-0"}, {"podUID", "uid-other"}};
  story.script.on("GET", Story::kRepositoryPath).reply(now);
  story.script.on("PATCH", BesideStory::kRepositoryStatus).reply(now);
  story.runs();
  REQUIRE(story.repository_patches() == 1);
  const auto calls = story.script.calls();
  const Json patch = std::ranges::find(calls, BesideStory::kRepositoryStatus, &ApiScript::Call::path)->json();
  CHECK(patch["metadata"]["resourceVersion"] == "77");
  CHECK(patch["status"].contains("firstBackupTime"));
}

TEST_CASE("the first of many hosts that succeeds tells the Repository, although one that failed was before it",
          "[sidecar][beside_story][F28][I14]") {
  BesideStory story;
  Json now = story.a_checked_repository_here().json();
  now["status"]["firstSnapshotTime"] = format_time(test::kCreated);
  story.script.on("GET", Story::kRepositoryPath).reply(now);
  story.script.on("PATCH", BesideStory::kRepositoryStatus).reply(now);
  story.runs();
  CHECK(story.repository_patches() == 1);
}

TEST_CASE("one of many hosts tells nothing to a Repository that was made anew meanwhile",
          "[sidecar][beside_story][F22][I11]") {
  BesideStory story;
  story.reads(story.a_checked_repository_here().uid("another"));
  story.runs();
  CHECK(story.repository_patches() == 0);
}

}  // namespace
}  // namespace stash::sidecar
