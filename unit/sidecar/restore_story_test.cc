#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <utility>

#include "sidecar/restore.h"
#include "unit/sidecar/story.h"

namespace stash::sidecar {
namespace {

using test::a_restore_session;
using test::Story;

constexpr const char* kSession = "/apis/stash.appscode.com/v1beta1/namespaces/demo/restoresessions/app-restore";
constexpr const char* kSessions = "/apis/stash.appscode.com/v1beta1/namespaces/demo/restoresessions";
constexpr const char* kStatus = "/apis/stash.appscode.com/v1beta1/namespaces/demo/restoresessions/app-restore/status";
constexpr const char* kEvents = "/api/v1/namespaces/demo/events";
constexpr const char* kSnapshot =
    R"([{"id":"d2769cc2175c","short_id":"d2769cc2","time":"2026-11-23T12:54:48Z","hostname":"host-0","paths":["/source/data"]}])";

struct RestoreStory : Story {
  Json pending = a_restore_session().phase("Pending").total_hosts(1).host("host-0", "Pending").json();
  Json running = a_restore_session().phase("Running").host(running_here()).json();
  int run() { return restore(context, "app-restore"); }
  void reads(const Json& session) { script.on("GET", kSession).reply(session); }
  void answers() {
    script.on("PATCH", kStatus).always().reply(running);
    script.on("POST", kEvents).always().reply(201, Json::object());
  }
};

TEST_CASE("a pending host is restored, told, and the application may start", "[sidecar][restore_story]") {
  RestoreStory story;
  story.reads(story.pending);
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kSnapshot}).on("restore", {});
  CHECK(story.run() == 0);
  const auto calls = story.restic.calls();
  // This restic does not say how far it has come, so the size of the snapshot is asked for.
  CHECK(story.restic.subcommands() == std::vector<std::string>{"cat", "snapshots", "stats", "restore"});
  CHECK(std::vector<std::string>(calls.back().arguments.begin() + 2, calls.back().arguments.end()) ==
        std::vector<std::string>{"restore", "--target", "/", "--include", "/source/data", "--", "d2769cc2175c"});
  CHECK(string_at(test::result_in(story.script.calls()), {"phase"}) == "Succeeded");
  CHECK(test::text_of(story.script.calls()).find("\"reason\":\"SuccessfulHostRestore\"") != std::string::npos);
}

TEST_CASE("a restore whose place a newer one takes stops, gives its host back, and is not begun again",
          "[sidecar][restore_story][F29][I13]") {
  RestoreStory story;
  story.reads(story.pending);
  story.script.on("PATCH", kStatus).reply(story.running);
  api::HostStats asked = Story::running_here();
  asked.claim->stop = "superseded by RestoreSession demo/newer";
  story.script.on("PATCH", kStatus).always().reply(a_restore_session().phase("Running").host(asked).json());
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  Json superseded = a_restore_session().phase("Failed").host("host-0", "Failed").json();
  superseded["status"]["reason"] = "Superseded";
  story.reads(superseded);
  story.script.on("GET", kSessions, "watch=true").stream({});
  // Whoever deletes it lets the application start.
  story.script.on("GET", kSession).reply(404);
  story.restic.on("cat", {})
      .on("snapshots", {.output = kSnapshot})
      .on("stats", {.output = "{\"total_size\":1}\n"})
      .hang("restore");
  CHECK(story.run() == 0);
  CHECK(std::ranges::count(story.restic.subcommands(), "restore") <= 1);
  const std::string all = test::text_of(story.script.calls());
  CHECK(all.find("\"op\":\"remove\",\"path\":\"/status/stats/0/claim\"") != std::string::npos);
  CHECK(test::result_in(story.script.calls()).is_null());
}

TEST_CASE("a host of a restore that was asked to stop, and is still ours, is given back and not claimed anew",
          "[sidecar][restore_story][F19][I6][I13]") {
  RestoreStory story;
  api::HostStats asked = Story::running_here();
  asked.claim->stop = "superseded by RestoreSession demo/newer";
  story.reads(a_restore_session().phase("Running").host(asked).json());
  story.script.on("PATCH", kStatus).reply(503);
  story.reads(a_restore_session().phase("Running").host(asked).json());
  story.script.on("PATCH", kStatus).reply(story.pending);
  story.script.on("GET", kSession).reply(404);
  CHECK(story.run() == 0);
  CHECK(story.restic.calls().empty());
  for (const auto& call : story.script.calls()) {
    if (call.method == "PATCH") CHECK(call.body.contains(R"("op":"remove","path":"/status/stats/0/claim")"));
  }
}

