#include "unit/sidecar/backup_story.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

namespace stash::sidecar {
namespace {

using test::a_backup_session;
using test::answer_all;
using test::BackupStory;
using test::FakeRestic;
using test::of_two_hosts;
using test::other_host;
using test::ResticAnswer;
using test::Story;
using test::summary_line;
using test::TwoHostStory;

constexpr const char* kStatus = BackupStory::kStatus;
constexpr const char* kSession = BackupStory::kSession;
constexpr const char* kRepositoryStatus = BackupStory::kRepositoryStatus;
constexpr const char* kEvents = BackupStory::kEvents;
constexpr const char* kTagged = BackupStory::kTagged;

TEST_CASE("a first backup initialises the repository and tells everybody", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  // As often as it takes: a slow `restic init` gives signs of life.
  story.script.on("PATCH", kRepositoryStatus).always().reply(story.a_repository_here().json());
  story.finds_no_repository()
      .on("init", {.output = "created restic repository\n"})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.output = summary_line()})
      .on("check", {.output = "no errors were found\n"})
      .on("forget", {.output = "[{\"keep\":[{}],\"remove\":null}]\n"})
      .on("stats", {.output = "{\"total_size\":10485764}\n"});
  REQUIRE(story.run());
  CHECK(story.restic.subcommands() ==
        std::vector<std::string>{"cat", "cat", "init", "snapshots", "backup", "check", "forget", "stats"});

  const Json result = test::result_in(story.script.calls());
  REQUIRE(string_at(result, {"phase"}) == "Succeeded");
  CHECK(string_at(result, {"hostname"}) == "host-0");
  REQUIRE(array_at(result, {"snapshots"}).size() == 1);
  CHECK(string_at(array_at(result, {"snapshots"})[0], {"name"}) == "c4aff7e4");
  CHECK(string_at(array_at(result, {"snapshots"})[0], {"path"}) == story.data());
  CHECK_FALSE(result.contains("attempts"));
  const std::string all = test::text_of(story.script.calls());
  CHECK(all.find("\"integrity\":true") != std::string::npos);
  CHECK(all.find("\"firstBackupTime\"") != std::string::npos);
  CHECK(all.find("\"reason\":\"SuccessfulHostBackup\"") != std::string::npos);
  // The Repository's status comes before the host's result.
  CHECK(all.find("/repositories/repo/status") < all.find("\"op\":\"replace\""));
}

TEST_CASE("how far restic has come is told every ten seconds at most, and its numbers stay in the result",
          "[sidecar][backup_story][progress]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_checked_repository_here());
  story.script.on("PATCH", kRepositoryStatus).always().reply(story.a_repository_here().json());
  story.context.stop = [&] {
    story.clock.advance(std::chrono::seconds(3));
    return false;
  };
  // Each line is news.
  const std::string half =
      R"({\"message_type\":\"status\",\"total_files\":99,\"files_done\":$i,\"total_bytes\":20,\"bytes_done\":10})";
  story.restic.on("cat", {})
      .on("snapshots", {.output = "[]\n"})
      .on("backup",
          {.output = summary_line(), .before = "for i in $(seq 10); do echo \"" + half + "\"; sleep 0.1; done"})
      .on("snapshots", {.output = "[]\n"})
      .on("forget", {.output = "[]\n"})
      .on("stats", {.output = "{\"total_size\":10485764}\n"});
  REQUIRE(story.run());
  Json told = Json::array();
  std::optional<TimePoint> before;
  for (const auto& call : story.script.calls()) {
    if (call.method != "PATCH" || call.path != kStatus) continue;
    TimePoint at;
    for (const Json& operation : call.json()) {
      const std::string path = string_at(operation, {"path"});
      if (path == "/status/stats/0/claim/heartbeatTime") at = parse_time(operation["value"].get<std::string>()).value();
      if (path != "/status/stats/0/progress") continue;
      CHECK((!before || at - *before >= std::chrono::seconds(10)));
      before = at;
      if (int_at(operation, {"value", "percentDone"}) == 50) told.push_back(operation["value"]);
    }
  }
  REQUIRE(told.size() >= 2);
  CHECK(told[0] != told[1]);
  for (Json progress : told) {
    progress.erase("filesDone");
    CHECK(progress == Json{{"step", "backup " + story.data()},
                           {"percentDone", 50},
                           {"totalFiles", 99},
                           {"bytesDone", 10},
                           {"totalBytes", 20}});
  }
  const Json result = test::result_in(story.script.calls());
  CHECK(int_at(result, {"progress", "percentDone"}) == 100);
  CHECK(int_at(result, {"progress", "filesDone"}) == 6);
  CHECK_FALSE(result["progress"].contains("step"));
}

TEST_CASE("the password is in no argument and in nothing that is written", "[sidecar][backup_story][F80][I15]") {
  BackupStory story;
  story.restic.write_secret("RESTIC_PASSWORD", "canary-5f3a");
  answer_all(story);
  story.reads(story.a_repository_here());
  story.restic.on("cat", {.output = "{}\n"})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.exit_code = 1, .standard_error = "Fatal: dial https://u:canary-5f3a@h: canary-5f3a\n"});
  REQUIRE(story.run());
  CHECK(test::text_of(story.script.calls()).find("canary") == std::string::npos);
  for (const auto& call : story.restic.calls()) {
    for (const std::string& argument : call.arguments) CHECK(argument.find("canary") == std::string::npos);
    CHECK(call.environment.at("RESTIC_PASSWORD") == "canary-5f3a");
    CHECK_FALSE(call.environment.contains("RESTIC_PASSWORD_COMMAND"));
  }
}

TEST_CASE("a wrong password fails the host and initialises nothing", "[sidecar][backup_story][F35][I5][I14]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  story.restic.on("cat", {.exit_code = 1, .standard_error = test::kWrongPassword});
  REQUIRE(story.run());
  CHECK(story.restic.subcommands() == std::vector<std::string>{"cat"});
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Failed");
  CHECK(string_at(result, {"error"}).find("wrong password for the repository at " + story.repository_directory()) !=
        std::string::npos);
  CHECK(test::text_of(story.script.calls()).find("\"reason\":\"FailedHostBackup\"") != std::string::npos);
}

