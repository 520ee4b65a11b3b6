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