TEST_CASE("how far a restore has come is told while it runs, and its numbers stay in the result",
          "[sidecar][restore_story][progress]") {
  RestoreStory story;
  story.reads(story.pending);
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.version("restic 0.18.0 compiled with go1.24.1 on linux/amd64\n");
  const std::string half =
      R"({"message_type":"status","total_files":6,"files_restored":2,"files_skipped":1,"total_bytes":20,)"
      R"("bytes_restored":10})";
  story.restic.on("cat", {})
      .on("snapshots", {.output = kSnapshot})
      .on("restore", {.output = R"({"message_type":"summary","total_files":6,"files_restored":6,"total_bytes":20,)"
                                "\"bytes_restored\":20}\n",
                      .before = "echo '" + half + "'; sleep 0.5"});
  CHECK(story.run() == 0);
  Json told = Json::array();
  for (const auto& call : story.script.calls()) {
    for (const Json& operation : call.method == "PATCH" ? call.json() : Json::array()) {
      if (string_at(operation, {"path"}) == "/status/stats/0/progress") told.push_back(operation["value"]);
    }
  }
  CHECK(std::ranges::count(told, Json{{"step", "restore /source/data"},
                                      {"percentDone", 50},
                                      {"filesDone", 3},
                                      {"totalFiles", 6},
                                      {"bytesDone", 10},
                                      {"totalBytes", 20}}) >= 1);
  const Json result = test::result_in(story.script.calls());
  CHECK(int_at(result, {"progress", "percentDone"}) == 100);
  CHECK(int_at(result, {"progress", "filesDone"}) == 6);
}

TEST_CASE("a symbolic link where the snapshot has something else gives way, and leads no restore out of the volume",
          "[sidecar][restore_story][F44][I13][I16]") {
  RestoreStory story;
  test::TemporaryDirectory outside;
  namespace fs = std::filesystem;
  fs::create_directories(story.data() + "/sub");
  for (const char* link : {"/planted", "/sub/planted", "/kept", "/not-in-it"})
    fs::create_directory_symlink(outside.path(), story.data() + link);
  const std::string data = story.data();
  std::string listed = "{\"struct_type\":\"snapshot\",\"id\":\"d2769cc2175c\"}\n";
  for (const auto& [path, type] : std::initializer_list<std::pair<std::string, std::string>>{
           {data, "dir"}, {data + "/planted", "dir"}, {data + "/sub/planted", "file"}, {data + "/kept", "symlink"}})
    listed += fmt::format("{{\"type\":\"{}\",\"path\":\"{}\",\"struct_type\":\"node\"}}\n", type, path);
  story.reads(a_restore_session()
                  .phase("Pending")
                  .total_hosts(1)
                  .host("host-0", "Pending")
                  .with([&data](api::RestoreSession& session) {
                    session.spec.target->volume_mounts.front().mount_path = data;
                    session.spec.rules.front().paths = {data};
                  })
                  .json());
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots",
          {.output = fmt::format(R"([{{"id":"d2769cc2175c","short_id":"d2769cc2","time":"2026-11-23T12:54:48Z",)"
                                 R"("hostname":"host-0","paths":["{}"]}}])",
                                 data)})
      .on("ls", {.output = listed})
      .on("find", {.output = "[]"})
      .on("restore", {});
  CHECK(story.run() == 0);
  const auto is_link = [&data](const char* name) { return fs::is_symlink(fs::symlink_status(data + name)); };
  CHECK_FALSE(is_link("/planted"));
  CHECK_FALSE(is_link("/sub/planted"));
  CHECK(is_link("/kept"));
  CHECK(is_link("/not-in-it"));
  CHECK(fs::is_directory(outside.path()));
}