TEST_CASE("a repository that held backups and is gone is not made again", "[sidecar][backup_story][F36][I14]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here().with([](api::Repository& r) { r.status.first_backup_time = test::kCreated; }));
  story.restic.on("cat", {.exit_code = 1, .standard_error = test::kNoRepository});
  REQUIRE(story.run());
  CHECK(story.restic.subcommands() == std::vector<std::string>{"cat"});
  CHECK(string_at(test::result_in(story.script.calls()), {"error"})
            .find("held backups since 2023-11-14T22:13:20Z and is gone") != std::string::npos);
}

TEST_CASE("a repository's remains are not initialised over", "[sidecar][backup_story][F36][I14]") {
  BackupStory story;
  std::filesystem::create_directories(story.repository_directory() + "/snapshots");
  std::ofstream(story.repository_directory() + "/snapshots/s") << "snapshot";
  answer_all(story);
  story.reads(story.a_repository_here());
  story.reads(story.a_repository_here());
  story.finds_no_repository();
  REQUIRE(story.run());
  CHECK(story.restic.subcommands() == std::vector<std::string>{"cat", "cat"});
  CHECK(string_at(test::result_in(story.script.calls()), {"error"}).find("holds parts of a repository (snapshots)") !=
        std::string::npos);
}

TEST_CASE("a missing path fails the host before restic is asked anything", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  const std::string missing = story.volume / "nope";
  REQUIRE(story.run(story.a_configuration_here().paths({story.data(), missing}).build()));
  CHECK(story.restic.calls().empty());
  CHECK(string_at(test::result_in(story.script.calls()), {"error"})
            .starts_with("a path does not exist in the sidecar: " + missing + ";"));
}

TEST_CASE("a path outside of the application's volumes is not backed up", "[sidecar][backup_story][F72][I16]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  auto configuration = story.a_configuration_here();
  const std::string mount = story.volume.path();
  std::string outside, mounts = mount;
  SECTION("one character too few") {
    outside = "/etc";
    configuration.paths({story.data(), "/etc/"});
  }
  SECTION("the root, with all volumes and our secrets below it") {
    outside = "/";
    configuration.paths({"/"});
  }
  SECTION("the way out by dots") {
    outside = "/etc";
    configuration.paths({mount + "/../../etc"});
  }
  SECTION("a neighbour whose name begins alike") {
    outside = mount + "s";
    configuration.paths({mount + "s"});
  }
  SECTION("a symbolic link on the way") {
    std::filesystem::create_directory_symlink("/usr", story.volume / "link");
    outside = story.volume / "link/share (which leads to /usr/share)";
    configuration.paths({story.volume / "link/share"});
  }
  SECTION("no mounts at all") {
    outside = story.data();
    mounts = "it has none";
    configuration.mounts({});
  }
  REQUIRE(story.run(configuration.build()));
  CHECK(story.restic.calls().empty());
  CHECK(string_at(test::result_in(story.script.calls()), {"error"}) ==
        "not in the application's volumes: " + outside +
            "; nothing was backed up. Each of spec.target.paths must lie at or below a "
            "spec.target.volumeMounts[].mountPath of the BackupConfiguration (" +
            mounts + "): correct the path, or add the mount");
}

TEST_CASE("a mount that is reached by a symbolic link is a mount", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  const test::TemporaryDirectory elsewhere;
  std::filesystem::create_directory_symlink(story.volume.path(), elsewhere / "link");
  story.restic.on("cat", {.exit_code = 1, .standard_error = test::kWrongPassword});
  REQUIRE(story.run(story.a_configuration_here()
                        .paths({elsewhere / "link/data"})
                        .mounts({{"source-data", elsewhere / "link", ""}})
                        .build()));
  CHECK(story.restic.subcommands() == std::vector<std::string>{"cat"});
}

TEST_CASE("a missing Repository and a missing Secret are named with their remedy", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  SECTION("Repository") {
    story.script.on("GET", Story::kRepositoryPath).reply(404);
    REQUIRE(story.run());
    CHECK(string_at(test::result_in(story.script.calls()), {"error"}) ==
          "the Repository \"repo\" does not exist: create it, or correct spec.repository.name of the "
          "BackupConfiguration");
  }
  SECTION("Secret") {
    story.context.restic.settings.secret_directory = "/no/such/directory";
    story.reads(story.a_repository_here());
    REQUIRE(story.run());
    CHECK(string_at(test::result_in(story.script.calls()), {"error"})
              .starts_with("the Secret \"repo-secret\" has no key RESTIC_PASSWORD (it is missing or has no keys)"));
  }
}

TEST_CASE("restic that is missing, old or junk fails the host with a sentence", "[sidecar][backup_story][F41][I6]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  std::string expected;
  SECTION("missing") {
    story.context.restic.settings.program = "/no/such/restic";
    expected = "restic cannot be run: ";
  }
  SECTION("old") {
    story.restic.version("restic 0.9.6 compiled with go1.13\n");
    expected = "restic 0.9.6 is too old";
  }
  SECTION("junk") {
    story.restic.version("hello\n");
    expected = "`restic version` printed something else";
  }
  REQUIRE(story.run());
  CHECK(string_at(test::result_in(story.script.calls()), {"error"}).starts_with(expected));
}

TEST_CASE("unreadable files fail the host, keep its snapshot, and nothing is forgotten", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.exit_code = 3, .output = summary_line(), .standard_error = test::kUnreadable})
      .on("tag", {})
      .on("snapshots", {.output = kTagged});
  REQUIRE(story.run());
  CHECK(story.restic.subcommands() == std::vector<std::string>{"cat", "snapshots", "backup", "tag", "snapshots"});
  const auto arguments = story.restic.calls()[3].arguments;
  CHECK(std::vector<std::string>(arguments.end() - 5, arguments.end()) ==
        std::vector<std::string>{"--quiet", "--add", "stash-incomplete", "--", "c4aff7e4"});
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Failed");
  const std::string error = string_at(result, {"error"});
  CHECK(error.find("2 files could not be read: /src/a (permission denied), /src/noaccess") != std::string::npos);
  // Tagging has given it another id.
  CHECK(error.find("The snapshot 4f1e7c66 has everything else") != std::string::npos);
  CHECK(string_at(array_at(result, {"snapshots"})[0], {"name"}) == "4f1e7c66");
}

