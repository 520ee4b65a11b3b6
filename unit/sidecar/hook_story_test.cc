#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "api/silence.h"
#include "sidecar/backup_session_run.h"
#include "sidecar/left_frozen.h"
#include "sidecar/restore.h"
#include "sidecar/tcp_connect.h"
#include "unit/sidecar/story.h"

namespace stash::sidecar {
namespace {

using test::a_backup_session;
using test::a_restore_session;
using test::Story;

constexpr const char* kSession =
    "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions/app-backup-1700000000";
constexpr const char* kStatus =
    "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions/app-backup-1700000000/status";
constexpr const char* kEvents = "/api/v1/namespaces/demo/events";
constexpr const char* kRestore = "/apis/stash.appscode.com/v1beta1/namespaces/demo/restoresessions/app-restore";
constexpr const char* kRestoreStatus =
    "/apis/stash.appscode.com/v1beta1/namespaces/demo/restoresessions/app-restore/status";

/// A backup whose application is the scripted server: it answers the HTTP hooks beside the API.
struct HookStory : Story {
  BackupMemory memory;
  api::BackupConfiguration configuration;
  Json running = a_backup_session().phase("Running").host(running_here()).json();
  ApiScript application;

  HookStory() {
    std::filesystem::create_directory(data());
    std::ofstream(data() + "/file") << "content";
    configuration = a_configuration_here().build();
    configuration.spec.retention_policy = {};
  }