TEST_CASE("the latest snapshot is the latest complete one", "[sidecar][restore_story]") {
  RestoreStory story;
  story.reads(story.pending);
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots", {.output = R"([
{"id":"d2769cc2175c","short_id":"d2769cc2","time":"2026-11-22T12:54:48Z","hostname":"host-0","paths":["/source/data"]},
{"id":"4f1e7c664d8b","short_id":"4f1e7c66","time":"2026-11-23T12:54:48Z","hostname":"host-0","paths":["/source/data"],
 "tags":["stash-incomplete"]}])"})
      .on("restore", {});
  CHECK(story.run() == 0);
  CHECK(story.restic.calls().back().arguments.back() == "d2769cc2175c");
}

TEST_CASE("what is restored, gone or going lets the application start at once", "[sidecar][restore_story]") {
  RestoreStory story;
  SECTION("restored") { story.reads(a_restore_session().phase("Succeeded").host("host-0", "Succeeded").json()); }
  SECTION("gone") { story.script.on("GET", kSession).reply(404); }
  SECTION("going") { story.reads(a_restore_session().being_deleted().host("host-0", "Pending").json()); }
  CHECK(story.run() == 0);
  CHECK(story.restic.calls().empty());
}

TEST_CASE("a failed restore keeps the application from starting, and says why", "[sidecar][restore_story][F44][I13]") {
  RestoreStory story;
  story.reads(story.pending);
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  std::string expected;
  SECTION("wrong password") {
    story.restic.on("cat", {.exit_code = 1, .standard_error = test::kWrongPassword});
    expected = "opening the repository: wrong password";
  }
  SECTION("no repository; none is made") {
    story.restic.on("cat", {.exit_code = 1, .standard_error = test::kNoRepository});
    expected = "there is no restic repository at ";
  }
  SECTION("no snapshot") {
    story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).on("snapshots", {.output = "[]\n"});
    expected = "the repository has no snapshot of host host-0 with the path /source/data; it has no snapshots at all";
  }
  SECTION("half restored") {
    story.restic.on("cat", {})
        .on("snapshots", {.output = kSnapshot})
        .on("restore",
            {.exit_code = 1,
             .standard_error = "ignoring error for /source: chmod /source: read-only file system\n"
                               "ignoring error for /source/data/f: write /source/data/f: no space left on device\n"
                               "Fatal: There were 2 errors\n"});
    expected = "restoring /source/data from snapshot d2769cc2: no space is left";
  }
  CHECK(story.run() == 1);
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Failed");
  CHECK(string_at(result, {"error"}).starts_with("attempt 1 of 5: " + expected));
  CHECK(int_at(result, {"attempts"}) == 1);
  CHECK(test::text_of(story.script.calls()).find("\"reason\":\"FailedHostRestore\"") != std::string::npos);
}

api::HostStats tried(std::string phase, int attempts, std::string error = "attempt 5 of 5: no") {
  api::HostStats host;
  host.hostname = "host-0";
  host.phase = std::move(phase);
  if (host.phase != "Pending") host.claim = api::Claim{"app-6f-x", "uid-pod", test::kCreated};
  if (host.phase == "Failed") host.error = std::move(error);
  host.attempts = attempts;
  return host;
}
Json after(const api::HostStats& host) { return a_restore_session().phase("Failed").host(host).json(); }

TEST_CASE("every beginning of a restore is counted, and its number is told", "[sidecar][restore_story]") {
  RestoreStory story;
  SECTION("after a failure") { story.reads(after(tried("Failed", 1))); }
  SECTION("after the container was restarted in the middle") { story.reads(after(tried("Running", 1))); }
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {.exit_code = 1, .standard_error = test::kWrongPassword});
  CHECK(story.run() == 1);
  const Json result = test::result_in(story.script.calls());
  CHECK(int_at(result, {"attempts"}) == 2);
  CHECK(string_at(result, {"error"}).starts_with("attempt 2 of 5: opening the repository: wrong password"));
  CHECK(test::text_of(story.script.calls()).find(R"("path":"/status/stats/0/attempts","value":2)") !=
        std::string::npos);
}

