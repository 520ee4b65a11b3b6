#include "sidecar/run_backup.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "api/backup_session_host.h"
#include "sidecar/create_backupsession.h"
#include "sidecar/left_frozen.h"
#include "sidecar/session_queue.h"
#include "unit/sidecar/backup_story.h"

namespace stash::sidecar {
namespace {

using test::a_backup_session;
using test::Story;

constexpr const char* kConfiguration =
    "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupconfigurations/app-backup";
constexpr const char* kSelector = "labelSelector=stash.appscode.com/backup-configuration=app-backup";

/// Stops the sidecar once the script has been played, or has been left so far behind that it never will be.
void run_through(Story& story, const std::vector<std::string>& configurations = {"app-backup"}) {
  story.stop_when = [&story] {
    return story.script.wait_until_done(std::chrono::milliseconds(0)) || story.script.calls().size() > 500;
  };
  run_backup(story.context, configurations);
}

TEST_CASE("at rest the sidecar holds one watch and writes nothing", "[sidecar][run_backup]") {
  Story story;
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({}, "100"));
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100").stream_events({});
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100").stream({}).then_hang();
  run_through(story);
  for (const auto& call : story.script.calls()) CHECK(call.method == "GET");
}

/// A container was killed with the application frozen for a session of the list or of none; this is the next one.
struct LeftFrozenStory : Story {
  ApiScript application;
  api::BackupConfiguration configuration = a_configuration_here().build();
  std::string note = context.restic.settings.home + "/frozen.json";

  LeftFrozenStory() {
    api::Hook thaw;
    thaw.http_get = api::HttpAction{.path = "/thaw", .port = std::to_string(application.port())};
    configuration.spec.post_backup = thaw;
  }
  void froze_for(const std::string& uid) { note_frozen(context, uid, configuration); }
  void lists_nothing() {
    script.on("GET", kSessionPath, kSelector).reply(list_of({}, "100"));
    script.on("GET", kSessionPath, "watch=true&resourceVersion=100").stream({}).then_hang();
  }
};

TEST_CASE("what a killed container left frozen is thawed when its session is over", "[sidecar][run_backup][F3][I9]") {
  LeftFrozenStory story;
  story.froze_for("uid-of-a-deleted-session");
  story.lists_nothing();
  SECTION("") { story.application.on("GET", "/thaw").reply(200, Json()); }
  SECTION("also when the application is not up yet") {
    story.application.on("GET", "/thaw").times(2).reply(503);
    story.application.on("GET", "/thaw").reply(200, Json());
  }
  SECTION("but not over and over by an application that refuses it") {
    story.application.on("GET", "/thaw").times(5).reply(500);
  }
  run_through(story);
  CHECK(story.application.wait_until_done(std::chrono::milliseconds(0)));
  CHECK_FALSE(std::filesystem::exists(story.note));
}

TEST_CASE("what a killed container left frozen is thawed when no session can be looked at",
          "[sidecar][run_backup][F3][F11][F20][I9]") {
  LeftFrozenStory story;
  story.froze_for("uid-app-backup-1700000000");
  story.script.on("GET", Story::kSessionPath, kSelector).reply(GENERATE(403, 503));
  story.lists_nothing();
  std::size_t calls = 0;  // read after the server's thread has answered
  story.application.on("GET", "/thaw").before([&] { calls = story.script.calls().size(); }).reply(200, Json());
  run_through(story);
  CHECK(calls == 1);
  CHECK_FALSE(std::filesystem::exists(story.note));
}

TEST_CASE("what was left frozen for a session that goes on stays so until its own thaw",
          "[sidecar][run_backup][F3][I9]") {
  LeftFrozenStory story;
  story.froze_for("uid-app-backup-1700000000");
  const Json session = a_backup_session().phase("Running").host(Story::running_here()).json();
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({session}, "100"));
  story.script.on("GET", kConfiguration).reply(api::encode(story.configuration));
  story.script.on("PATCH", std::string(Story::kSessionPath) + "/app-backup-1700000000/status").refuse_test();
  run_through(story);
  CHECK(story.application.calls().empty());
  CHECK(left_frozen_for(story.context) == "uid-app-backup-1700000000");
}