  api::Hook get(const std::string& path) const {
    api::Hook hook;
    hook.http_get = api::HttpAction{.path = path, .port = std::to_string(application.port())};
    return hook;
  }
  static api::Hook exec() {
    api::Hook hook;
    hook.exec = api::ExecAction{{"sync"}};
    hook.timeout = "30s";
    return hook;
  }
  void answers() {
    script.on("GET", kRepositoryPath).reply(a_checked_repository_here().json());
    script.on("PATCH", std::string(kRepositoryPath) + "/status").always().reply(Json::object());
    script.on("PATCH", kStatus).always().reply(running);
    script.on("POST", kEvents).always().reply(201, Json::object());
  }
  void restic_works() {
    restic.on("cat", {})
        .on("snapshots", {.output = "[]\n"})
        .on("backup", {.output = test::summary_line()})
        .on("snapshots", {.output = "[]\n"})
        .on("stats", {.output = "{\"total_size\":1}\n"});
  }
  Json run() { return run(a_backup_session().stamped().json(), false); }
  /// After the sidecar's container was restarted.
  Json resume() { return run(running, true); }
  Json run(const Json& session, bool resumes) {
    const NextSession next{"app-backup-1700000000", "uid-app-backup-1700000000", *host_entry(session, "host-0"),
                           resumes};
    stays(configuration);
    REQUIRE(run_backup_session(context, memory, configuration, session, next, "host-0"));
    return test::result_in(script.calls());
  }
  bool was_given_back() const {
    return test::text_of(script.calls()).contains(R"("op":"remove","path":"/status/stats/0/claim")");
  }
  Json asked_to_stop() const {
    Json asked = running;
    asked["status"]["stats"][0]["claim"]["stop"] = "RestoreSession demo/app-restore restores the same workload";
    return asked;
  }
  std::vector<std::string> asked() const {
    std::vector<std::string> targets;
    for (const auto& call : application.calls()) targets.push_back(call.method + " " + call.target);
    return targets;
  }
};

TEST_CASE("hooks are run around the backup, against the pod itself", "[sidecar][hook_story]") {
  HookStory story;
  story.configuration.spec.pre_backup = story.get("/freeze");
  story.configuration.spec.post_backup = story.get("/thaw");
  using Steps = std::vector<std::string>;
  Steps at_freeze, at_thaw;  // read after the server's thread has answered
  story.application.on("GET", "/freeze").before([&] { at_freeze = story.restic.subcommands(); }).reply(204);
  story.application.on("GET", "/thaw").before([&] { at_thaw = story.restic.subcommands(); }).reply(302);
  story.answers();
  story.restic_works();
  CHECK(string_at(story.run(), {"phase"}) == "Succeeded");
  CHECK(story.asked() == std::vector<std::string>{"GET /freeze", "GET /thaw"});
  CHECK(at_freeze == Steps{"cat"});
  CHECK(at_thaw == Steps{"cat", "snapshots", "backup"});
}

TEST_CASE("what is frozen is noted in the pod, for nobody else to read, until it is thawed",
          "[sidecar][hook_story][F3][I9][I15]") {
  HookStory story;
  story.configuration.spec.pre_backup = story.get("/freeze");
  story.configuration.spec.post_backup = story.get("/thaw");
  story.configuration.spec.post_backup->execution_policy = GENERATE("Always", "OnFailure");
  const bool is_thawed = story.configuration.spec.post_backup->execution_policy == "Always";
  const std::string note = story.context.restic.settings.home + "/frozen.json";
  std::filesystem::perms rights{};
  std::optional<std::string> session;  // both read after the server's thread has answered
  story.application.on("GET", "/freeze")
      .before([&] {
        rights = std::filesystem::status(note).permissions();
        session = left_frozen_for(story.context);
      })
      .reply(204);
  if (is_thawed) story.application.on("GET", "/thaw").reply(200, Json());
  story.answers();
  story.restic_works();
  CHECK(string_at(story.run(), {"phase"}) == "Succeeded");
  using std::filesystem::perms;
  CHECK(rights == (perms::owner_read | perms::owner_write));
  CHECK(session == "uid-app-backup-1700000000");
  CHECK_FALSE(std::filesystem::exists(note));
}

TEST_CASE("what an earlier container froze is thawed although its author has taken the hooks out since",
          "[sidecar][hook_story][F3][F8][I9]") {
  HookStory story;
  api::BackupConfiguration with_hooks = story.configuration;
  with_hooks.spec.post_backup = story.get("/thaw");
  const bool is_ours = GENERATE(true, false);
  note_frozen(story.context, is_ours ? "uid-app-backup-1700000000" : "another", with_hooks);
  std::size_t restic_calls_before = 0;
  if (is_ours)
    story.application.on("GET", "/thaw").before([&] { restic_calls_before = story.restic.calls().size(); }).reply(204);
  story.answers();
  story.restic_works();
  CHECK(string_at(story.resume(), {"phase"}) == "Succeeded");
  CHECK(restic_calls_before == 0);
  CHECK(story.asked().size() == (is_ours ? 1u : 0u));
  CHECK(left_frozen_for(story.context) == (is_ours ? std::nullopt : std::optional<std::string>("another")));
}

TEST_CASE("the hook before may make what is backed up", "[sidecar][hook_story]") {
  HookStory story;
  const std::string dump = story.volume / "dump";
  story.configuration.spec.target->paths = {dump};
  story.configuration.spec.pre_backup = story.get("/dump");
  story.application.on("GET", "/dump").before([&dump] { std::ofstream(dump) << "content"; }).reply(200, Json());
  story.answers();
  story.restic_works();
  CHECK(string_at(story.run(), {"phase"}) == "Succeeded");
}

TEST_CASE("a failed hook before keeps restic from reading, and the hook after is run",
          "[sidecar][hook_story][F73][I9]") {
  HookStory story;
  story.configuration.spec.pre_backup = story.get("/freeze");
  story.configuration.spec.post_backup = story.get("/thaw");
  story.application.on("GET", "/freeze").reply(500);
  story.application.on("GET", "/thaw").reply(200, Json());
  story.answers();
  story.restic.on("cat", {});
  const Json result = story.run();
  CHECK(string_at(result, {"phase"}) == "Failed");
  CHECK(string_at(result, {"error"}) == "the hook preBackup failed: it answered HTTP 500; nothing was backed up");
  CHECK(story.asked().size() == 2);
}

TEST_CASE("a failed hook after fails the host, whose snapshot is told", "[sidecar][hook_story]") {
  HookStory story;
  story.configuration.spec.post_backup = story.get("/thaw");
  story.application.on("GET", "/thaw").reply(503);
  story.answers();
  story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).on("backup", {.output = test::summary_line()});
  const Json result = story.run();
  CHECK(string_at(result, {"phase"}) == "Failed");
  CHECK(string_at(result, {"error"}) == "the hook postBackup failed: it answered HTTP 503");
  CHECK(array_at(result, {"snapshots"}).size() == 1);
}

TEST_CASE("the hook after is run whatever failed before it, unless its policy is otherwise", "[sidecar][hook_story]") {
  HookStory story;
  story.configuration.spec.post_backup = story.get("/after");
  const std::string policy = GENERATE("", "OnFailure", "OnSuccess");
  story.configuration.spec.post_backup->execution_policy = policy;
  if (policy != "OnSuccess") story.application.on("GET", "/after").reply(200, Json());
  story.answers();
  story.restic.on("cat", {.exit_code = 1, .standard_error = test::kWrongPassword});
  CHECK(string_at(story.run(), {"error"}).starts_with("opening the repository: wrong password"));
}

TEST_CASE("a hook that could never be run fails the host before anything is done", "[sidecar][hook_story]") {
  HookStory story;
  story.configuration.spec.pre_backup = story.get("/freeze");
  story.configuration.spec.post_backup = story.get("/thaw");
  story.configuration.spec.post_backup->http_get->port = "http";
  story.script.on("PATCH", kStatus).always().reply(story.running);
  story.script.on("POST", kEvents).always().reply(201, Json::object());
  CHECK(string_at(story.run(), {"error"}).starts_with("hooks.postBackup.httpGet.port: \"http\" is no number"));
  CHECK(story.restic.calls().empty());
  CHECK(story.asked().empty());
}

TEST_CASE("a pod that is being stopped thaws the application before it gives its host back",
          "[sidecar][hook_story][F9][I9]") {
  HookStory story;
  story.configuration.spec.pre_backup = story.get("/freeze");
  story.configuration.spec.post_backup = story.get("/thaw");
  story.application.on("GET", "/freeze").reply(200, Json());
  story.application.on("GET", "/thaw").reply(200, Json());
  story.answers();
  story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).hang("backup");
  story.stop_when = [&story] { return story.restic.subcommands().size() >= 3; };
  CHECK(story.run().is_null());
  CHECK(story.asked() == std::vector<std::string>{"GET /freeze", "GET /thaw"});
  CHECK(story.script.calls().back().body.find("\"value\":\"Pending\"") != std::string::npos);
}