TEST_CASE("a snapshot that turned out to have no files is no latest one either", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.output = summary_line("c4aff7e4", 0)})
      .on("tag", {})
      .on("snapshots", {.output = kTagged});
  REQUIRE(story.run());
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"error"}).find("there are no files in it (snapshot 4f1e7c66)") != std::string::npos);
}

TEST_CASE("an incomplete snapshot that could not be tagged is a danger that is told", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.exit_code = 3, .output = summary_line(), .standard_error = test::kUnreadable});
  std::string why;
  SECTION("restic failed") {
    story.restic.on("tag", {.exit_code = 1, .standard_error = "Fatal: something new\n"});
    why = "restic failed (something new)";
  }
  SECTION("restic says nothing and does nothing") {
    story.restic.on("tag", {}).on("snapshots",
                                  {.output = R"([{"id":"c4aff7e499","time":"2026-11-23T09:00:00Z","tags":["a"]}])"});
    why = "restic did not tag it";
  }
  REQUIRE(story.run());
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"error"})
            .ends_with("; it could not be made sure that the snapshot c4aff7e4 has the tag stash-incomplete, and a "
                       "restore of the latest snapshot may take it: " +
                       why));
  CHECK(string_at(array_at(result, {"snapshots"})[0], {"name"}) == "c4aff7e4");
}

TEST_CASE("a restarted container finds the tagged snapshot of its session", "[sidecar][backup_story][F3][I7]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_checked_repository_here());
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kTagged});
  SECTION("and leaves it as it is while the files cannot be read") {
    story.restic.on("backup", {.exit_code = 3, .output = summary_line(""), .standard_error = test::kUnreadable});
    REQUIRE(story.run(story.a_configuration_here().build(), /*resume=*/true));
    CHECK(story.restic.subcommands() == std::vector<std::string>{"cat", "snapshots", "backup"});
    const Json result = test::result_in(story.script.calls());
    CHECK(string_at(result, {"phase"}) == "Failed");
    CHECK(string_at(array_at(result, {"snapshots"})[0], {"name"}) == "4f1e7c66");
  }
  SECTION("and makes a complete one once they can") {
    story.restic.on("backup", {.output = summary_line("", 6)})
        .on("backup", {.output = summary_line()})
        .on("forget", {.output = "[]\n"})
        .on("stats", {.output = "{\"total_size\":1}\n"});
    REQUIRE(story.run(story.a_configuration_here().build(), /*resume=*/true));
    const Json result = test::result_in(story.script.calls());
    CHECK(string_at(result, {"phase"}) == "Succeeded");
    CHECK(string_at(array_at(result, {"snapshots"})[0], {"name"}) == "c4aff7e4");
  }
}

TEST_CASE("of a retention policy that is a dry run the real number of snapshots is told", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_checked_repository_here());
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.output = summary_line()})
      .on("forget", {.output = "[{\"keep\":[{}],\"remove\":[{},{}]}]\n"})
      .on("snapshots", {.output = R"([{"id":"aa"},{"id":"bb"},{"id":"cc"}])"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  REQUIRE(story.run(story.a_configuration_here().retention({.name = "try", .keep_last = 1, .dry_run = true}).build()));
  const std::string all = test::text_of(story.script.calls());
  CHECK(all.find("\"snapshotCount\":3") != std::string::npos);
  CHECK(all.find("\"snapshotsRemovedOnLastCleanup\":0") != std::string::npos);
}

TEST_CASE("a repository is checked a day after its last check, by whatever pod", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_checked_repository_here().with(
      [](api::Repository& r) { r.status.last_check_time.value() -= std::chrono::hours(24); }));
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.output = summary_line()})
      .on("check", {})
      .on("forget", {.output = "[]\n"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  REQUIRE(story.run());
  CHECK(test::text_of(story.script.calls()).find("\"lastCheckTime\":\"2026-11-23T10:") != std::string::npos);
}

TEST_CASE("a repository that another pod made meanwhile is used", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  story.script.on("PATCH", kRepositoryStatus).always().reply(story.a_repository_here().json());
  story.finds_no_repository().on(
      "init", {.exit_code = 1,
               .standard_error = "Fatal: create repository at /safe/data failed: config file already exists\n"});
  SECTION("and ours") {
    story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).on("backup", {.exit_code = 1});
    REQUIRE(story.run());
    CHECK(story.restic.subcommands() == std::vector<std::string>{"cat", "cat", "init", "cat", "snapshots", "backup"});
  }
  SECTION("unless it has another password") {
    story.restic.on("cat", {.exit_code = 1, .standard_error = test::kWrongPassword});
    REQUIRE(story.run());
    CHECK(string_at(test::result_in(story.script.calls()), {"error"}).starts_with("initialising the repository: "));
  }
}

/// The Repository while another pod makes it.
Json initialised_by_another(const BackupStory& story) {
  Json repository = story.a_repository_here().json();
  repository["status"]["initialisation"] = {
      {"podName", "app-0"}, {"podUID", "uid-other"}, {"heartbeatTime", "2026-11-23T10:00:00Z"}};
  return repository;
}

/// No repository at the first look, one at the second: it is used and none is made.
void expect_second_look_finds_it(BackupStory& story, const char* first_look = test::kNoRepository) {
  story.restic.on("cat", {.exit_code = 1, .standard_error = first_look})
      .on("cat", {.output = "{}\n"})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.exit_code = 1});
  REQUIRE(story.run());
  CHECK(story.restic.subcommands() == std::vector<std::string>{"cat", "cat", "snapshots", "backup"});
}