TEST_CASE("a note of what is frozen thaws nothing that its policy leaves alone, and nothing when it is spoilt",
          "[sidecar][run_backup][F3][I9][I17]") {
  LeftFrozenStory story;
  SECTION("policy") {
    story.configuration.spec.post_backup->execution_policy = "OnSuccess";
    story.froze_for("uid-of-a-deleted-session");
  }
  SECTION("cut off") { std::ofstream(story.note) << R"({"sessionUID":"u","configuration":{"spec":{"hooks":)"; }
  SECTION("of something else") { std::ofstream(story.note) << R"({"sessionUID":["u"],"configuration":[1]})"; }
  SECTION("empty") { std::ofstream(story.note) << ""; }
  SECTION("no file") { std::filesystem::create_symlink("/dev/zero", story.note); }
  story.lists_nothing();
  run_through(story);
  CHECK(story.application.calls().empty());
  CHECK_FALSE(std::filesystem::is_symlink(story.note));
  CHECK_FALSE(std::filesystem::exists(story.note));
}

TEST_CASE("a session that appears in the watch is claimed as it was shown", "[sidecar][run_backup]") {
  Story story;
  const Json session = a_backup_session().stamped().json();
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({}, "100"));
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100").stream_events({{"ADDED", session}});
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  story.script.on("PATCH", std::string(Story::kSessionPath) + "/app-backup-1700000000/status").refuse_test();
  run_through(story);
}

TEST_CASE("a pod that is stopped while it works on what the watch showed looks for nothing more",
          "[sidecar][run_backup]") {
  Story story;
  const Json session = a_backup_session().stamped().json();
  const std::string status = std::string(Story::kSessionPath) + "/app-backup-1700000000/status";
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({}, "100"));
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100").stream_events({{"ADDED", session}});
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  story.script.on("PATCH", status).reply(session);
  story.script.on("GET", Story::kRepositoryPath).reply(404);
  story.script.on("PATCH", status).reply(session);
  story.stop_when = [&story] { return story.script.calls().size() >= 5; };
  run_backup(story.context, {"app-backup"});
  CHECK(story.script.calls().size() == 6);
  CHECK(story.script.calls().back().body.contains("Pending"));
}

TEST_CASE("after what the watch showed it goes on from there, without another list", "[sidecar][run_backup][I20]") {
  Story story;
  Json session = a_backup_session().stamped().json();
  session["metadata"]["resourceVersion"] = "123";
  const std::string status = std::string(Story::kSessionPath) + "/app-backup-1700000000/status";
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({}, "100"));
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100").stream_events({{"ADDED", session}});
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  story.script.on("PATCH", status).reply(session);
  story.script.on("GET", Story::kRepositoryPath).reply(404);
  story.script.on("PATCH", status).reply(session);
  story.script.on("POST", "/api/v1/namespaces/demo/events").reply(201);
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=123").stream({}).then_hang();
  run_through(story);
}

TEST_CASE("its own claim, which the watch shows after its result, makes no next session wait",
          "[sidecar][run_backup][I20]") {
  Story story;
  Json session = a_backup_session().stamped().json();
  session["metadata"]["resourceVersion"] = "123";
  const Json claimed = a_backup_session().phase("Running").host(Story::running_here()).json();
  const Json done = a_backup_session().phase("Running").host("host-0", "Failed").json();
  const std::string status = std::string(Story::kSessionPath) + "/app-backup-1700000000/status";
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({}, "100"));
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100").stream_events({{"ADDED", session}});
  story.script.on("GET", kConfiguration).times(2).reply(story.a_configuration_here().json());
  story.script.on("PATCH", status).reply(claimed);
  story.script.on("GET", Story::kRepositoryPath).reply(404);
  story.script.on("PATCH", status).reply(done);
  story.script.on("POST", "/api/v1/namespaces/demo/events").reply(201);
  // With one that was made before the result, and so is after the claim only.
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=123")
      .stream_events({{"MODIFIED", session},
                      {"MODIFIED", claimed},
                      {"ADDED", a_backup_session("next").stamped().json()},
                      {"MODIFIED", done}});
  story.script.on("PATCH", std::string(Story::kSessionPath) + "/next/status").refuse_test();
  run_through(story);
  CHECK(story.pauses.empty());
}