TEST_CASE("a host that is given up as its container ends each time thaws its application first",
          "[sidecar][hook_story][F6][I6][I9]") {
  HookStory story;
  story.configuration.spec.pre_backup = story.get("/freeze");
  story.configuration.spec.post_backup = story.get("/thaw");
  story.running["status"]["stats"][0]["claim"]["restarts"] = 2;
  story.application.on("GET", "/thaw").reply(200, Json());
  story.script.on("PATCH", kStatus).always().reply(story.running);
  story.script.on("POST", kEvents).always().reply(201, Json::object());
  CHECK(string_at(story.resume(), {"error"}).starts_with("the container stash ended 3 times"));
  CHECK(story.asked() == std::vector<std::string>{"GET /thaw"});
  CHECK(story.restic.calls().empty());
}

TEST_CASE("a pod whose container was restarted thaws the application before it gives its host back",
          "[sidecar][hook_story][F3][I9]") {
  HookStory story;
  story.configuration.spec.pre_backup = story.get("/freeze");
  story.configuration.spec.post_backup = story.get("/thaw");
  bool in_time = false;  // read after the server's thread has answered
  story.application.on("GET", "/thaw").before([&] { in_time = !story.was_given_back(); }).reply(200, Json());
  SECTION("as it was asked to stop while it was away") {
    story.script.on("PATCH", kStatus).always().reply(story.asked_to_stop());
  }
  SECTION("as it is stopped before it has come to the hook before once more") {
    story.answers();
    story.restic.hang("cat");
    story.stop_when = [&story] { return !story.restic.subcommands().empty(); };
  }
  CHECK(story.resume().is_null());
  CHECK(story.asked() == std::vector<std::string>{"GET /thaw"});
  CHECK(in_time);
  CHECK(story.was_given_back());
}

