#include <catch2/catch.hpp>

#include "unit/sidecar/backup_story.h"

namespace stash::sidecar {
namespace {

using test::BackupStory;
using test::of_two_hosts;
using test::other_host;

TEST_CASE("a host that is given up as its container ends each time does the upkeep for the others, once",
          "[sidecar][given_up][F6][F28][I6][I11]") {
  const bool was_tried = GENERATE(false, true);
  CAPTURE(was_tried);
  BackupStory story;
  const auto other = other_host("Succeeded", true);
  story.running = of_two_hosts(was_tried ? std::optional(false) : std::nullopt, other).json();
  story.running["status"]["stats"][0]["claim"]["restarts"] = 2;
  story.script.on("PATCH", BackupStory::kStatus).always().reply(of_two_hosts(false, other).json());
  story.script.on("POST", BackupStory::kEvents).always().reply(201, Json::object());
  if (!was_tried) {
    story.reads(story.a_checked_repository_here());
    story.script.on("PATCH", BackupStory::kRepositoryStatus).reply(story.a_repository_here().json());
    story.restic.on("cat", {})
        .on("forget", {.output = "[{\"keep\":[{}],\"remove\":[{}]}]\n"})
        .on("snapshots", {.output = "[{\"id\":\"1\"}]\n"})
        .on("stats", {.output = "{\"total_size\":1}\n"});
  }
  REQUIRE(story.run(story.a_configuration_here().build(), /*resume=*/true));
  const auto calls = story.restic.calls();
  if (was_tried) {
    CHECK(calls.empty());
  } else {
    CHECK(story.restic.subcommands() == std::vector<std::string>{"cat", "forget", "snapshots", "stats"});
    REQUIRE(calls.size() == 4);
    CHECK(std::ranges::search(calls[1].arguments, std::vector<std::string>{"--host", "host-1"}).size() == 2);
    CHECK(std::ranges::count(calls[1].arguments, "--host") == 1);
  }
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Failed");
  CHECK(string_at(result, {"error"})
            .starts_with(was_tried ? "the container stash ended 3 times in the middle of this backup, at last in the "
                                     "upkeep of the repository (check, retention policy), which is not tried again."
                                   : "the container stash ended 3 times in the middle of this backup, which is not "
                                     "tried again."));
}

TEST_CASE("a host whose hooks cannot be run, and whose upkeep ends the container each time, is given up as well",
          "[sidecar][given_up][F6][F8][I6]") {
  BackupStory story;
  const auto other = other_host("Succeeded", true);
  story.running = of_two_hosts(false, other).json();
  story.running["status"]["stats"][0]["claim"]["restarts"] = 2;
  story.script.on("PATCH", BackupStory::kStatus).always().reply(of_two_hosts(false, other).json());
  story.script.on("POST", BackupStory::kEvents).always().reply(201, Json::object());
  auto configuration = story.a_configuration_here().build();
  api::Hook two_actions;
  two_actions.http_get = api::HttpAction{.path = "/freeze", .port = "80"};
  two_actions.tcp_socket = api::TcpAction{.port = "80"};
  configuration.spec.pre_backup = two_actions;
  REQUIRE(story.run(configuration, /*resume=*/true));
  CHECK(story.restic.calls().empty());
  const std::string error = string_at(test::result_in(story.script.calls()), {"error"});
  CHECK_THAT(error,
             Catch::StartsWith("hooks.preBackup") &&
                 Catch::Contains("; and the container stash ended 3 times in the middle of this backup, at last"));
}

TEST_CASE("a host that is given up, and cannot open the repository for the others, keeps its own error",
          "[sidecar][given_up][F6][F28][I6]") {
  BackupStory story;
  const auto other = other_host("Succeeded", true);
  story.running = of_two_hosts(std::nullopt, other).json();
  story.running["status"]["stats"][0]["claim"]["restarts"] = 2;
  story.script.on("PATCH", BackupStory::kStatus).always().reply(of_two_hosts(false, other).json());
  story.script.on("POST", BackupStory::kEvents).always().reply(201, Json::object());
  const bool is_read = GENERATE(false, true);
  if (is_read) {
    story.reads(story.a_checked_repository_here());
    story.restic.on("cat", {.exit_code = 1, .standard_error = test::kWrongPassword});
  } else {
    story.script.on("GET", test::Story::kRepositoryPath).reply(404, Json::object());
  }
  REQUIRE(story.run(story.a_configuration_here().build(), /*resume=*/true));
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"error"}).starts_with("the container stash ended 3 times"));
  CHECK(at(result, {"conditions"}) == nullptr);
  CHECK_THAT(test::text_of(story.script.calls()),
             Catch::Contains("the upkeep of the repository is left to the next session: ") &&
                 Catch::Contains(is_read ? "opening the repository: wrong password" : "does not exist"));
}

}  // namespace
}  // namespace stash::sidecar
