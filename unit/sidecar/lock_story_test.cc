#include <fmt/format.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "sidecar/backup_session_run.h"
#include "unit/sidecar/story.h"

namespace stash::sidecar {
namespace {

namespace fs = std::filesystem;
using test::a_backup_session;
using test::Story;

constexpr const char* kSessions = "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions";

/// A backup that meets a lock at its first try; none is in the way at the second.
struct LockStory : Story {
  BackupMemory memory;
  api::BackupConfiguration configuration = a_configuration_here().build();

  LockStory() {
    fs::create_directory(data());
    std::ofstream(data() + "/file") << "content";
    context.restic.settings.user = "uid-pod";
    context.restic.own_host_name = "app-6f-x";
    const Json running = a_backup_session().phase("Running").host(running_here()).json();
    const std::string session = std::string(kSessions) + "/app-backup-1700000000";
    script.on("PATCH", session + "/status").always().reply(running);
    script.on("POST", "/api/v1/namespaces/demo/events").always().reply(201, Json::object());
    script.on("GET", kRepositoryPath).reply(a_checked_repository_here().json());
    script.on("PATCH", std::string(kRepositoryPath) + "/status").reply(a_repository_here().json());
  }

  std::string locks() const { return repository_directory() + "/locks"; }
  /// As restic names them: by the hash of their content.
  std::string lock_file(const std::string& beginning) {
    fs::create_directories(locks());
    const std::string path = locks() + "/" + beginning + std::string(56, '0');
    std::ofstream(path) << "sealed";
    return path;
  }
  void meets_lock_of(int pid, const std::string& host, const std::string& user) {
    restic.on("cat", {})
        .on("snapshots", {.output = "[]\n"})
        .on("backup", {.exit_code = 1,
                       .standard_error = fmt::format(
                           "unable to create lock in backend: repository is already locked by PID {} on {} by {} (UID "
                           "0, GID 0)\nlock was created at 2026-11-23 12:53:03 (1.2s ago)\nstorage ID 40b9a799\n",
                           pid, host, user)})
        .on("unlock", {})
        .on("backup", {.output = test::summary_line()})
        .on("forget", {.output = "[]\n"})
        .on("stats", {.output = "{\"total_size\":1}\n"});
  }
  /// The session says which pods are gone.
  void knows_of_lost(const Json& pods) {
    Json session = a_backup_session().json();
    session["status"]["lostPods"] = pods;
    script.on("GET", kSessions).always().reply(Json{{"items", {session}}});
  }
  void run(bool resume = false) {
    const Json pending = a_backup_session().stamped().json();
    const NextSession next{"app-backup-1700000000", "uid-app-backup-1700000000", *host_entry(pending, "host-0"),
                           resume};
    REQUIRE(run_backup_session(context, memory, configuration, pending, next, "host-0"));
    CHECK(string_at(test::result_in(script.calls()), {"phase"}) == "Succeeded");
  }
  bool unlocked() const {
    const auto names = restic.subcommands();
    return std::ranges::find(names, "unlock") != names.end();
  }
};

TEST_CASE("the lock of a pod that is gone is removed, and no other", "[sidecar][lock_story][F27][F38][I12]") {
  LockStory story;
  const std::string dead = story.lock_file("40b9a799"), living = story.lock_file("51c0b8aa");
  story.meets_lock_of(12, "app-6f-gone", "");
  story.knows_of_lost(Json::array({{{"podName", "app-6f-gone"}, {"podUID", "uid-gone"}}}));
  story.run();
  CHECK_FALSE(fs::exists(dead));
  CHECK(fs::exists(living));
  CHECK_FALSE(story.unlocked());
}

TEST_CASE("a lock of which nobody knows that its pod is gone is waited for", "[sidecar][lock_story][F38][I12]") {
  LockStory story;
  const std::string lock = story.lock_file("40b9a799");
  story.meets_lock_of(12, "app-6f-living", "uid-living");
  story.knows_of_lost(Json::array({{{"podName", "app-6f-gone"}, {"podUID", "uid-gone"}}}));
  story.run();
  CHECK(fs::exists(lock));
}

TEST_CASE("a numbered pod takes no lock for its own because of its host name", "[sidecar][lock_story][F31][I12]") {
  // web-0 of another namespace or cluster, which shares the repository, is alive and not to be seen from here.
  LockStory story;
  story.context.pod.name = "web-0";
  story.context.restic.own_host_name = "web-0";
  story.configuration.spec.target->ref.kind = "StatefulSet";
  const std::string lock = story.lock_file("40b9a799");
  SECTION("nor because its predecessor is gone") {
    story.meets_lock_of(12, "web-0", "root");
    story.knows_of_lost(Json::array({{{"podUID", "uid-gone"}}}));
    story.run();
    CHECK(fs::exists(lock));
    CHECK_FALSE(story.unlocked());
  }
  SECTION("unless the lock names that predecessor") {
    story.meets_lock_of(12, "web-0", "uid-gone");
    story.knows_of_lost(Json::array({{{"podUID", "uid-gone"}}}));
    story.run();
    CHECK_FALSE(fs::exists(lock));
    CHECK_FALSE(story.unlocked());
  }
  SECTION("or this very pod") {
    story.meets_lock_of(12, "web-0", "uid-pod");
    story.run();
    CHECK_FALSE(fs::exists(lock));
  }
}

TEST_CASE("a lock of this pod from before its container was restarted is removed, whoever has its process number now",
          "[sidecar][lock_story][F3][F32][I12]") {
  LockStory story;
  const std::string lock = story.lock_file("40b9a799");
  story.meets_lock_of(::getpid(), "app-6f-x", "");  // alive, but not restic
  story.run();
  CHECK_FALSE(fs::exists(lock));
  CHECK_FALSE(story.unlocked());
}

TEST_CASE("a container that goes on with what one began that was killed removes that one's lock, and no other",
          "[sidecar][lock_story][F3][F28][I12]") {
  // The backup itself is not in its way. Another host, the last one, would wait for it.
  LockStory story;
  const std::string own = story.lock_file("40b9a799"), living = story.lock_file("51c0b8aa");
  const auto id = [](const std::string& path) { return fs::path(path).filename().string(); };
  const auto lock_of = [](const char* host) {
    return fmt::format(
        R"({{"time":"2026-11-23T12:53:03Z","exclusive":false,"hostname":"{}","username":"","pid":999999}})", host);
  };
  story.restic.on("cat", {})
      .on("list", {.output = id(own) + "\n" + id(living) + "\n"})
      .on("cat", {.output = lock_of("app-6f-x")})
      .on("cat", {.output = lock_of("app-6f-living")})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.output = test::summary_line()})
      .on("forget", {.output = "[]\n"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  story.run(true);
  CHECK_FALSE(fs::exists(own));
  CHECK(fs::exists(living));
  CHECK_FALSE(story.unlocked());
}

TEST_CASE("where one lock cannot be removed, restic's own rule is used for the pod's own name only",
          "[sidecar][lock_story][F38][I12]") {
  LockStory story;
  story.lock_file("40b9a799");
  story.lock_file("40b9a7991");  // two that begin alike stand for a place that is no directory of ours
  story.meets_lock_of(12, "app-6f-x", "");
  story.run();
  CHECK(story.unlocked());
}

}  // namespace
}  // namespace stash::sidecar