/// The session as it is when the controller has dealt with the latest request for a hook.
ApiScript::Reply dealt_with(const Story& story, const std::string& phase, const std::string& error = "",
                            std::optional<TimePoint> queued = std::nullopt) {
  api::HostStats host = Story::running_here();
  for (const auto& call : story.script.calls()) {
    for (const Json& operation : call.method == "PATCH" ? call.json() : Json::array()) {
      if (string_at(operation, {"path"}) != "/status/stats/0/hook") continue;
      host.hook = api::HookStatus{string_at(operation, {"value", "action"}), phase, error,
                                  parse_time(string_at(operation, {"value", "requestTime"})).value(), queued};
    }
  }
  return {.status = 200, .body = dump_json(a_backup_session().phase("Running").host(host).json())};
}

TEST_CASE("a program is run by the controller, which the host's entry asks for", "[sidecar][hook_story]") {
  HookStory story;
  story.configuration.spec.pre_backup = story.configuration.spec.post_backup = HookStory::exec();
  story.answers();
  story.script.on("GET", kSession).reply(story.running);
  story.script.on("GET", kSession).reply(500);
  for (int hook = 0; hook < 2; ++hook) {
    story.script.on("GET", kSession).reply_with([&story](const auto&) { return dealt_with(story, "Requested"); });
    story.script.on("GET", kSession).reply_with([&story](const auto&) { return dealt_with(story, "Succeeded"); });
  }
  story.restic_works();
  CHECK(string_at(story.run(), {"phase"}) == "Succeeded");
  const std::string all = test::text_of(story.script.calls());
  CHECK(all.find("\"action\":\"preBackup\",\"phase\":\"Requested\"") != std::string::npos);
  CHECK(all.find("\"action\":\"postBackup\",\"phase\":\"Requested\"") != std::string::npos);
}

TEST_CASE("what the controller says of a failed program is the host's error", "[sidecar][hook_story]") {
  HookStory story;
  story.configuration.spec.pre_backup = HookStory::exec();
  story.answers();
  story.script.on("GET", kSession).reply_with([&story](const auto&) {
    return dealt_with(story, "Failed", "container db: exit code 3");
  });
  story.restic.on("cat", {});
  CHECK(string_at(story.run(), {"error"}) ==
        "the hook preBackup failed: container db: exit code 3; nothing was backed up");
}

TEST_CASE("a controller that runs no program is waited for a while only", "[sidecar][hook_story][F2][I6]") {
  HookStory story;
  story.configuration.spec.pre_backup = HookStory::exec();
  story.answers();
  // The outcome of another request is none of this one.
  api::HostStats earlier = Story::running_here();
  earlier.hook = api::HookStatus{"preBackup", "Succeeded", "", test::kCreated};
  story.script.on("GET", kSession).always().reply(a_backup_session().phase("Running").host(earlier).json());
  story.restic.on("cat", {});
  CHECK(
      string_at(story.run(), {"error"})
          .starts_with("the hook preBackup failed: Stash's controller, which runs exec hooks, has not reported its end "
                       "within 1m30s"));
}

TEST_CASE("a program that waits for its turn has its time from when it begins", "[sidecar][hook_story][F28][I6]") {
  HookStory story;
  story.configuration.spec.pre_backup = HookStory::exec();
  story.answers();
  // The clock of a story goes on by ten seconds from one to the next.
  int looks = 0;
  story.script.on("GET", kSession).always().reply_with([&](const auto&) {
    ++looks;
    const std::string phase = looks < 70 ? "Queued" : looks < 77 ? "Running" : "Succeeded";
    return dealt_with(story, phase, "", test::kCreated + api::kQueueSign * (looks / 20));
  });
  story.restic_works();
  CHECK(string_at(story.run(), {"phase"}) == "Succeeded");
  CHECK(looks == 77);
}

TEST_CASE("a program whose turn never comes is waited for as long as the controller gives signs of life",
          "[sidecar][hook_story][F2][I6]") {
  HookStory story;
  story.configuration.spec.pre_backup = HookStory::exec();
  story.answers();
  story.script.on("GET", kSession).always().reply_with([&](const auto&) {
    return dealt_with(story, "Queued", "", test::kCreated);
  });
  story.restic.on("cat", {});
  CHECK(string_at(story.run(), {"error"}) ==
        "the hook preBackup failed: Stash's controller, which runs exec hooks, let it wait for its turn, and has not "
        "been heard of for 10m0s; nothing was backed up");
}