TEST_CASE("a claim whose answer was lost costs no attempt", "[sidecar][restore_story][F19][I13]") {
  RestoreStory story;
  int attempts = 1;
  SECTION("the first, which was written") {
    story.reads(story.pending);
    story.script.on("PATCH", kStatus).reply(500);
    story.reads(after(tried("Running", 1)));
  }
  SECTION("the last, which was written: it is begun, not given up") {
    attempts = 5;
    story.reads(after(tried("Failed", 4)));
    story.script.on("PATCH", kStatus).reply(500);
    story.reads(after(tried("Running", 5)));
  }
  SECTION("one that was written, and claimed again without an answer") {
    attempts = 2;
    story.reads(after(tried("Failed", 1)));
    story.script.on("PATCH", kStatus).times(2).reply(504);
    story.reads(after(tried("Running", 2)));
    story.reads(after(tried("Running", 2)));
  }
  SECTION("one that came late, and so met the next try") {
    story.reads(story.pending);
    story.script.on("PATCH", kStatus).reply(504);
    story.reads(story.pending);
    story.script.on("PATCH", kStatus).refuse_test();
    story.reads(after(tried("Running", 1)));
  }
  SECTION("one that was not written is made, and counted, once") {
    story.reads(story.pending);
    story.script.on("PATCH", kStatus).reply(503);
    story.reads(story.pending);
  }
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kSnapshot}).on("restore", {});
  CHECK(story.run() == 0);
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Succeeded");
  CHECK(int_at(result, {"attempts"}) == attempts);
  const std::string one_more = fmt::format(R"("path":"/status/stats/0/attempts","value":{})", attempts + 1);
  CHECK(test::text_of(story.script.calls()).find(one_more) == std::string::npos);
}

TEST_CASE("a restore that goes on with what one began that was killed removes that one's lock, and no other",
          "[sidecar][restore_story][F28][I12]") {
  RestoreStory story;
  story.context.restic.own_host_name = "app-6f-x";
  const std::string locks = story.repository_directory() + "/locks";
  std::filesystem::create_directories(locks);
  const std::string own = "40b9a799" + std::string(56, '0'), living = "51c0b8aa" + std::string(56, '0');
  for (const std::string& id : {own, living}) std::ofstream(locks + "/" + id) << "sealed";
  const auto lock_of = [](const std::string& host) {
    return R"({"time":"2026-11-23T12:53:03Z","hostname":")" + host + R"(","username":"","pid":999999})";
  };
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {});
  bool resumes = false;
  SECTION("its own is removed") {
    resumes = true;
    story.reads(after(tried("Running", 1)));
    story.restic.on("list", {.output = own + "\n" + living + "\n"})
        .on("cat", {.output = lock_of("app-6f-x")})
        .on("cat", {.output = lock_of("app-6f-living")});
  }
  SECTION("also where its restic alone was killed, and it has told that") {
    resumes = true;
    story.reads(after(tried("Failed", 1)));
    story.restic.on("list", {.output = own + "\n" + living + "\n"})
        .on("cat", {.output = lock_of("app-6f-x")})
        .on("cat", {.output = lock_of("app-6f-living")});
  }
  SECTION("who begins anew has none, and does not ask") { story.reads(story.pending); }
  story.restic.on("snapshots", {.output = kSnapshot}).on("restore", {});
  CHECK(story.run() == 0);
  CHECK(std::filesystem::exists(locks + "/" + own) != resumes);
  CHECK(std::filesystem::exists(locks + "/" + living));
}

TEST_CASE("after the last attempt the container waits and says how to get out", "[sidecar][restore_story]") {
  RestoreStory story;
  story.reads(after(tried("Failed", 4)));
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {.exit_code = 1, .standard_error = test::kWrongPassword});
  story.reads(after(tried("Failed", 5)));
  story.script.on("GET", kSessions, "watch=true&timeoutSeconds=290").stream_events({{"DELETED", story.running}});
  story.script.on("GET", kSession).reply(404);
  CHECK(story.run() == 0);
  CHECK(story.restic.calls().size() == 1);
  const Json result = test::result_in(story.script.calls());
  const std::string error = string_at(result, {"error"});
  CHECK(error.starts_with("attempt 5 of 5: opening the repository: wrong password"));
  CHECK(
      error.ends_with("it is not tried again, and the application waits: remove the cause, then delete this "
                      "RestoreSession and create a new one; deleting it alone lets the application start with the "
                      "data as it is now"));
}