Json with_objects(Json session) {
  session["status"]["hostObjects"] = true;
  session["status"]["totalHosts"] = 9;
  session["status"].erase("stats");
  session["metadata"]["resourceVersion"] = "123";
  return session;
}
std::string object_path(const Json& session, std::string_view host) {
  return "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessionhosts/" +
         api::host_object_ref(session, host).name;
}
Json object_of(const Json& session, const std::string& phase, const std::string& pod = "") {
  Json entry = {{"hostname", "host-0"}, {"phase", phase}};
  if (!pod.empty()) entry["claim"] = {{"podName", pod}, {"podUID", pod == "web-1" ? "uid-web-1" : "another"}};
  return {{"apiVersion", "stash.appscode.com/v1beta1"},
          {"kind", "BackupSessionHost"},
          {"metadata", {{"name", api::host_object_ref(session, "host-0").name}, {"namespace", "demo"}}},
          {"spec", {{"backupSession", {{"uid", session["metadata"]["uid"]}}}, {"hostname", "host-0"}}},
          {"status", {{"stats", Json::array({entry})}}}};
}

TEST_CASE("a host that is an object of its own is claimed there, unread where the watch showed its session first",
          "[sidecar][run_backup][I20]") {
  Story story;
  const Json session = with_objects(a_backup_session().stamped().json());
  bool watched = false;
  SECTION("watched") {
    watched = true;
    story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({}, "100"));
    story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100").stream_events({{"ADDED", session}});
    story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  }
  SECTION("listed") {
    story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({session}, "100"));
    story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
    story.script.on("GET", object_path(session, "host-0")).reply(object_of(session, "Pending"));
  }
  story.script.on("PATCH", object_path(session, "host-0")).refuse_test();
  run_through(story);
  CHECK(std::ranges::count(story.pauses, stagger(session, "uid-pod")) == (watched ? 1 : 0));
  CHECK(story.script.calls().back().body.contains("/status/stats/0/claim"));
}

TEST_CASE("a host of its own that another pod has, that has ended or that is not there is left alone",
          "[sidecar][run_backup][F25][I7]") {
  Story story;
  const Json session = with_objects(a_backup_session().stamped().json());
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({session}, "100"));
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  SECTION("another's") {
    story.script.on("GET", object_path(session, "host-0")).reply(object_of(session, "Running", "web-2"));
  }
  SECTION("ended") { story.script.on("GET", object_path(session, "host-0")).reply(object_of(session, "Succeeded")); }
  SECTION("missing") { story.script.on("GET", object_path(session, "host-0")).reply(404); }
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100").stream({}).then_hang();
  run_through(story);
}

TEST_CASE("a host of its own of a session that makes way for a restore is read, and not claimed",
          "[sidecar][run_backup][F29][I9][I13]") {
  Story story;
  Json session = with_objects(a_backup_session().stamped().json());
  session["status"]["reason"] = "RestoreInProgress";
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({}, "100"));
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100").stream_events({{"ADDED", session}});
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  story.script.on("GET", object_path(session, "host-0")).reply(object_of(session, "Pending"));
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=123").stream({}).then_hang();
  run_through(story);
}

TEST_CASE("whoever is told to do the upkeep after a session claims it in its object",
          "[sidecar][run_backup][F28][I11]") {
  Story story;
  Json session = with_objects(a_backup_session().stamped().json());
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({session}, "100"));
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  story.script.on("GET", object_path(session, "host-0")).reply(object_of(session, "Succeeded"));
  Json others = session, ours = session;
  others["status"]["upkeepHost"] = "host-7";
  ours["status"]["upkeepHost"] = "host-0";
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100")
      .stream_events({{"MODIFIED", others}, {"MODIFIED", ours}});
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  story.script.on("GET", object_path(session, "")).reply(object_of(session, "Pending"));
  story.script.on("PATCH", object_path(session, "")).refuse_test();
  run_through(story);
}

TEST_CASE("a host whose result could not be written is taken up again", "[sidecar][run_backup][F20][I5][I6]") {
  Story story;
  const Json session = with_objects(a_backup_session().stamped().json());
  Json ours = object_of(session, "Running");
  ours["status"]["stats"][0] = api::encode_host(Story::running_here());
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({}, "100"));
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100").stream_events({{"ADDED", session}});
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  story.script.on("GET", Story::kRepositoryPath).always().reply(404);
  story.script.on("PATCH", object_path(session, "host-0")).always().reply_with([&ours](const ApiScript::Call& call) {
    const bool result = call.body.find("\"replace\"") != std::string::npos;
    return result ? ApiScript::Reply{.status = 403, .body = dump_json(status_of(403, "Forbidden", "no right"))}
                  : ApiScript::Reply{.body = dump_json(ours)};
  });
  story.script.on("POST", "/api/v1/namespaces/demo/events").always().reply(201, Json::object());
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({session}, "200"));
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  story.script.on("GET", object_path(session, "host-0")).reply(ours);
  run_through(story);
}