TEST_CASE("a repository that another pod is making is waited for and used", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  story.script.on("GET", test::Story::kRepositoryPath).reply(initialised_by_another(story));
  story.reads(story.a_checked_repository_here());
  story.script.on("PATCH", kRepositoryStatus).always().reply(story.a_repository_here().json());
  expect_second_look_finds_it(story);
}

TEST_CASE("what another pod has made half of is not taken for the remains of a repository", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  story.script.on("GET", test::Story::kRepositoryPath).reply(initialised_by_another(story));
  story.reads(story.a_checked_repository_here());
  story.script.on("PATCH", kRepositoryStatus).always().reply(story.a_repository_here().json());
  expect_second_look_finds_it(story, "Fatal: config cannot be loaded: ciphertext verification failed\n");
}

TEST_CASE("of two pods that would make a repository at once, the second looks again",
          "[sidecar][backup_story][F25][I14]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  story.reads(story.a_repository_here());
  story.script.on("PATCH", kRepositoryStatus).reply(409);
  story.script.on("PATCH", kRepositoryStatus).always().reply(story.a_repository_here().json());
  expect_second_look_finds_it(story);
}

TEST_CASE("a turn to make the repository is taken and given back over an API server that is away",
          "[sidecar][backup_story][F11][F19][I6][I19]") {
  BackupStory story;
  answer_all(story);
  Json ours = initialised_by_another(story);
  ours["status"]["initialisation"]["podUID"] = "uid-pod";
  story.reads(story.a_repository_here());
  story.script.on("GET", test::Story::kRepositoryPath).reply(ours);  // it was written, and only its answer got lost
  story.script.on("PATCH", kRepositoryStatus).reply(504);
  story.script.on("PATCH", kRepositoryStatus).reply(ours);  // taken
  std::atomic<int> tries = 0;
  // Signs of life in between are as many as `restic init` is slow.
  story.script.on("PATCH", kRepositoryStatus).always().reply_with([&](const ApiScript::Call& call) {
    const bool given_back = call.body.find("\"remove\"") != std::string::npos;
    return ApiScript::Reply{given_back && ++tries == 1 ? 500 : 200, dump_json(story.a_repository_here().json()), {}};
  });
  story.finds_no_repository().on("init", {}).on("snapshots", {.output = "[]\n"}).on("backup", {.exit_code = 1});
  REQUIRE(story.run());
  CHECK(story.restic.subcommands() == std::vector<std::string>{"cat", "cat", "init", "snapshots", "backup"});
  CHECK(tries == 2);
  CHECK(story.pauses.size() == 2);
}

TEST_CASE("the turn of a pod that died while it made the repository passes on",
          "[sidecar][backup_story][F3][I6][I14]") {
  BackupStory story;
  answer_all(story);
  story.script.on("GET", test::Story::kRepositoryPath).always().reply(initialised_by_another(story));
  story.script.on("PATCH", kRepositoryStatus).always().reply(story.a_repository_here().json());
  story.finds_no_repository().on("init", {}).on("snapshots", {.output = "[]\n"}).on("backup", {.exit_code = 1});
  REQUIRE(story.run());
  CHECK(story.restic.subcommands() == std::vector<std::string>{"cat", "cat", "init", "snapshots", "backup"});
}

TEST_CASE("a repository that was never finished is said to be spoilt, with the remedy",
          "[sidecar][backup_story][F4][I14]") {
  const test::ResticAnswer damaged{
      .exit_code = 1, .standard_error = "Fatal: config or key b312 is damaged: ciphertext verification failed\n"};
  BackupStory story;
  answer_all(story);
  story.script.on("GET", test::Story::kRepositoryPath).always().reply(story.a_repository_here().json());
  story.script.on("PATCH", kRepositoryStatus).always().reply(story.a_repository_here().json());
  SECTION("by two at once") { story.finds_no_repository().on("init", {}).on("snapshots", damaged); }
  SECTION("for somebody was killed, who left a key") {
    story.finds_no_repository().on(
        "init",
        {.exit_code = 1,
         .standard_error = "Fatal: create key in repository at s3:x failed: repository already contains keys\n"});
  }
  SECTION("for somebody was killed, after whom another left a second key") {
    story.restic.on("cat", damaged).on("cat", damaged);
  }
  REQUIRE(story.run());
  const std::string error = string_at(test::result_in(story.script.calls()), {"error"});
  CHECK(error.contains("or its making was cut short: Stash knows of no backup in it."));
  CHECK(error.contains("remove its files \"config\" and \"keys/*\""));
}

TEST_CASE("nobody is told to remove the keys of a damaged repository that held backups",
          "[sidecar][backup_story][F37][I14]") {
  BackupStory story;
  answer_all(story);
  const auto held_backups =
      story.a_repository_here().with([](api::Repository& r) { r.status.first_backup_time = test::kCreated; });
  story.script.on("GET", test::Story::kRepositoryPath).always().reply(held_backups.json());
  const test::ResticAnswer damaged{
      .exit_code = 1, .standard_error = "Fatal: config or key b312 is damaged: ciphertext verification failed\n"};
  story.restic.on("cat", damaged).on("cat", damaged);
  REQUIRE(story.run());
  CHECK_FALSE(string_at(test::result_in(story.script.calls()), {"error"}).contains("keys/*"));
}

TEST_CASE("a Repository that is not the first at its location leaves init to the first", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  const std::string reason = GENERATE("NotFirst", "First");
  story.reads(story.a_repository_here().with([&reason](api::Repository& repository) {
    repository.status.conditions.push_back({"LocationShared", "True", reason, "b is older", 1, test::kCreated});
  }));
  story.restic.on("cat", {.exit_code = 1, .standard_error = test::kNoRepository});
  if (reason == "First") {
    story.script.on("PATCH", kRepositoryStatus).always().reply(story.a_repository_here().json());
    story.restic.on("cat", {.exit_code = 1, .standard_error = test::kNoRepository}).on("init", {.exit_code = 1});
  }
  REQUIRE(story.run());
  const auto names = story.restic.subcommands();
  CHECK((std::ranges::find(names, "init") != names.end()) == (reason == "First"));
}