TEST_CASE("a container that starts after the last attempt asks restic nothing and writes nothing",
          "[sidecar][restore_story]") {
  RestoreStory story;
  story.reads(after(tried("Failed", 5)));
  story.script.on("GET", kSessions, "watch=true&timeoutSeconds=290").stream({});
  story.reads(after(tried("Failed", 5)));
  story.script.on("GET", kSessions, "watch=true&timeoutSeconds=290").stream({});
  story.reads(a_restore_session().being_deleted().host(tried("Failed", 5)).json());
  CHECK(story.run() == 0);
  CHECK(story.restic.calls().empty());
  for (const auto& call : story.script.calls()) CHECK(call.method == "GET");
}

TEST_CASE("a last attempt that was cut off fails the host instead of being repeated",
          "[sidecar][restore_story][F5][I13]") {
  RestoreStory story;
  SECTION("with its container") { story.reads(after(tried("Running", 5))); }
  SECTION("with its pod") { story.reads(after(tried("Pending", 5))); }
  story.answers();
  story.script.on("GET", kSession).reply(404);
  CHECK(story.run() == 0);
  CHECK(story.restic.calls().empty());
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Failed");
  CHECK(int_at(result, {"attempts"}) == 5);
  CHECK(string_at(result, {"error"}).starts_with("attempt 5 of 5: the pod or its Stash container ended"));
}

TEST_CASE("a restore goes on while its session still says Failed", "[sidecar][restore_story]") {
  RestoreStory story;
  story.reads(after(tried("Failed", 1)));
  // The controller has not seen the new attempt yet.
  story.script.on("PATCH", kStatus).always().reply(after(tried("Running", 2)));
  story.script.on("POST", kEvents).always().reply(201, Json::object());
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kSnapshot}).on("restore", {});
  CHECK(story.run() == 0);
  CHECK(string_at(test::result_in(story.script.calls()), {"phase"}) == "Succeeded");
}

bool tells_chosen(const ApiScript::Call& call) { return call.body.contains("/status/stats/0/snapshots"); }
/// The value of the patch operation that tells which snapshots are taken.
Json chosen_in(const std::vector<ApiScript::Call>& calls) {
  Json chosen;
  for (const auto& call : calls) {
    for (const Json& operation : tells_chosen(call) ? call.json() : Json::array()) {
      if (string_at(operation, {"path"}) == "/status/stats/0/snapshots") chosen = operation["value"];
    }
  }
  return chosen;
}
constexpr const char* kOldAndNew =
    R"([{"id":"aa","short_id":"aa","time":"2026-11-23T12:54:48Z","hostname":"host-0","paths":["/source/data"]},
        {"id":"bb","short_id":"bb","time":"2026-11-24T12:54:48Z","hostname":"host-0","paths":["/source/data"]}])";

TEST_CASE("which snapshot is restored is told before anything of it is written, and in the result",
          "[sidecar][restore_story][F44][I13]") {
  RestoreStory story;
  story.reads(story.pending);
  bool begun = false, answered = false;
  story.script.on("PATCH", kStatus).always().reply_with([&](const ApiScript::Call& call) {
    if (!tells_chosen(call)) return ApiScript::Reply{.status = 200, .body = dump_json(story.running)};
    begun = begun || story.restic.subcommands().back() == "restore";
    const bool is_first = !std::exchange(answered, true);
    return ApiScript::Reply{.status = is_first ? 503 : 200, .body = dump_json(story.running)};
  });
  story.script.on("GET", kSession).always().reply(story.running);
  story.script.on("POST", kEvents).always().reply(201, Json::object());
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kOldAndNew}).on("restore", {});
  CHECK(story.run() == 0);
  CHECK_FALSE(begun);
  CHECK(story.restic.calls().back().arguments.back() == "bb");
  const Json told = Json::array({{{"name", "bb"}, {"path", "/source/data"}}});
  CHECK(chosen_in(story.script.calls()) == told);
  CHECK(test::result_in(story.script.calls())["snapshots"] == told);
}