TEST_CASE("a host that the controller wanted back is not claimed again while its session waits to be ended",
          "[sidecar][run_backup][F29][I13]") {
  test::BackupStory story;
  const Json session = a_backup_session().stamped().json();
  const std::string status = std::string(Story::kSessionPath) + "/app-backup-1700000000/status";
  api::HostStats asked = Story::running_here();
  asked.claim->stop = "RestoreSession demo/app-restore restores the same workload";
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({session}, "100"));
  story.script.on("PATCH", status).always().reply(a_backup_session().phase("Running").host(asked).json());
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_checked_repository_here().json());
  story.stays(story.a_configuration_here().build());
  story.restic.hang("cat");
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({session}, "101"));
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=101").stream({}).then_hang();
  run_through(story);
  CHECK(std::ranges::count_if(story.script.calls(), [](const auto& call) {
          return call.body.contains(R"("op":"add","path":"/status/stats/0/phase","value":"Running")");
        }) == 1);
}

TEST_CASE("a host that the controller wanted back is given back again when that did not get through",
          "[sidecar][run_backup][F19][I6][I13]") {
  test::BackupStory story;
  const std::string status = std::string(Story::kSessionPath) + "/app-backup-1700000000/status";
  api::HostStats asked = Story::running_here();
  asked.claim->stop = "RestoreSession demo/app-restore restores the same workload";
  const Json still_ours = a_backup_session().phase("Running").host(asked).json();
  int given_back = 0;
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({a_backup_session().stamped().json()}, "100"));
  story.script.on("PATCH", status).always().reply_with([&](const ApiScript::Call& call) {
    const bool refuse = call.body.contains(R"("op":"remove","path":"/status/stats/0/claim")") && ++given_back == 1;
    return ApiScript::Reply{.status = refuse ? 503 : 200, .body = dump_json(still_ours)};
  });
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_checked_repository_here().json());
  story.stays(story.a_configuration_here().build());
  story.restic.hang("cat");
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({still_ours}, "101"));
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({a_backup_session().stamped().json()}, "102"));
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=102").stream({}).then_hang();
  run_through(story);
  CHECK(given_back == 2);
  // The first may have been ended before it could tell that it was called.
  CHECK(story.restic.calls().size() <= 1);
}

TEST_CASE("a session without hosts, of others, or done, wakes nobody", "[sidecar][run_backup]") {
  Story story;
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({}, "100"));
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100")
      .stream_events({{"ADDED", a_backup_session().json()},
                      {"MODIFIED", a_backup_session("done").phase("Succeeded").host("host-0", "Pending").json()},
                      {"DELETED", a_backup_session("gone").stamped().json()}});
  story.script.on("GET", Story::kSessionPath, "watch=true").stream({}).then_hang();
  run_through(story);
}

TEST_CASE("a deleted BackupConfiguration leaves the sidecar waiting, not exiting", "[sidecar][run_backup][F8][I3]") {
  Story story;
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({a_backup_session().stamped().json()}, "100"));
  story.script.on("GET", kConfiguration).reply(404);
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100").stream({}).then_hang();
  run_through(story);
}

TEST_CASE("a BackupConfiguration that is mended while a session waits is seen without another event",
          "[sidecar][run_backup]") {
  Story story;
  const Json session = a_backup_session().stamped().json();
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({session}, "100"));
  SECTION("missing") { story.script.on("GET", kConfiguration).reply(404); }
  SECTION("unreadable") {
    Json broken = story.a_configuration_here().json();
    broken["spec"]["target"] = "everything";
    story.script.on("GET", kConfiguration).reply(broken);
  }
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100&timeoutSeconds=60").stream_events({});
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({session}, "100"));
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  story.script.on("PATCH", std::string(Story::kSessionPath) + "/app-backup-1700000000/status").refuse_test();
  run_through(story);
}

TEST_CASE("missing rights and outages are waited for with growing pauses", "[sidecar][run_backup][F11][F20][I20]") {
  Story story;
  story.script.on("GET", Story::kSessionPath).reply(403);
  story.script.on("GET", Story::kSessionPath).reply(500);
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({}, "100"));
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=100").reply(410);
  story.script.on("GET", Story::kSessionPath, kSelector).reply(list_of({}, "200"));
  story.script.on("GET", Story::kSessionPath, "watch=true&resourceVersion=200").stream({}).then_hang();
  run_through(story);
  REQUIRE(story.pauses.size() == 2);
  CHECK(story.pauses[1] > story.pauses[0]);
}