TEST_CASE("a container that ends each time in the middle of a backup fails its host instead of trying for ever",
          "[sidecar][backup_story][F6][I6]") {
  const auto [restarts, is_tried] = GENERATE(table<int, bool>({{0, true}, {1, true}, {2, false}}));
  CAPTURE(restarts);
  BackupStory story;
  story.running["status"]["stats"][0]["claim"]["restarts"] = restarts;
  answer_all(story);
  if (is_tried) {
    story.reads(story.a_checked_repository_here());
    story.restic.on("cat", {.exit_code = 1, .standard_error = test::kWrongPassword});
  }
  REQUIRE(story.run(story.a_configuration_here().build(), /*resume=*/true));
  CHECK(story.script.calls().front().json().back() ==
        Json{{"op", "add"}, {"path", "/status/stats/0/claim/restarts"}, {"value", restarts + 1}});
  CHECK(story.restic.calls().empty() != is_tried);
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Failed");
  if (is_tried) return;
  CHECK(string_at(result, {"error"}) ==
        "the container stash ended 3 times in the middle of this backup, which is not tried again. `kubectl -n demo "
        "describe pod app-6f-x` says why it ended; if that is OOMKilled, raise "
        "runtimeSettings.container.resources.limits.memory");
}

TEST_CASE("an outage in the middle of a backup is no restart of its container",
          "[sidecar][backup_story][F11][F26][I6]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_checked_repository_here());
  story.restic.on("cat", {.exit_code = 1, .standard_error = test::kWrongPassword});
  story.memory.begun.insert("uid-app-backup-1700000000");
  REQUIRE(story.run(story.a_configuration_here().build(), /*resume=*/true));
  CHECK_FALSE(test::text_of(story.script.calls()).contains("restarts"));
}

TEST_CASE("a restarted container takes its session's snapshot over instead of making another",
          "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  story.reads(
      story.a_checked_repository_here().with([](api::Repository& r) { r.status.first_backup_time = test::kCreated; }));
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots", {.output = R"([{"id":"deadbeef99","short_id":"deadbeef","time":"2026-11-23T09:00:00Z"}])"})
      .on("backup", {.output = summary_line("", 6)})
      .on("forget", {.output = "[]\n"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  REQUIRE(story.run(story.a_configuration_here().build(), /*resume=*/true));
  const auto calls = story.restic.calls();
  REQUIRE(calls.size() == 5);
  CHECK(std::ranges::find(calls[1].arguments, "stash-session=uid-app-backup-1700000000") != calls[1].arguments.end());
  CHECK(std::ranges::find(calls[2].arguments, "--dry-run") != calls[2].arguments.end());
  CHECK(string_at(array_at(test::result_in(story.script.calls()), {"snapshots"})[0], {"name"}) == "deadbeef");
}

TEST_CASE("a Repository's own Secret and mount are used", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  const test::TemporaryDirectory secret;
  std::ofstream(secret / "RESTIC_PASSWORD") << "of-its-own";
  story.context.repositories = {{{"repo", secret.path()}, {"other", "/nowhere"}}, {{"repo", story.volume / "here"}}};
  story.reads(story.a_checked_repository_here());
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.output = summary_line()})
      .on("forget", {.output = "[]\n"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  REQUIRE(story.run());
  CHECK(string_at(test::result_in(story.script.calls()), {"phase"}) == "Succeeded");
  const auto environment = story.restic.calls().front().environment;
  CHECK(environment.at("RESTIC_PASSWORD") == "of-its-own");
  CHECK(environment.at("RESTIC_REPOSITORY") == story.volume / "here");
}

TEST_CASE("below subPath the place that has a repository is used, and the shorter one when none has",
          "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_checked_repository_here().sub_path("sub"));
  const std::string shorter = story.repository_directory(), longer = shorter + "/sub";
  const auto place_with = [&](const std::string& repository) {
    if (!repository.empty()) {
      std::filesystem::create_directories(repository);
      std::ofstream(repository + "/config") << "restic's";
    }
    story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
    story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).on("backup", {.output = summary_line()});
    story.restic.on("forget", {.output = "[]\n"}).on("stats", {.output = "{\"total_size\":1}\n"});
    REQUIRE(story.run());
    return story.restic.calls().front().environment.at("RESTIC_REPOSITORY");
  };
  SECTION("neither") { CHECK(place_with("") == shorter); }
  SECTION("the one of rc.0") { CHECK(place_with(longer) == longer); }
  SECTION("the one of later releases") { CHECK(place_with(shorter) == shorter); }
  SECTION("both") {
    std::filesystem::create_directories(longer);
    std::ofstream(longer + "/config") << "restic's";
    CHECK(place_with(shorter) == shorter);
  }
}

TEST_CASE("a Pushgateway that is down costs a backup nothing", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_checked_repository_here());
  story.context.metrics = true;
  {
    const ApiScript gone;
    story.context.pushgateway_url = "http://127.0.0.1:" + std::to_string(gone.port());
  }
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).on("backup", {.output = summary_line()});
  story.restic.on("forget", {.output = "[]\n"}).on("stats", {.output = "{\"total_size\":1}\n"});
  REQUIRE(story.run());
  CHECK(string_at(test::result_in(story.script.calls()), {"phase"}) == "Succeeded");
}