TEST_CASE("a thaw that the controller has not ended stays in the host's result, for when it is back",
          "[sidecar][hook_story]") {
  HookStory story;
  story.configuration.spec.post_backup = HookStory::exec();
  story.answers();
  story.script.on("GET", kSession).always().reply_with([&story](const auto&) {
    return dealt_with(story, "Requested");
  });
  story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).on("backup", {.output = test::summary_line()});
  const Json result = story.run();
  CHECK(string_at(result, {"phase"}) == "Failed");
  CHECK(string_at(result, {"hook", "action"}) == "postBackup");
  CHECK(string_at(result, {"hook", "phase"}) == "Requested");
}

TEST_CASE("a pod that was asked to stop and finds nobody to run its thaw leaves that with a result",
          "[sidecar][hook_story][F10][F11][I9]") {
  HookStory story;
  story.configuration.spec.pre_backup = story.configuration.spec.post_backup = HookStory::exec();
  story.context.pause = [&story](std::chrono::milliseconds time) { story.clock.advance(time); };
  const bool gets_through = GENERATE(true, false);
  const auto works = [&story] { return story.restic.subcommands().size() >= 3; };
  story.script.on("PATCH", kStatus).always().reply_with([&, gets_through](const ApiScript::Call& call) {
    const bool is_thaw = call.body.contains(R"("action":"postBackup","phase":"Requested")");
    const bool is_result = call.body.contains(R"("op":"replace")");
    return ApiScript::Reply{.status = is_thaw && !is_result && !gets_through ? 503 : 200,
                            .body = dump_json(works() ? story.asked_to_stop() : story.running)};
  });
  story.script.on("GET", kSession).always().reply_with([&](const auto&) {
    ApiScript::Reply reply = dealt_with(story, works() ? "Requested" : "Succeeded");
    Json session = Json::parse(reply.body);
    if (works()) session["status"]["stats"][0]["claim"]["stop"] = "a restore";
    if (works() && !gets_through) session["status"]["stats"][0]["hook"]["action"] = "preBackup";
    reply.body = dump_json(session);
    return reply;
  });
  story.answers();
  story.restic.on("cat", {}).on("snapshots", {.output = "[]\n"}).hang("backup");
  const Json result = story.run();
  CHECK(string_at(result, {"phase"}) == "Failed");
  CHECK(string_at(result, {"error"}) == "a restore");
  CHECK(string_at(result, {"claim", "podUID"}) == "uid-pod");
  CHECK(string_at(result, {"hook", "action"}) == "postBackup");
  CHECK(string_at(result, {"hook", "phase"}) == "Requested");
  CHECK_FALSE(story.was_given_back());
}

TEST_CASE("a request whose answer got lost is not made twice", "[sidecar][hook_story][F19][I9]") {
  HookStory story;
  story.configuration.spec.pre_backup = HookStory::exec();
  story.script.on("PATCH", kStatus).always().reply_with([&story](const ApiScript::Call& call) {
    const bool is_request = call.body.find("\"Requested\"") != std::string::npos;
    return ApiScript::Reply{.status = is_request ? 504 : 200, .body = dump_json(story.running)};
  });
  story.answers();
  story.script.on("GET", kSession).times(2).reply_with([&story](const auto&) {
    return dealt_with(story, "Succeeded");
  });
  story.restic_works();
  CHECK(string_at(story.run(), {"phase"}) == "Succeeded");
  int requests = 0;
  for (const auto& call : story.script.calls())
    requests += call.body.find("\"Requested\"") != std::string::npos ? 1 : 0;
  CHECK(requests == 1);
}

constexpr const char* kSnapshot =
    R"([{"id":"d2769cc2175c","time":"2026-11-23T12:54:48Z","hostname":"host-0","paths":["/source/data"]}])";

struct RestoreHooks : HookStory {
  int attempts_before = 0;
  int restore_with(const std::optional<api::Hook>& before, const std::optional<api::Hook>& after) {
    const auto session = [&](api::HostStats host) {
      return a_restore_session().phase("Running").host(std::move(host)).with([&](api::RestoreSession& restore) {
        restore.spec.pre_restore = before;
        restore.spec.post_restore = after;
      });
    };
    api::HostStats pending;
    pending.hostname = "host-0";
    pending.phase = "Pending";
    pending.attempts = attempts_before;
    script.on("GET", kRestore).reply(session(pending).json());
    script.on("PATCH", kRestoreStatus).always().reply(session(running_here()).json());
    script.on("POST", kEvents).always().reply(201, Json::object());
    return sidecar::restore(context, "app-restore");
  }
};