constexpr const char* kBoth = "labelSelector=stash.appscode.com/backup-configuration in (app-backup,other-backup)";
constexpr const char* kOther = "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupconfigurations/other-backup";

Json session_of(const std::string& configuration, std::chrono::hours age) {
  return a_backup_session(configuration + "-1", configuration).created(test::kCreated - age).stamped().json();
}
std::string status_path(const std::string& session) {
  return std::string(Story::kSessionPath) + "/" + session + "/status";
}
std::vector<std::string> patched(const Story& story) {
  std::vector<std::string> paths;
  for (const auto& call : story.script.calls()) {
    if (call.method == "PATCH") paths.push_back(call.path);
  }
  return paths;
}

TEST_CASE("several configurations are one list and one watch, and a name given twice is one", "[sidecar][run_backup]") {
  Story story;
  story.script.on("GET", Story::kSessionPath, kBoth).reply(list_of({}, "100"));
  story.script.on("GET", Story::kSessionPath, std::string(kBoth) + "&watch=true&resourceVersion=100")
      .stream({})
      .then_hang();
  run_through(story, {"app-backup", "other-backup", "app-backup"});
  CHECK(story.script.calls().size() == 2);
}

TEST_CASE("of two configurations' sessions the older one is claimed first", "[sidecar][run_backup]") {
  Story story;
  const Json newer = session_of("app-backup", std::chrono::hours(1));
  const Json older = session_of("other-backup", std::chrono::hours(2));
  story.script.on("GET", Story::kSessionPath, kBoth).reply(list_of({newer, older}, "100"));
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  story.script.on("GET", kOther).reply(test::a_backup_configuration("other-backup").json());
  story.script.on("PATCH", status_path("other-backup-1")).refuse_test();
  story.script.on("PATCH", status_path("app-backup-1")).refuse_test();
  run_through(story, {"app-backup", "other-backup"});
  CHECK(patched(story) == std::vector{status_path("other-backup-1"), status_path("app-backup-1")});
}

TEST_CASE("a configuration that is gone, unreadable or refused keeps no other one waiting",
          "[sidecar][run_backup][F8][I3]") {
  Story story;
  const Json others = session_of("other-backup", std::chrono::hours(2));
  const Json ours = session_of("app-backup", std::chrono::hours(1));
  story.script.on("GET", Story::kSessionPath, kBoth).reply(list_of({others, ours}, "100"));
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  SECTION("gone") { story.script.on("GET", kOther).reply(404); }
  SECTION("refused") { story.script.on("GET", kOther).reply(403); }
  SECTION("unreadable") {
    Json broken = test::a_backup_configuration("other-backup").json();
    broken["spec"]["target"] = "everything";
    story.script.on("GET", kOther).reply(broken);
  }
  SECTION("without a host") {
    story.script.on("GET", kOther)
        .reply(test::a_backup_configuration("other-backup").target({"apps/v1", "StatefulSet", "db"}).json());
  }
  story.script.on("PATCH", status_path("app-backup-1")).refuse_test();
  run_through(story, {"app-backup", "other-backup"});
}

TEST_CASE("a session that cannot be claimed keeps no other one waiting", "[sidecar][run_backup]") {
  Story story;
  const Json others = session_of("other-backup", std::chrono::hours(2));
  const Json ours = session_of("app-backup", std::chrono::hours(1));
  const auto looks = [&](const std::vector<Json>& sessions) {
    story.script.on("GET", Story::kSessionPath, kBoth).reply(list_of(sessions, "100"));
    for (const Json& session : sessions) {
      const std::string name = string_at(session, {"spec", "backupConfiguration", "name"});
      story.script.on("GET", name == "app-backup" ? kConfiguration : kOther)
          .reply(test::a_backup_configuration(name).json());
    }
  };
  looks({others, ours});
  story.script.on("PATCH", status_path("other-backup-1")).reply(403);
  story.script.on("PATCH", status_path("app-backup-1")).refuse_test();
  // Once more, and now the one that was refused first is not the first any more; nor is the one tried after it.
  const Json fresh = session_of("app-backup", std::chrono::hours(0));
  Json renamed = fresh;
  renamed["metadata"]["name"] = "app-backup-2";
  renamed["metadata"]["uid"] = "uid-app-backup-2";
  story.script.on("GET", Story::kSessionPath, kBoth).reply(list_of({others, renamed}, "101"));
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  story.script.on("GET", kOther).reply(test::a_backup_configuration("other-backup").json());
  story.script.on("PATCH", status_path("app-backup-2")).refuse_test();
  run_through(story, {"app-backup", "other-backup"});
  CHECK(patched(story).back() == status_path("app-backup-2"));
}