TEST_CASE("a failed backup pushes that it failed, and what is known of the repository", "[sidecar][backup_story]") {
  BackupStory story;
  answer_all(story);
  ApiScript gateway;
  gateway.on("PUT", "/metrics/job/app-backup/namespace/demo/hostname/host-0").reply(200, Json());
  story.context.metrics = true;
  story.context.pushgateway_url = "http://127.0.0.1:" + std::to_string(gateway.port());
  story.reads(story.a_repository_here().with([](api::Repository& r) {
    r.status.integrity = true;
    r.status.last_backup_time = test::kCreated;
    r.status.snapshot_count = 7;
    r.status.total_size = "2.000 KiB";
  }));
  story.restic.on("cat", {.exit_code = 1, .standard_error = test::kWrongPassword});
  REQUIRE(story.run());
  const std::string pushed = gateway.calls().back().body;
  for (const char* sample :
       {"stash_backup_setup_success{", "stash_backup_host_backup_success{", "stash_repository_integrity{",
        "stash_repository_size_bytes{", "stash_repository_snapshot_count{", "stash_repository_snapshot_cleaned{"}) {
    CAPTURE(sample);
    CHECK(pushed.find(sample) != std::string::npos);
  }
  CHECK(pushed.find("hostname=\"host-0\"} 0\n") != std::string::npos);
  CHECK(pushed.find("prefix=\"" + story.repository_directory() + "\"} 2048\n") != std::string::npos);
}

