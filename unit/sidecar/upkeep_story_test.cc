#include <catch2/catch.hpp>

#include "api/backup_session_host.h"
#include "sidecar/upkeep_run.h"
#include "unit/sidecar/story.h"

namespace stash::sidecar {
namespace {

using test::Story;

/// The upkeep after a session of two named hosts, host-0 (this pod's) and host-1.
struct UpkeepStory : Story {
  Json session = test::a_backup_session().json();
  std::string path =
      "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessionhosts/" + api::host_object_ref(session, "").name;
  BackupMemory memory;

  static constexpr const char* kRepositoryStatus =
      "/apis/stash.appscode.com/v1alpha1/namespaces/demo/repositories/repo/status";

  Json object(const Json& upkeep) const {
    return {{"apiVersion", "stash.appscode.com/v1beta1"},
            {"kind", "BackupSessionHost"},
            {"metadata", {{"name", api::host_object_ref(session, "").name}, {"namespace", "demo"}}},
            {"spec", {{"backupSession", {{"uid", session["metadata"]["uid"]}}}, {"upkeep", upkeep}}},
            {"status", {{"stats", Json::array({api::encode_host(running_here())})}}}};
  }
  Result<bool> run(const Json& upkeep) {
    script.on("PATCH", path).times(1).reply(object(upkeep));
    script.on("GET", path).times(1).reply(object(upkeep));
    script.on("GET", kRepositoryPath).reply(a_checked_repository_here().json());
    script.on("PATCH", kRepositoryStatus).reply(a_repository_here().json());
    script.on("PATCH", path).always().reply(object(upkeep));
    script.on("POST", "/api/v1/namespaces/demo/events").always().reply(201, Json::object());
    const api::BackupConfiguration configuration = a_configuration_here().build();
    stays(configuration);
    const NextSession next{.name = "app-backup-1700000000",
                           .uid = string_at(session, {"metadata", "uid"}),
                           .entry = {.index = 0, .phase = "Pending", .pod = "", .pod_uid = ""},
                           .beside = true,
                           .upkeep = true};
    return run_session_upkeep(context, memory, configuration, session, next, "host-0");
  }
};

TEST_CASE("the upkeep is given up when the container has ended in the middle of it three times",
          "[sidecar][upkeep_story][F6][I6]") {
  UpkeepStory story;
  const bool was_outage = GENERATE(false, true);
  const NextSession next{
      .name = "app-backup-1700000000",
      .uid = string_at(story.session, {"metadata", "uid"}),
      .entry = {.index = 0, .phase = "Running", .pod = "app-6f-x", .pod_uid = "uid-pod", .restarts = 2},
      .resume = true,
      .beside = true,
      .upkeep = true};
  // This container has only backed its host up.
  story.memory.begun.insert(next.uid);
  if (was_outage) story.memory.upkeep_begun.insert(next.uid);
  const Json object = story.object(Json::object());
  story.script.on("PATCH", story.path).always().reply(object);
  if (was_outage) {
    story.script.on("GET", story.path).reply(object);
    story.script.on("GET", test::Story::kRepositoryPath).reply(story.a_checked_repository_here().json());
    story.script.on("POST", "/api/v1/namespaces/demo/events").always().reply(201, Json::object());
    story.restic.on("cat", {.exit_code = 1, .standard_error = test::kWrongPassword});
  }
  CHECK(run_session_upkeep(story.context, story.memory, story.a_configuration_here().build(), story.session, next,
                           "host-0") == true);
  CHECK(story.restic.calls().empty() != was_outage);
  CHECK((story.script.calls().front().json().back() ==
         Json{{"op", "add"}, {"path", "/status/stats/0/claim/restarts"}, {"value", 3}}) != was_outage);
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Failed");
  if (was_outage) return;
  CHECK(string_at(result, {"error"})
            .starts_with("the container stash ended 3 times in the middle of the upkeep of the repository (check, "
                         "retention policy), which is not tried again."));
}

TEST_CASE("the upkeep leaves the snapshots alone of hosts that failed, and of those that never had a name",
          "[sidecar][upkeep_story][F28][I11]") {
  const auto [upkeep, for_all, why] = GENERATE(table<Json, bool, std::string>(
      {{Json{{"backedUp", {"host-0", "host-1"}}}, true, ""},
       {Json{{"backedUp", {"host-0"}}, {"leftAlone", {"host-1"}}}, false, "the backup of host-1 failed"},
       {Json{{"backedUp", {"host-0", "host-1"}}, {"unnamed", 1}}, false, "no pod has taken 1 more"}}));
  UpkeepStory story;
  story.restic.on("cat", {})
      .on("forget", {.output = "[{\"keep\":[{}],\"remove\":[{}]}]\n"})
      .on("snapshots", {.output = "[{\"id\":\"1\"},{\"id\":\"2\"}]\n"})
      .on("stats", {.output = "{\"total_size\":1}\n"});
  CHECK(story.run(upkeep) == true);
  const auto forget = story.restic.calls().at(1).arguments;
  CHECK((std::ranges::count(forget, "--host") == 0) == for_all);
  CHECK(std::ranges::count(forget, "stash-session=uid-app-backup-1700000000") == 1);
  CHECK_THAT(dump_json(test::result_in(story.script.calls())), Catch::Contains(why));
}

}  // namespace
}  // namespace stash::sidecar