constexpr const char* kDeployment = "/apis/apps/v1/namespaces/demo/deployments/stash-demo";
constexpr const char* kSessionsOfOurs = "labelSelector=stash.appscode.com/invoker-name=app-backup";

TEST_CASE("the CronJob's program makes the session of its slot", "[sidecar][create_backupsession]") {
  Story story;
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().label("team", "red").json());
  story.script.on("GET", kDeployment).reply(an_object("stash-demo"));
  story.script.on("GET", Story::kSessionPath, kSessionsOfOurs).reply(list_of({}, "1"));
  const int code = GENERATE(201, 409);
  story.script.on("POST", Story::kSessionPath)
      .reply(code, code == 201 ? Json::object() : status_of(409, "AlreadyExists", "exists"));
  CHECK(create_backupsession(story.context, "app-backup", "stash-backup-app-backup-29923795") == 0);
  const Json session = story.script.calls().back().json();
  CHECK(string_at(session, {"metadata", "name"}) == "app-backup-1795427700");
  CHECK(string_at(session, {"metadata", "labels", "team"}) == "red");
  CHECK(string_at(session, {"metadata", "labels", "stash.appscode.com/backup-configuration"}) == "app-backup");
  CHECK(string_at(session, {"metadata", "labels", "stash.appscode.com/invoker-name"}) == "app-backup");
  CHECK(string_at(session, {"spec", "backupConfiguration", "name"}) == "app-backup");
  CHECK(string_at(session, {"spec", "invoker", "name"}) == "app-backup");
  CHECK(array_at(session, {"metadata", "ownerReferences"})[0] == Json{{"apiVersion", "stash.appscode.com/v1beta1"},
                                                                      {"kind", "BackupConfiguration"},
                                                                      {"name", "app-backup"},
                                                                      {"uid", "uid-app-backup"},
                                                                      {"blockOwnerDeletion", false}});
  CHECK(at(session, {"status"}) == nullptr);
}

TEST_CASE("a paused configuration or a missing target is an event, not a session", "[sidecar][create_backupsession]") {
  Story story;
  const bool paused = GENERATE(true, false);
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().paused(paused).json());
  if (!paused) story.script.on("GET", kDeployment).reply(404);
  story.script.on("POST", "/api/v1/namespaces/demo/events").reply(201, Json::object());
  CHECK(create_backupsession(story.context, "app-backup", "") == 0);
  const Json event = story.script.calls().back().json();
  CHECK(string_at(event, {"reason"}) == "Backup Skipped");
  CHECK(string_at(event, {"message"}) == (paused
                                              ? "Skipped a backup: the BackupConfiguration is paused"
                                              : "Skipped a backup: its target, Deployment stash-demo, does not exist"));
}

TEST_CASE("a target of every kind is looked for as what it is", "[sidecar][create_backupsession]") {
  const auto [ref, path] = GENERATE(table<api::TargetRef, std::string>(
      {{{"apps/v1", "Deployment", "db"}, "/apis/apps/v1/namespaces/demo/deployments/db"},
       {{"apps/v1", "StatefulSet", "db"}, "/apis/apps/v1/namespaces/demo/statefulsets/db"},
       {{"extensions/v1beta1", "DaemonSet", "db"}, "/apis/apps/v1/namespaces/demo/daemonsets/db"},
       {{"apps/v1", "ReplicaSet", "db"}, "/apis/apps/v1/namespaces/demo/replicasets/db"},
       {{"v1", "ReplicationController", "db"}, "/api/v1/namespaces/demo/replicationcontrollers/db"},
       {{"apps.openshift.io/v1", "DeploymentConfig", "db"},
        "/apis/apps.openshift.io/v1/namespaces/demo/deploymentconfigs/db"}}));
  Story story;
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().target(ref).json());
  story.script.on("GET", path).reply(an_object("db"));
  story.script.on("GET", Story::kSessionPath, kSessionsOfOurs).reply(list_of({}, "1"));
  story.script.on("POST", Story::kSessionPath).reply(201, Json::object());
  CHECK(create_backupsession(story.context, "app-backup", "stash-backup-app-backup-29923795") == 0);
  CHECK(story.script.wait_until_done(std::chrono::milliseconds(0)));
}