TEST_CASE("a failed cleanup leaves the backup Succeeded and warns", "[sidecar][backup_story][F40][I5]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_checked_repository_here());
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.output = summary_line()})
      .on("forget", {.exit_code = 1, .standard_error = "Fatal: something new\n"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  REQUIRE(story.run());
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Succeeded");
  CHECK(string_at(result, {"error"}) == "the retention policy was not applied: restic failed (something new)");
  CHECK(test::text_of(story.script.calls()).find("\"reason\":\"FailedToApplyRetentionPolicy\"") != std::string::npos);
}

TEST_CASE("a host that is not the last leaves check, forget and stats to another", "[sidecar][backup_story]") {
  TwoHostStory story;
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.script.on("PATCH", kStatus).always().reply(of_two_hosts(true, other_host("Running")).json());
  REQUIRE(story.run());
  CHECK(story.restic.subcommands() == std::vector<std::string>{"cat", "snapshots", "backup"});
  CHECK(story.tellings() == 1);
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Succeeded");
  CHECK(bool_at(result, {"backedUp"}));
  CHECK(at(result, {"conditions"}) == nullptr);
}

TEST_CASE("the last host does the upkeep of its session before its result", "[sidecar][backup_story]") {
  TwoHostStory story;
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.script.on("PATCH", kStatus).always().reply(of_two_hosts(true, other_host("Succeeded", true)).json());
  story.restic.on("forget", {.output = "[{\"keep\":[{},{}],\"remove\":[{}]}]\n"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  REQUIRE(story.run());
  const auto calls = story.restic.calls();
  REQUIRE(calls.size() == 5);
  CHECK(std::ranges::find(calls[3].arguments, "--host") == calls[3].arguments.end());
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Succeeded");
  CHECK(array_at(result, {"conditions"}).size() == 3);
}

TEST_CASE("beside a host that failed only those that did not are forgotten, and all snapshots counted",
          "[sidecar][backup_story]") {
  TwoHostStory story;
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.script.on("PATCH", kStatus).always().reply(of_two_hosts(true, other_host("Failed", false)).json());
  story.restic.on("forget", {.output = "[{\"keep\":[{}],\"remove\":[{}]}]\n"})
      .on("snapshots", {.output = "[{\"id\":\"1\"},{\"id\":\"2\"},{\"id\":\"3\"}]\n"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  REQUIRE(story.run());
  const auto forget = story.restic.calls()[3].arguments;
  CHECK(std::ranges::search(forget, std::vector<std::string>{"--host", "host-0"}).size() == 2);
  CHECK(std::ranges::count(forget, "--host") == 1);
  const std::string all = test::text_of(story.script.calls());
  CHECK(all.find("\"snapshotCount\":3") != std::string::npos);
  CHECK(all.find("\"snapshotsRemovedOnLastCleanup\":1") != std::string::npos);
}

TEST_CASE("a pod that comes late takes the upkeep over from the one that waits for it", "[sidecar][backup_story]") {
  TwoHostStory story;
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.script.on("PATCH", kStatus).always().reply_with([](const ApiScript::Call& call) {
    static std::atomic<int> tellings = 0;
    if (call.body.find("backedUp") != std::string::npos) ++tellings;
    const char* phase = tellings < 3 ? "Pending" : "Running";
    return ApiScript::Reply{.body = dump_json(of_two_hosts(true, other_host(phase)).json())};
  });
  REQUIRE(story.run());
  CHECK(story.restic.subcommands() == std::vector<std::string>{"cat", "snapshots", "backup"});
  CHECK(story.tellings() == 3);
  CHECK(std::ranges::count(story.pauses, std::chrono::seconds(15)) == 2);
}

TEST_CASE("where the API server does not keep what is told, every host does the upkeep", "[sidecar][backup_story]") {
  TwoHostStory story;
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.script.on("PATCH", kStatus).always().reply(of_two_hosts(std::nullopt, other_host("Running")).json());
  story.restic.on("forget", {.output = "[]\n"}).on("stats", {.output = "{\"total_size\":1}\n"});
  REQUIRE(story.run());
  CHECK(story.restic.subcommands() == std::vector<std::string>{"cat", "snapshots", "backup", "forget", "stats"});
}

TEST_CASE("somebody else's lock is waited for, and ours is removed first", "[sidecar][backup_story][F38][I12]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_checked_repository_here());
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  story.script.on("GET", "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions")
      .always()
      .reply(Json{{"items", Json::array()}});
  const bool own_name = GENERATE(true, false);
  if (own_name) story.context.restic.own_host_name = "app-6f-x";
  story.restic.on("cat", {})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.exit_code = 1, .standard_error = test::kLocked})
      .on("list", {})
      .on("unlock", {})
      .on("backup", {.output = summary_line()})
      .on("forget", {.output = "[]\n"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  REQUIRE(story.run());
  CHECK(string_at(test::result_in(story.script.calls()), {"phase"}) == "Succeeded");
  const auto names = story.restic.subcommands();
  // On a host name that others may have too, restic's rule "same host, no such process" could take a living lock away.
  CHECK((std::ranges::find(names, "unlock") != names.end()) == own_name);
}

TEST_CASE("a pod that was not fast enough does nothing", "[sidecar][backup_story][F25][I7]") {
  BackupStory story;
  story.script.on("PATCH", kStatus).refuse_test();
  const auto done = story.run();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::conflict);
  CHECK(story.restic.calls().empty());
}

TEST_CASE("a pod whose session was failed meanwhile stops restic and writes nothing",
          "[sidecar][backup_story][F26][I7]") {
  BackupStory story;
  story.reads(story.a_repository_here());
  story.claims();
  // The sign of life answers with the session as it is: the controller has failed it.
  story.script.on("PATCH", kStatus).reply(a_backup_session().phase("Failed").host(Story::running_here()).json());
  story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).hang("backup");
  story.clock.advance(std::chrono::seconds(1));
  REQUIRE(story.run());
  CHECK(test::result_in(story.script.calls()).is_null());
}

TEST_CASE("a pod whose host was given to another one stops restic and writes nothing",
          "[sidecar][backup_story][F26][I7]") {
  BackupStory story;
  story.reads(story.a_repository_here());
  story.claims();
  api::HostStats others = Story::running_here();
  others.claim->pod_uid = "uid-other";
  story.script.on("PATCH", kStatus).refuse_test();
  story.script.on("GET", kSession).reply(a_backup_session().phase("Running").host(others).json());
  story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).hang("backup");
  REQUIRE(story.run());
  CHECK(test::result_in(story.script.calls()).is_null());
}

TEST_CASE("a pod that is being stopped interrupts restic and gives its host back", "[sidecar][backup_story][F9][I6]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).hang("backup");
  story.stop_when = [&story] { return story.restic.subcommands().size() >= 3; };
  REQUIRE(story.run());
  const Json last = story.script.calls().back().json();
  REQUIRE(last.is_array());
  CHECK(std::ranges::count(last, Json{{"op", "add"}, {"path", "/status/stats/0/phase"}, {"value", "Pending"}}) == 1);
  CHECK(std::ranges::count(last, Json{{"op", "remove"}, {"path", "/status/stats/0/claim"}}) == 1);
}

TEST_CASE("a pod that the controller asks to end its work early interrupts restic and gives its host back",
          "[sidecar][backup_story][F29][I11][I13]") {
  BackupStory story;
  story.reads(story.a_repository_here());
  story.claims();
  api::HostStats asked = Story::running_here();
  asked.claim->stop = "RestoreSession demo/app-restore restores the same workload";
  story.script.on("PATCH", kStatus).always().reply(a_backup_session().phase("Running").host(asked).json());
  story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).hang("backup");
  REQUIRE(story.run());
  const Json last = story.script.calls().back().json();
  REQUIRE(last.is_array());
  CHECK(std::ranges::count(last, Json{{"op", "add"}, {"path", "/status/stats/0/phase"}, {"value", "Pending"}}) == 1);
  CHECK(test::result_in(story.script.calls()).is_null());
}

TEST_CASE("an API server that is away while restic runs costs nothing but patience",
          "[sidecar][backup_story][F11][I6]") {
  BackupStory story;
  story.claims();
  story.script.on("GET", Story::kRepositoryPath).reply(503);
  story.reads(story.a_repository_here());
  story.script.on("PATCH", kStatus).times(2).reply(500);
  story.script.on("PATCH", kStatus).always().reply(story.running);
  story.script.on("POST", kEvents).always().reply(201, Json::object());
  story.restic.on("cat", {.exit_code = 1, .standard_error = test::kWrongPassword});
  REQUIRE(story.run());
  CHECK(string_at(test::result_in(story.script.calls()), {"phase"}) == "Failed");
  CHECK_FALSE(story.pauses.empty());
}

/// All that restic does well; what the API server answers to the Repository's status is the test's.
void succeeds_with_checked_repository(BackupStory& story) {
  answer_all(story);
  story.reads(story.a_checked_repository_here());
  story.restic.on("cat", {.output = "{}\n"})
      .on("snapshots", {.output = "[]\n"})
      .on("backup", {.output = summary_line()})
      .on("forget", {.output = "[{\"keep\":[{}],\"remove\":null}]\n"})
      .on("stats", {.output = "{\"total_size\":10485764}\n"});
}

TEST_CASE("nothing is forgotten by the policy of a BackupConfiguration that is gone or another one by now",
          "[sidecar][backup_story][F22][I11]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_checked_repository_here());
  story.script.on("PATCH", kRepositoryStatus).always().reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).on("backup", {.output = summary_line()});
  story.restic.on("stats", {.output = "{\"total_size\":1}\n"});
  std::string reason = "the BackupConfiguration app-backup was deleted";
  SECTION("gone") { story.script.on("GET", BackupStory::kConfiguration).reply(404); }
  SECTION("gone, and the right to see that with it") {
    story.script.on("GET", BackupStory::kConfiguration).reply(403);
    reason = "get BackupConfiguration demo/app-backup: scripted 403";
  }
  SECTION("another one") {
    story.script.on("GET", BackupStory::kConfiguration).reply(story.a_configuration_here().uid("another").json());
  }
  REQUIRE(story.run());
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Succeeded");
  INFO(dump_json(result));
  CHECK(dump_json(result).find("the retention policy was not applied: " + reason) != std::string::npos);
  CHECK(std::ranges::count(story.restic.subcommands(), "forget") == 0);
}

bool forgets_with(const BackupStory& story, const std::string& flag, const std::string& value) {
  const auto calls = story.restic.calls();
  const auto forget = std::ranges::find(calls, "forget", &FakeRestic::Call::subcommand);
  return forget != calls.end() &&
         !std::ranges::search(forget->arguments, std::vector<std::string>{flag, value}).empty();
}