TEST_CASE("an attempt goes on with the snapshot of the one before, though a newer one has come",
          "[sidecar][restore_story][F5][F44][I13]") {
  RestoreStory story;
  const Json told = Json::array({{{"name", "aa"}, {"path", "/source/data"}}});
  api::HostStats before = tried("Failed", 1);
  bool learns_late = false;
  SECTION("after a failure") {}
  SECTION("after the container was restarted in the middle") { before = tried("Running", 1); }
  SECTION("of a pod that gave the host back") { before = tried("Pending", 1); }
  SECTION("of a pod that had it after we looked") {
    before = tried("Pending", 0);
    learns_late = true;
  }
  Json running = story.running;
  running["status"]["stats"][0]["snapshots"] = told;
  Json session = after(before);
  if (!learns_late) session["status"]["stats"][0]["snapshots"] = told;
  story.reads(session);
  story.script.on("PATCH", kStatus).always().reply(running);
  story.script.on("POST", kEvents).always().reply(201, Json::object());
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kOldAndNew}).on("restore", {});
  CHECK(story.run() == 0);
  CHECK(story.restic.calls().back().arguments.back() == "aa");
  CHECK(chosen_in(story.script.calls()) == nullptr);
  CHECK(test::result_in(story.script.calls())["snapshots"] == told);
}

TEST_CASE("when the snapshot of the attempt before is gone, the newest is taken and told",
          "[sidecar][restore_story][F44][I13]") {
  RestoreStory story;
  Json session = after(tried("Failed", 1));
  session["status"]["stats"][0]["snapshots"] = Json::array({{{"name", "cc"}, {"path", "/source/data"}}});
  story.reads(session);
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kOldAndNew}).on("restore", {.exit_code = 1});
  CHECK(story.run() == 1);
  CHECK(story.restic.calls().back().arguments.back() == "bb");
  const Json told = Json::array({{{"name", "bb"}, {"path", "/source/data"}}});
  CHECK(chosen_in(story.script.calls()) == told);
  CHECK(test::result_in(story.script.calls())["snapshots"] == told);
}

TEST_CASE("an attempt that wrote nothing binds none that follows", "[sidecar][restore_story][I13]") {
  RestoreStory story;
  api::RestoreRule two;
  two.paths = {"/source/data", "/not/backed/up"};
  story.reads(a_restore_session().rules({two}).phase("Pending").host("host-0", "Pending").json());
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots", {.output = kSnapshot})
      .on("snapshots", {.output = "[]\n"})
      .on("snapshots", {.output = kSnapshot});
  CHECK(story.run() == 1);
  CHECK(chosen_in(story.script.calls()) == nullptr);
  CHECK_FALSE(test::result_in(story.script.calls()).contains("snapshots"));
}

TEST_CASE("without leave to tell which snapshot is restored, none is", "[sidecar][restore_story][F20][I13]") {
  RestoreStory story;
  story.reads(story.pending);
  story.script.on("PATCH", kStatus).always().reply_with([&story](const ApiScript::Call& call) {
    return ApiScript::Reply{.status = tells_chosen(call) ? 403 : 200, .body = dump_json(story.running)};
  });
  story.script.on("POST", kEvents).always().reply(201, Json::object());
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kSnapshot});
  CHECK(story.run() == 1);
  CHECK(string_at(test::result_in(story.script.calls()), {"error"})
            .starts_with("attempt 1 of 5: telling which snapshots are restored: "));
}

TEST_CASE("an include that matches nothing fails the restore, and says what to do",
          "[sidecar][restore_story][F44][I13]") {
  RestoreStory story;
  api::RestoreRule uploads;
  uploads.paths = {"/source/data"};
  uploads.include = {"/uploads/*"};
  story.reads(a_restore_session().rules({uploads}).phase("Pending").host("host-0", "Pending").json());
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kSnapshot});
  SECTION("a restic that tells what it has restored") {
    story.restic.version("restic 0.18.0 compiled with go1.24.1 on linux/amd64\n");
    story.restic.on("restore", {.output = "{\"message_type\":\"summary\"}\n"});
  }
  SECTION("one that does not is asked before what there is") {
    story.restic.on("find", {.output = R"([{"matches":[{"path":"/source/data/uploads/a","type":"file"}],"hits":1}])"});
  }
  CHECK(story.run() == 1);
  CHECK(
      string_at(test::result_in(story.script.calls()), {"error"})
          .starts_with("attempt 1 of 5: restoring /source/data from snapshot d2769cc2: include matches nothing in it. "
                       "A pattern that begins with / is compared with whole paths as the snapshot has them"));
}

