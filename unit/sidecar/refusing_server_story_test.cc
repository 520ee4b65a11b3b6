#include <catch2/catch.hpp>

#include "sidecar/run_backup.h"
#include "unit/sidecar/backup_story.h"

/// What a repository's server costs that refuses for hours, while a schedule makes one session after the other.
namespace stash::sidecar {
namespace {

using test::a_backup_session;
using test::a_repository;
using test::BackupStory;

constexpr const char* kConfiguration =
    "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupconfigurations/app-backup";
constexpr const char* kRefused =
    "Fatal: unable to open repository at rest:https://host:8000/: dial tcp 10.0.0.1:8000: connect: connection refused";

/// A sidecar at rest that is shown one session after the other, as by the schedule or by retryConfig.
struct RefusingServer : BackupStory {
  std::vector<std::string> slots;
  Json ended = Json::array();

  RefusingServer() {
    script.on("GET", kSessionPath).reply(list_of({}, "100"));
    script.on("GET", kConfiguration).always().reply(a_configuration_here().json());
    script.on("POST", kEvents).always().reply(201, Json::object());
    script.on("GET", kRepositoryPath)
        .always()
        .reply(a_repository()
                   .with([](api::Repository& repository) {
                     repository.spec.backend.local.reset();
                     repository.spec.backend.rest = api::RestBackend{"https://host:8000/"};
                   })
                   .json());
  }
  std::string status_of(const std::string& slot) const { return std::string(kSessionPath) + "/" + slot + "/status"; }
  void shows(const std::string& slot) {
    slots.push_back(slot);
    restic.on("cat", {.exit_code = 1, .standard_error = kRefused});
    script.on("GET", kSessionPath, "watch=true&resourceVersion=100")
        .stream_events({{"ADDED", a_backup_session(slot).stamped().json()}});
    script.on("PATCH", status_of(slot))
        .always()
        .reply(a_backup_session(slot).phase("Running").host(running_here()).json());
    ended.push_back(a_backup_session(slot).phase("Failed").host("host-0", "Failed").json());
    script.on("GET", kSessionPath).reply(list_of(ended, "100"));
  }
  void run() {
    script.on("GET", kSessionPath, "watch=true&resourceVersion=100").stream({}).then_hang();
    stop_when = [this] { return script.wait_until_done(std::chrono::milliseconds(0)); };
    run_backup(context, {"app-backup"});
  }
};

TEST_CASE("a server that refuses for hours costs each session one try of restic, one result and one event",
          "[sidecar][refusing_server][F33][I6][I20]") {
  RefusingServer story;
  for (const char* slot : {"slot-1", "slot-2", "slot-2-retry-1", "slot-3"}) story.shows(slot);
  story.run();
  CHECK(story.restic.subcommands() == std::vector<std::string>(story.slots.size(), "cat"));

  std::map<std::string, std::size_t> claims, results, others;
  for (const auto& call : story.script.calls()) {
    if (call.method == "GET") continue;
    if (call.path == BackupStory::kEvents) {
      ++others["events"];
      CHECK(string_at(call.json(), {"message"}).find("cannot be reached") != std::string::npos);
      continue;
    }
    INFO(call.body);
    if (call.body.contains("Failed")) {
      ++results[call.path];
    } else if (call.body.contains("/claim")) {
      ++claims[call.path];
    } else {
      ++others[call.path];
    }
  }
  for (const std::string& slot : story.slots) {
    CHECK(results[story.status_of(slot)] == 1);
    INFO(test::text_of(story.script.calls()));
    // The claim itself, and how far it is: every ten seconds at most, of a contact that is given up after a minute.
    CHECK(claims[story.status_of(slot)] <= 7);
  }
  CHECK(others == std::map<std::string, std::size_t>{{"events", story.slots.size()}});
}

}  // namespace
}  // namespace stash::sidecar