TEST_CASE("what a session has saved is not forgotten by it, whatever the retention policy says",
          "[sidecar][backup_story][F52][I5][I11]") {
  BackupStory story;
  succeeds_with_checked_repository(story);
  story.script.on("PATCH", kRepositoryStatus).always().reply(story.a_repository_here().json());
  REQUIRE(story.run(
      story.a_configuration_here().retention({.name = "tagged", .keep_last = 1, .keep_tags = {"important"}}).build()));
  CHECK(forgets_with(story, "--keep-tag", "important"));
  CHECK(forgets_with(story, "--keep-tag", "stash-session=uid-app-backup-1700000000"));
}

TEST_CASE("snapshots are kept by the policy of when they are forgotten, not of when the backup began",
          "[sidecar][backup_story][F30][I11]") {
  BackupStory story;
  succeeds_with_checked_repository(story);
  story.script.on("PATCH", kRepositoryStatus).always().reply(story.a_repository_here().json());
  SECTION("it was changed meanwhile") {
    story.script.on("GET", BackupStory::kConfiguration)
        .reply(story.a_configuration_here()
                   .with([](auto& configuration) { configuration.spec.retention_policy.keep_last = 99; })
                   .json());
    REQUIRE(story.run());
    CHECK(forgets_with(story, "--keep-last", "99"));
  }
  SECTION("nobody can tell: the API server is away") {
    story.script.on("GET", BackupStory::kConfiguration).reply(503);
    REQUIRE(story.run());
    CHECK(forgets_with(story, "--keep-last", "5"));
  }
}

TEST_CASE("a Repository that was made anew meanwhile is told nothing of the backup",
          "[sidecar][backup_story][F22][I7]") {
  BackupStory story;
  succeeds_with_checked_repository(story);
  story.script.on("PATCH", kRepositoryStatus).reply_with([](const ApiScript::Call& call) {
    return ApiScript::Reply{string_at(call.json(), {"metadata", "resourceVersion"}).empty() ? 200 : 409, "{}", {}};
  });
  story.reads(story.a_repository_here().uid("another"));
  REQUIRE(story.run());
  CHECK(string_at(test::result_in(story.script.calls()), {"phase"}) == "Succeeded");
}

TEST_CASE("a Repository that was made anew while one waits for its turn is not the one to initialise",
          "[sidecar][backup_story][F22][F25][I14]") {
  BackupStory story;
  answer_all(story);
  story.reads(story.a_repository_here());
  story.script.on("PATCH", kRepositoryStatus).reply(409);
  story.reads(story.a_repository_here().uid("another"));
  story.restic.on("cat", {.exit_code = 1, .standard_error = test::kNoRepository});
  REQUIRE(story.run());
  CHECK(story.restic.subcommands() == std::vector<std::string>{"cat"});
  CHECK(string_at(test::result_in(story.script.calls()), {"error"}).find("made anew") != std::string::npos);
}

TEST_CASE("a claim is for the session that was seen and for no other of its name", "[sidecar][backup_story][F22][I7]") {
  BackupStory story;
  story.script.on("PATCH", kStatus).refuse_test();
  const auto ended = story.run();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code == ErrorCode::conflict);
  const Json uid = *at(story.pending, {"metadata", "uid"});
  CHECK(story.script.calls().front().json().front() == Json{{"op", "test"}, {"path", "/metadata/uid"}, {"value", uid}});
}

TEST_CASE("the Repository learns of a backup although the API server was away when it ended",
          "[sidecar][backup_story][F11][F12][I14][I19]") {
  BackupStory story;
  succeeds_with_checked_repository(story);
  story.script.on("PATCH", kRepositoryStatus).reply(500);
  story.script.on("PATCH", kRepositoryStatus).times(2).reply(409);
  story.reads(story.a_checked_repository_here());
  story.reads(story.a_checked_repository_here());
  story.script.on("PATCH", kRepositoryStatus).reply(story.a_repository_here().json());
  REQUIRE(story.run());
  CHECK(story.pauses.size() == 2);  // a first conflict is no surprise and costs no time
  const std::string all = test::text_of(story.script.calls());
  CHECK(all.rfind("\"firstBackupTime\"") < all.find("\"op\":\"replace\""));
}

TEST_CASE("a result that meets a conflict is written to the entry's new place", "[sidecar][backup_story][F17][I7]") {
  BackupStory story;
  api::HostStats other;
  other.hostname = "host-7";
  const Json moved = a_backup_session().phase("Running").host(other).host(Story::running_here()).json();
  HostStatus status(story.context, api::kBackupSessions, story.running, "host-0", *host_entry(story.running, "host-0"));
  story.script.on("PATCH", kStatus).refuse_test();
  story.script.on("GET", kSession).reply(moved);
  story.script.on("PATCH", kStatus).reply(moved);
  api::HostStats result = Story::running_here();
  result.phase = "Succeeded";
  REQUIRE(status.write_result(result));
  CHECK(story.script.calls().back().body.find("/status/stats/1") != std::string::npos);
}

TEST_CASE("a result whose answer got lost is not written twice", "[sidecar][backup_story][F19][I7]") {
  BackupStory story;
  api::HostStats result = Story::running_here();
  result.phase = "Succeeded";
  HostStatus status(story.context, api::kBackupSessions, story.running, "host-0", *host_entry(story.running, "host-0"));
  story.script.on("PATCH", kStatus).reply(504);
  story.script.on("PATCH", kStatus).refuse_test();
  story.script.on("GET", kSession).reply(a_backup_session().phase("Succeeded").host(result).json());
  CHECK(status.write_result(result));
}

TEST_CASE("a session of the same name that is another one gets no result", "[sidecar][backup_story][F22][I7]") {
  BackupStory story;
  HostStatus status(story.context, api::kBackupSessions, story.running, "host-0", *host_entry(story.running, "host-0"));
  story.script.on("PATCH", kStatus).refuse_test();
  story.script.on("GET", kSession)
      .reply(a_backup_session().uid("another").phase("Running").host(Story::running_here()).json());
  api::HostStats result = Story::running_here();
  result.phase = "Succeeded";
  const auto written = status.write_result(result);
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::cancelled);
}

}  // namespace
}  // namespace stash::sidecar