TEST_CASE("an include that takes something of one of several paths is enough", "[sidecar][restore_story][I13]") {
  RestoreStory story;
  api::RestoreRule one_file;
  one_file.paths = {"/source/data", "/source/data/config"};
  one_file.include = {"/source/data/config/app.yaml"};
  story.reads(a_restore_session().rules({one_file}).phase("Pending").host("host-0", "Pending").json());
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.version("restic 0.18.0 compiled with go1.24.1 on linux/amd64\n");
  story.restic.on("cat", {})
      .on("snapshots", {.output = kSnapshot})
      .on("snapshots", {.output = R"([{"id":"4f1e7c664d8b","short_id":"4f1e7c66","time":"2026-11-23T12:54:48Z",)"
                                  R"("hostname":"host-0","paths":["/source/data/config"]}])"})
      .on("restore", {.output = "{\"message_type\":\"summary\"}\n"});
  SECTION("it is") {
    story.restic.on("restore", {.output = "{\"message_type\":\"summary\",\"files_skipped\":1}\n"});
    CHECK(story.run() == 0);
  }
  SECTION("and one that takes something of none fails, and names them") {
    story.restic.on("restore", {.output = "{\"message_type\":\"summary\"}\n"});
    CHECK(story.run() == 1);
    CHECK(string_at(test::result_in(story.script.calls()), {"error"})
              .starts_with("attempt 1 of 5: restoring /source/data from snapshot d2769cc2, /source/data/config from "
                           "snapshot 4f1e7c66: include matches nothing in them. A pattern"));
  }
}

TEST_CASE("a restore whose result cannot be written keeps the application from starting",
          "[sidecar][restore_story][F19][I13]") {
  RestoreStory story;
  story.reads(story.pending);
  story.script.on("PATCH", kStatus).always().reply_with([&story](const ApiScript::Call& call) {
    const bool is_result = test::result_in({call}) != nullptr;
    return ApiScript::Reply{.status = is_result ? 403 : 200, .body = dump_json(story.running)};
  });
  story.script.on("POST", kEvents).always().reply(201, Json::object());
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kSnapshot}).on("restore", {});
  CHECK(story.run() == 1);
}

TEST_CASE("a read-only directory above the volume spoils no restore", "[sidecar][restore_story]") {
  RestoreStory story;
  story.reads(story.pending);
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots", {.output = kSnapshot})
      .on("restore",
          {.exit_code = 1,
           .standard_error =
               "ignoring error for /source: UtimesNano: read-only file system\nFatal: There were 1 errors\n"});
  CHECK(story.run() == 0);
}

TEST_CASE("a pod waits while another one restores, then starts", "[sidecar][restore_story][F45][I13]") {
  RestoreStory story;
  api::HostStats others = Story::running_here();
  others.claim->pod_uid = "uid-other";
  story.reads(a_restore_session().phase("Running").host(others).json());
  story.script.on("GET", kSessions, "watch=true&fieldSelector=metadata.name=app-restore&resourceVersion=100")
      .stream_events({{"MODIFIED", story.running}});
  story.reads(a_restore_session().phase("Succeeded").host("host-0", "Succeeded").json());
  CHECK(story.run() == 0);
  CHECK(story.restic.calls().empty());
}

TEST_CASE("a snapshot that is not there is told together with those that are", "[sidecar][restore_story]") {
  RestoreStory story;
  api::RestoreRule by_id;
  by_id.snapshots = {"beef0000"};
  story.reads(a_restore_session().rules({by_id}).phase("Pending").host("host-0", "Pending").json());
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {});
  SECTION("restic ignores what it does not find") { story.restic.on("snapshots", {.output = "[]\n"}); }
  SECTION("restic fails") {
    story.restic.on("snapshots",
                    {.exit_code = 1, .standard_error = "Fatal: no matching ID found for prefix \"beef\"\n"});
  }
  story.restic.on("snapshots", {.output = kSnapshot});
  CHECK(story.run() == 1);
  CHECK(string_at(test::result_in(story.script.calls()), {"error"}) ==
        "attempt 1 of 5: the repository has no snapshot beef0000; it has host-0:/source/data (1); create a "
        "RestoreSession whose rule names one of these (sourceHost and paths, or snapshots), or, to start the "
        "application without a restore, delete this RestoreSession");
}