TEST_CASE("while a session waits that nobody has touched for an hour, no other one is made",
          "[sidecar][create_backupsession]") {
  Story story;
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  story.script.on("GET", kDeployment).reply(an_object("stash-demo"));
  const auto age = GENERATE(std::chrono::minutes(50), std::chrono::minutes(60));
  const Json waiting = a_backup_session("waiting").created(story.clock.now() - age).json();
  const Json done = a_backup_session("done").phase("Failed").json();
  story.script.on("GET", Story::kSessionPath, kSessionsOfOurs).reply(list_of({done, waiting}, "1"));
  const bool abandoned = age == std::chrono::minutes(60);
  if (!abandoned) story.script.on("POST", Story::kSessionPath).reply(201, Json::object());
  if (abandoned) story.script.on("POST", "/api/v1/namespaces/demo/events").reply(201, Json::object());
  CHECK(create_backupsession(story.context, "app-backup", "") == 0);
  if (abandoned)
    CHECK(string_at(story.script.calls().back().json(), {"message"}).find("BackupSession waiting has not ended") !=
          std::string::npos);
}

TEST_CASE(
    "a session whose hosts are objects of their own is abandoned an hour after the end of its time, and not before",
    "[sidecar][create_backupsession][F24][I6][I8]") {
  Story story;
  const auto [age, abandoned] = GENERATE(table<int, bool>({{350, false}, {360, true}}));
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().time_out("5h").json());
  story.script.on("GET", kDeployment).reply(an_object("stash-demo"));
  Json running =
      a_backup_session("many").created(story.clock.now() - std::chrono::minutes(age)).phase("Running").json();
  running["status"]["hostObjects"] = true;
  story.script.on("GET", Story::kSessionPath, kSessionsOfOurs).reply(list_of({running}, "1"));
  story.script.on("POST", abandoned ? "/api/v1/namespaces/demo/events" : Story::kSessionPath)
      .reply(201, Json::object());
  CHECK(create_backupsession(story.context, "app-backup", "") == 0);
}

TEST_CASE("a session that waits for a pod which works for another one is not abandoned",
          "[sidecar][create_backupsession][F24][I6][I8]") {
  Story story;
  const auto [age, abandoned] = GENERATE(table<int, bool>({{350, false}, {360, true}}));
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().time_out("5h").json());
  story.script.on("GET", kDeployment).reply(an_object("stash-demo"));
  const TimePoint created = story.clock.now() - std::chrono::minutes(age);
  const Json waiting =
      a_backup_session("hourly")
          .created(created)
          .phase("Pending")
          .condition({"Completed", "False", "PodBusy", "pod web-1 works for session nightly-1", 1, created})
          .json();
  story.script.on("GET", Story::kSessionPath, kSessionsOfOurs).reply(list_of({waiting}, "1"));
  story.script.on("POST", abandoned ? "/api/v1/namespaces/demo/events" : Story::kSessionPath)
      .reply(201, Json::object());
  CHECK(create_backupsession(story.context, "app-backup", "") == 0);
}

TEST_CASE("not being allowed to look at the target skips no backup", "[sidecar][create_backupsession]") {
  Story story;
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  story.script.on("GET", kDeployment).reply(403);
  story.script.on("GET", Story::kSessionPath, kSessionsOfOurs).reply(403);
  story.script.on("POST", Story::kSessionPath).reply(500);
  story.script.on("POST", Story::kSessionPath).reply(201, Json::object());
  CHECK(create_backupsession(story.context, "app-backup", "") == 0);
}

TEST_CASE("a refused session is an error of the Job", "[sidecar][create_backupsession]") {
  Story story;
  story.script.on("GET", kConfiguration).reply(story.a_configuration_here().json());
  story.script.on("GET", kDeployment).reply(an_object("stash-demo"));
  story.script.on("GET", Story::kSessionPath, kSessionsOfOurs).reply(list_of({}, "1"));
  story.script.on("POST", Story::kSessionPath).reply(403);
  CHECK(create_backupsession(story.context, "app-backup", "") == 1);
}

}  // namespace
}  // namespace stash::sidecar