TEST_CASE("hooks are run around a restore, and failing ones fail it", "[sidecar][hook_story]") {
  RestoreHooks story;
  const bool works = GENERATE(true, false);
  story.application.on("GET", "/before").reply(200, Json());
  story.application.on("GET", "/after").reply(works ? 200 : 500, Json());
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {}).on("snapshots", {.output = kSnapshot}).on("restore", {});
  CHECK(story.restore_with(story.get("/before"), story.get("/after")) == (works ? 0 : 1));
  CHECK(story.asked() == std::vector<std::string>{"GET /before", "GET /after"});
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"error"}) ==
        (works ? "" : "attempt 1 of 5: the hook postRestore failed: it answered HTTP 500"));
}

TEST_CASE("of a restore the final failure is that of its last attempt", "[sidecar][hook_story]") {
  const auto [attempts_before, policy, is_run] =
      GENERATE(table<int, std::string, bool>({{0, "OnFinalRetryFailure", false},
                                              {api::kRestoreAttempts - 2, "OnFinalRetryFailure", false},
                                              {api::kRestoreAttempts - 1, "OnFinalRetryFailure", true},
                                              {0, "OnFailure", true},
                                              {0, "OnSuccess", false},
                                              {0, "Always", true}}));
  CAPTURE(attempts_before, policy);
  RestoreHooks story;
  story.attempts_before = attempts_before;
  story.script.on("GET", Story::kRepositoryPath).always().reply(404);
  if (is_run) story.application.on("GET", "/after").reply(200, Json());
  api::Hook after = story.get("/after");
  after.execution_policy = policy;
  // After the last attempt the container stays, and looks at the session until it is stopped.
  story.stop_when = [&story] { return test::result_in(story.script.calls()) != nullptr && !story.pauses.empty(); };
  story.restore_with(std::nullopt, after);
  CHECK(story.asked() == (is_run ? std::vector<std::string>{"GET /after"} : std::vector<std::string>{}));
}

TEST_CASE("a pod that is stopped when its restore is complete runs the hook after, for nobody comes after it",
          "[sidecar][hook_story][F9][I13]") {
  const auto [policy, has_before, is_run] =
      GENERATE(table<std::string, bool, bool>({{"Always", false, true},
                                               {"OnSuccess", false, true},
                                               {"OnSuccess", true, true},
                                               {"OnFailure", true, false},
                                               {"OnFailure", false, false},
                                               {"OnFinalRetryFailure", true, false}}));
  CAPTURE(policy, has_before);
  const bool works = !is_run || GENERATE(true, false);
  CAPTURE(works);
  RestoreHooks story;
  const std::string ended = story.restic.place().settings.home + "/ended";
  if (has_before) story.application.on("GET", "/before").reply(200, Json());
  if (is_run) story.application.on("GET", "/after").reply(works ? 200 : 500, Json());
  story.script.on("GET", Story::kRepositoryPath).reply(story.a_repository_here().json());
  story.restic.on("cat", {})
      .on("snapshots", {.output = kSnapshot})
      .on("restore", {.before = "trap '' INT; touch " + ended});
  // restic, which ends before it hears of that, has restored all.
  story.stop_when = [&] { return std::filesystem::exists(ended); };
  api::Hook after = story.get("/after");
  after.execution_policy = policy;
  const int code = story.restore_with(has_before ? std::optional(story.get("/before")) : std::nullopt, after);
  std::vector<std::string> expected;
  if (has_before) expected.emplace_back("GET /before");
  if (is_run) expected.emplace_back("GET /after");
  CHECK(story.asked() == expected);
  CHECK(code == (works ? 0 : 1));
  const Json result = test::result_in(story.script.calls());
  if (works) {
    CHECK(string_at(result, {"phase"}) == "Succeeded");
  } else {
    // The next pod restores again, and asks again.
    CHECK(result == nullptr);
    CHECK(story.script.calls().back().body.find("\"value\":\"Pending\"") != std::string::npos);
  }
}