TEST_CASE("another host's data is restored where a rule says so", "[sidecar][restore_story]") {
  RestoreStory story;
  story.context.pod.name = "db-2";
  api::HostStats pending;
  pending.hostname = "host-2";
  pending.phase = "Pending";
  api::RestoreRule others, own;
  others.paths = {"/source/data"};
  others.exclude = {"*.tmp"};
  own.target_hosts = {"host-2"};
  own.source_host = "host-0";
  own.paths = {"/source/data/"};
  own.include = {"/source/data/keep"};
  story.reads(a_restore_session().target({"apps/v1", "StatefulSet", "db"}).rules({others, own}).host(pending).json());
  api::HostStats running = Story::running_here();
  running.hostname = "host-2";
  story.script.on("PATCH", kStatus).always().reply(a_restore_session().phase("Running").host(running).json());
  story.script.on("POST", kEvents).always().reply(201, Json::object());
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  const std::string kept =
      R"([{"matches":[{"path":"/source/data/keep","type":"file"}],"hits":1,"snapshot":"d2769cc2"}])";
  story.restic.on("cat", {}).on("snapshots", {.output = kSnapshot}).on("find", {.output = kept}).on("restore", {});
  CHECK(story.run() == 0);
  const auto calls = story.restic.calls();
  REQUIRE(calls.size() == 4);
  const auto has = [](const std::vector<std::string>& arguments, const std::string& one, const std::string& two) {
    const auto first = std::ranges::find(arguments, one);
    return first != arguments.end() && first + 1 != arguments.end() && *(first + 1) == two;
  };
  CHECK(has(calls[1].arguments, "--host", "host-0"));
  CHECK(has(calls[1].arguments, "--path", "/source/data"));
  CHECK(has(calls[3].arguments, "--include", "/source/data/keep"));
  CHECK(string_at(test::result_in(story.script.calls()), {"hostname"}) == "host-2");
}

TEST_CASE("a host that no rule is for fails, and is not restored", "[sidecar][restore_story]") {
  RestoreStory story;
  api::RestoreRule others;
  others.target_hosts = {"host-1"};
  others.paths = {"/source/data"};
  story.reads(a_restore_session().rules({others}).phase("Pending").host("host-0", "Pending").json());
  story.answers();
  CHECK(story.run() == 1);
  CHECK(story.restic.calls().empty());
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Failed");
  CHECK(string_at(result, {"error"}).starts_with("attempt 1 of 5: no rule of the RestoreSession is for host host-0"));
}

TEST_CASE("a session that the controller has not started is waited for, over outages",
          "[sidecar][restore_story][F11][I13]") {
  RestoreStory story;
  story.script.on("GET", kSession).reply(500);
  story.script.on("GET", kSession).reply(403);
  story.reads(a_restore_session().json());
  story.script.on("GET", kSessions, "watch=true").reply(410);
  story.script.on("GET", kSession).reply(404);
  CHECK(story.run() == 0);
}

TEST_CASE("a pod that is being stopped while it waits ends at once", "[sidecar][restore_story]") {
  RestoreStory story;
  story.reads(after(tried("Failed", 5)));
  story.script.on("GET", kSessions, "watch=true").stream({}).then_hang();
  story.stop_when = [&story] { return story.script.calls().size() >= 2; };
  CHECK(story.run() == 1);
}

TEST_CASE("an invalid session is waited for by name", "[sidecar][restore_story]") {
  RestoreStory story;
  story.reads(a_restore_session().phase("Invalid").json());
  story.script.on("GET", kSessions, "watch=true").stream({});
  story.script.on("GET", kSession).reply(404);
  CHECK(story.run() == 0);
}

TEST_CASE("a pod that is being stopped gives an unfinished restore back", "[sidecar][restore_story][F9][I13]") {
  RestoreStory story;
  story.reads(story.pending);
  story.answers();
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kSnapshot}).hang("restore");
  story.stop_when = [&story] { return story.restic.subcommands().size() >= 3; };
  CHECK(story.run() == 1);
  const std::string last = story.script.calls().back().body;
  CHECK(last.find("\"value\":\"Pending\"") != std::string::npos);
  // Its own ending is not the restore's fault.
  CHECK(last.find(R"("path":"/status/stats/0/attempts","value":0)") != std::string::npos);
}

}  // namespace
}  // namespace stash::sidecar