TEST_CASE("a last attempt that was cut off runs the hook that waits for its end", "[sidecar][hook_story][F5][I13]") {
  const auto [policy, is_run] = GENERATE(
      table<std::string, bool>({{"OnFinalRetryFailure", true}, {"OnFailure", true}, {"", true}, {"OnSuccess", false}}));
  const int status = GENERATE(200, 500);
  CAPTURE(policy, status);
  RestoreHooks story;
  story.attempts_before = api::kRestoreAttempts;
  bool published = false;
  if (is_run) {
    story.application.on("GET", "/after")
        .before([&] { published = test::result_in(story.script.calls()) != nullptr; })
        .reply(status, Json());
  }
  api::Hook after = story.get("/after");
  after.execution_policy = policy;
  story.stop_when = [&story] { return test::result_in(story.script.calls()) != nullptr && !story.pauses.empty(); };
  story.restore_with(story.get("/before"), after);
  CHECK(story.asked() == (is_run ? std::vector<std::string>{"GET /after"} : std::vector<std::string>{}));
  CHECK_FALSE(published);
  const Json result = test::result_in(story.script.calls());
  CHECK(string_at(result, {"phase"}) == "Failed");
  CHECK(int_at(result, {"attempts"}) == api::kRestoreAttempts);
  CHECK(string_at(result, {"error"}).ends_with("; the hook postRestore failed: it answered HTTP 500") ==
        (is_run && status == 500));
}

TEST_CASE("a pod that is asked to stop during the hook of a last attempt gives its host back",
          "[sidecar][hook_story][F5][I6][I13]") {
  RestoreHooks story;
  story.attempts_before = api::kRestoreAttempts;
  story.application.on("GET", "/after").stream({}).then_hang();
  const Json running = a_restore_session().phase("Running").host(Story::running_here()).json();
  Json asked = running;
  asked["status"]["stats"][0]["claim"]["stop"] = "superseded by RestoreSession demo/newer";
  story.script.on("PATCH", kRestoreStatus).always().reply_with([&](const ApiScript::Call&) {
    return ApiScript::Reply{.body = dump_json(story.application.calls().empty() ? running : asked)};
  });
  const auto given_back = [&story] {
    return test::text_of(story.script.calls()).contains(R"("op":"remove","path":"/status/stats/0/claim")");
  };
  story.stop_when = [&] { return given_back() && !story.pauses.empty(); };
  story.restore_with(std::nullopt, story.get("/after"));
  CHECK(given_back());
  CHECK(test::result_in(story.script.calls()) == nullptr);
}

TEST_CASE("a failed hook before a restore restores nothing", "[sidecar][hook_story]") {
  RestoreHooks story;
  story.application.on("GET", "/before").reply(404);
  CHECK(story.restore_with(story.get("/before"), std::nullopt) == 1);
  CHECK(story.restic.calls().empty());
  CHECK(string_at(test::result_in(story.script.calls()), {"error"}) ==
        "attempt 1 of 5: the hook preRestore failed: it answered HTTP 404; nothing was restored");
}

TEST_CASE("a program around a restore is refused, for its container is not there yet", "[sidecar][hook_story]") {
  RestoreHooks story;
  CHECK(story.restore_with(std::nullopt, HookStory::exec()) == 1);
  CHECK(story.restic.calls().empty());
  CHECK(string_at(test::result_in(story.script.calls()), {"error"})
            .starts_with("attempt 1 of 5: hooks.postRestore.exec: the application's containers start only after"));
}

TEST_CASE("a TCP hook connects, or says why not", "[sidecar][hook_story]") {
  const auto go_on = [] { return true; };
  std::string port;
  {
    const ApiScript listener;
    port = std::to_string(listener.port());
    CHECK(tcp_connect("localhost", port, std::chrono::seconds(5), go_on));
  }
  const auto refused = tcp_connect("127.0.0.1", port, std::chrono::seconds(5), go_on);
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == Error{ErrorCode::unreachable, "127.0.0.1:" + port + ": Connection refused"});
  CHECK(tcp_connect("not a host", port, std::chrono::seconds(5), go_on).error().code == ErrorCode::unreachable);
}

}  // namespace
}  // namespace stash::sidecar
