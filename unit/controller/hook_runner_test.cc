#include "controller/hook_runner.h"

#include <catch2/catch.hpp>
#include <deque>
#include <future>

#include "unit/controller/worlds.h"
#include "unit/support/api_script.h"

namespace {

using namespace stash;
using namespace stash::controller;
using namespace stash::test;

constexpr const char* kSession =
    "/apis/stash.appscode.com/v1beta1/namespaces/demo/backupsessions/app-backup-1700000000";
const std::string kStatus = std::string(kSession) + "/status";

HookRequest a_request(const std::string& action, const std::string& host = "host-0") {
  return {.session = {"demo", "app-backup-1700000000"},
          .session_uid = "uid-app-backup-1700000000",
          .host = host,
          .action = action,
          .phase = "Requested",
          .requested = "2023-11-14T22:13:25Z",
          .pod = "web-1",
          .pod_uid = "uid-web-1",
          .place = {.ref = {"demo", "app-backup-1700000000"}}};
}
HookStep a_step(const std::string& action, const std::string& host = "host-0") {
  return {a_request(action, host), HookCommand{{"demo", "web-1"}, "app", {action}, std::chrono::seconds(30)}, ""};
}

/// The session as it stands with that request.
Json session_with(const HookRequest& request, const std::string& phase) {
  api::HostStats host = claimed(request.host, request.pod);
  host.hook = api::HookStatus{request.action, phase, "", parse_time(request.requested).value()};
  return a_backup_session().phase("Running").host(host).json();
}

/// Patches `stored` as the API server does, whatever is answered.
auto applied_to(Json& stored, int status = 200) {
  return [&stored, status](const ApiScript::Call& call) {
    stored = stored.patch(call.json());
    return ApiScript::Reply{.status = status, .body = status == 200 ? dump_json(stored) : ""};
  };
}

/// A cluster whose containers do as they are told, and the one who waits for its sessions.
struct Hooks {
  ApiScript script;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> begun;
  std::deque<Result<kube::ExecOutcome>> answers;  // in this order; after them programs run until they are cancelled
  int woken = 0;
  HookRunner runner;

  explicit Hooks(HookRunner::Limits limits = {})
      : runner(
            script.config(), [this](const auto& request, const auto& cancelled) { return exec(request, cancelled); },
            [this](const api::ObjectRef&) { count(); }, system_clock(), limits) {}

  Result<kube::ExecOutcome> exec(const kube::ExecRequest& request, const std::function<bool()>& cancelled) {
    {
      const std::scoped_lock lock(mutex);
      begun.push_back(request.command.front());
      changed.notify_all();
      if (!answers.empty()) {
        auto answer = std::move(answers.front());
        answers.pop_front();
        return answer;
      }
    }
    while (!cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return fail(ErrorCode::cancelled, "stopped");
  }
  void count() {
    const std::scoped_lock lock(mutex);
    ++woken;
    changed.notify_all();
  }
  bool wait(const std::function<bool()>& what) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(20), what);
  }
  bool wait_for_ends(int count) {
    return wait([this, count] { return woken >= count; });
  }
  bool wait_for_begins(std::size_t count) {
    return wait([this, count] { return begun.size() >= count; });
  }
  /// "path value" of all that the patches have put, in order.
  std::vector<std::string> written() const {
    std::vector<std::string> texts;
    for (const auto& call : script.calls()) {
      for (const Json& operation : call.method == "PATCH" ? call.json() : Json::array()) {
        // A name by chance; the tests about lost answers look at it.
        if (string_at(operation, {"op"}) == "add" && !string_at(operation, {"path"}).ends_with("/takenBy"))
          texts.push_back(string_at(operation, {"path"}).substr(sizeof("/status/stats/0/hook")) + " " +
                          string_at(operation, {"value"}));
      }
    }
    return texts;
  }
};
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a hook is taken, run and reported", "[controller][hook_runner]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).times(2).reply(Json::object());
  hooks.answers = {kube::ExecOutcome{0, "done"}};
  hooks.runner.start(a_step("preBackup"));
  REQUIRE(hooks.wait_for_ends(1));
  CHECK(hooks.begun == Texts{"preBackup"});
  CHECK(hooks.written() == Texts{"phase Running", "phase Succeeded", "error "});
  CHECK_FALSE(hooks.runner.is_in_hand(a_request("preBackup")));
}

TEST_CASE("a program that fails is told with its container, its exit code and its last words",
          "[controller][hook_runner]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).times(2).reply(Json::object());
  hooks.answers = {kube::ExecOutcome{3, "no space left"}};
  hooks.runner.start(a_step("preBackup"));
  REQUIRE(hooks.wait_for_ends(1));
  CHECK(hooks.written() == Texts{"phase Running", "phase Failed", "error container app: exit code 3: no space left"});
}

TEST_CASE("a request that somebody else has taken is not run", "[controller][hook_runner]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).reply(422, status_of(422, "Invalid", "the server rejected our request"));
  hooks.runner.start(a_step("preBackup"));
  REQUIRE(hooks.wait_for_ends(1));
  CHECK(hooks.begun.empty());
}

TEST_CASE("a take whose answer is lost is known to be ours, and its program is run, once",
          "[controller][hook_runner][F19][I7]") {
  Hooks hooks;
  Json stored = session_with(a_request("preBackup"), "Requested");
  // Applied, and nobody is told.
  hooks.script.on("PATCH", kStatus).reply_with(applied_to(stored, 504));
  hooks.runner.start(a_step("preBackup"));
  REQUIRE(hooks.wait_for_ends(1));
  CHECK(hooks.begun.empty());
  const HookRequest found = open_hooks(stored).at(0);
  CHECK(found.phase == "Running");
  CHECK_FALSE(hooks.runner.is_in_hand(found));
  REQUIRE(hooks.runner.is_taken_unbegun(found));
  SECTION("another process, which knows nothing of it, does not claim that") {
    Hooks others;
    CHECK_FALSE(others.runner.is_taken_unbegun(found));
  }
  SECTION("what another process took over is its own") {
    HookRequest theirs = found;
    theirs.taken_by = "another";
    CHECK_FALSE(hooks.runner.is_taken_unbegun(theirs));
  }
  SECTION("a later request is another one") {
    HookRequest later = found;
    later.requested = "2023-11-14T22:20:00Z";
    CHECK_FALSE(hooks.runner.is_taken_unbegun(later));
  }
  SECTION("the next look takes it again") {
    hooks.script.on("PATCH", kStatus).times(2).reply_with(applied_to(stored));
    hooks.answers = {kube::ExecOutcome{0, ""}};
    HookStep step = a_step("preBackup");
    step.request = found;
    hooks.runner.start(step);
    REQUIRE(hooks.wait_for_ends(2));
    CHECK(hooks.begun == Texts{"preBackup"});
    CHECK_FALSE(hooks.runner.is_taken_unbegun(found));
    CHECK(host_of(stored)["hook"]["phase"] == "Succeeded");
  }
  SECTION("when the session is over, it is forgotten") {
    hooks.runner.settle(found.session, found.session_uid, false);
    CHECK_FALSE(hooks.runner.is_taken_unbegun(found));
  }
}

TEST_CASE("a preBackup that has begun and whose end was not written does not pass for one that has not",
          "[controller][hook_runner][F19][I7]") {
  Hooks hooks;
  Json stored = session_with(a_request("preBackup"), "Requested");
  hooks.script.on("PATCH", kStatus).reply_with(applied_to(stored));
  hooks.script.on("PATCH", kStatus).reply(403);
  hooks.answers = {kube::ExecOutcome{0, ""}};
  hooks.runner.start(a_step("preBackup"));
  REQUIRE(hooks.wait_for_ends(1));
  CHECK(hooks.begun == Texts{"preBackup"});
  CHECK_FALSE(hooks.runner.is_taken_unbegun(open_hooks(stored).at(0)));
  // Nor after an old copy of the session has shown it as Requested.
  hooks.script.on("PATCH", kStatus).refuse_test();
  hooks.runner.start(a_step("preBackup"));
  REQUIRE(hooks.wait_for_ends(2));
  CHECK_FALSE(hooks.runner.is_taken_unbegun(open_hooks(stored).at(0)));
}

TEST_CASE("a refusal is written and nothing run", "[controller][hook_runner]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).reply(Json::object());
  hooks.runner.start({a_request("preBackup"), std::nullopt, "pod web-1 is gone"});
  REQUIRE(hooks.wait_for_ends(1));
  CHECK(hooks.begun.empty());
  CHECK(hooks.written() == Texts{"phase Failed", "error pod web-1 is gone"});
}

TEST_CASE("a hook in hand is not begun a second time", "[controller][hook_runner]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).reply(Json::object());
  hooks.runner.start(a_step("preBackup"));
  REQUIRE(hooks.wait_for_begins(1));
  CHECK(hooks.runner.is_in_hand(a_request("preBackup")));
  hooks.runner.start(a_step("preBackup"));
  hooks.runner.shut_down();
  CHECK(hooks.begun.size() == 1);
}

TEST_CASE("a postBackup stops the preBackup of its host, which then reports nothing", "[controller][hook_runner]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).times(3).reply(Json::object());
  hooks.runner.start(a_step("preBackup"));
  REQUIRE(hooks.wait_for_begins(1));
  hooks.runner.start(a_step("postBackup"));
  REQUIRE(hooks.wait_for_ends(1));  // the session is looked at again, and asks again
  hooks.answers = {kube::ExecOutcome{0, ""}};
  hooks.runner.start(a_step("postBackup"));
  REQUIRE(hooks.wait_for_ends(2));
  CHECK(hooks.begun == Texts{"preBackup", "postBackup"});
  CHECK(hooks.written() == Texts{"phase Running", "phase Running", "phase Succeeded", "error "});
}

TEST_CASE("what could not be begun is tried again, also before a backup", "[controller][hook_runner]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).times(2).reply(Json::object());
  hooks.answers = {fail(ErrorCode::unreachable, "connection refused"), kube::ExecOutcome{0, ""}};
  hooks.runner.start(a_step("preBackup"));
  REQUIRE(hooks.wait_for_ends(1));
  CHECK(hooks.written().at(1) == "phase Succeeded");
}

TEST_CASE("what may have run already is tried again only if it thaws", "[controller][hook_runner]") {
  const std::string action = GENERATE("preBackup", "postBackup");
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).times(2).reply(Json::object());
  hooks.answers = {fail(ErrorCode::timed_out, "the connection ended"), kube::ExecOutcome{0, ""}};
  hooks.runner.start(a_step(action));
  REQUIRE(hooks.wait_for_ends(1));
  CHECK(hooks.written().at(1) == (action == "preBackup" ? "phase Failed" : "phase Succeeded"));
}

TEST_CASE("a program that outlives its timeout has failed, and may go on", "[controller][hook_runner]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).times(2).reply(Json::object());
  hooks.answers = {fail(ErrorCode::timed_out, "no end within the time limit")};
  HookStep step = a_step("postBackup");
  step.run->timeout = std::chrono::milliseconds(0);
  hooks.runner.start(step);
  REQUIRE(hooks.wait_for_ends(1));
  CHECK(hooks.written().at(2) == "error container app: it has not ended within 0s, and may go on");
}

TEST_CASE("an outcome is written over outages and a list that was written anew", "[controller][hook_runner]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).reply(Json::object());
  hooks.script.on("PATCH", kStatus).reply(503);
  hooks.script.on("PATCH", kStatus).reply(422, status_of(422, "Invalid", "the server rejected our request"));
  Json moved = session_with(a_request("preBackup"), "Running");
  moved["status"]["stats"].insert(moved["status"]["stats"].begin(), Json({{"hostname", "host-1"}}));
  hooks.script.on("GET", kSession).reply(moved);
  hooks.script.on("PATCH", kStatus).reply(Json::object());
  hooks.answers = {kube::ExecOutcome{0, ""}};
  hooks.runner.start(a_step("preBackup"));
  REQUIRE(hooks.wait_for_ends(1));
  CHECK(hooks.script.calls().back().body.find("/status/stats/1/hook/phase") != std::string::npos);
}

TEST_CASE("an outcome that nobody waits for any more is dropped", "[controller][hook_runner]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).reply(Json::object());
  hooks.script.on("PATCH", kStatus).reply(422, status_of(422, "Invalid", "the server rejected our request"));
  hooks.script.on("GET", kSession).reply(session_with(a_request("postBackup"), "Requested"));
  hooks.answers = {kube::ExecOutcome{0, ""}};
  hooks.runner.start(a_step("preBackup"));
  REQUIRE(hooks.wait_for_ends(1));
}

TEST_CASE("programs of one namespace leave room for those of others, and wait their turn",
          "[controller][hook_runner]") {
  Hooks hooks({.pre_backup = {2, 1}});
  hooks.script.on("PATCH", kStatus).always().reply(Json::object());
  hooks.runner.start(a_step("preBackup", "host-0"));
  REQUIRE(hooks.wait_for_begins(1));
  hooks.runner.start(a_step("preBackup", "host-1"));
  CHECK_FALSE(hooks.runner.is_in_hand(a_request("preBackup", "host-1")));
  HookStep other = a_step("preBackup", "host-0");
  other.request.session = {"elsewhere", "app-backup-1700000000"};
  other.request.session_uid = "uid-elsewhere";
  hooks.script
      .on("PATCH",
          "/apis/stash.appscode.com/v1beta1/namespaces/elsewhere/backupsessions/"
          "app-backup-1700000000/status")
      .always()
      .reply(Json::object());
  hooks.runner.start(other);
  REQUIRE(hooks.wait_for_begins(2));
  hooks.runner.start(a_step("postBackup", "host-0"));  // stops the first, which makes room
  REQUIRE(hooks.wait_for_ends(1));
  hooks.runner.start(a_step("preBackup", "host-1"));
  CHECK(hooks.wait_for_begins(3));
}

TEST_CASE("an application is thawed while others are being frozen and there is no room for more of that",
          "[controller][hook_runner][F28][I9]") {
  Hooks hooks({.pre_backup = {1, 1}, .post_backup = {1, 1}});
  hooks.script.on("PATCH", kStatus).always().reply(Json::object());
  hooks.runner.start(a_step("preBackup", "host-0"));
  REQUIRE(hooks.wait_for_begins(1));
  CHECK(hooks.runner.room("demo").pre_backup == 0);
  CHECK(hooks.runner.room("demo").post_backup == 1);
  hooks.runner.start(a_step("postBackup", "host-1"));
  CHECK(hooks.wait_for_begins(2));
  CHECK(hooks.runner.room("demo").post_backup == 0);
}

TEST_CASE("whoever waits for room is woken when a hook has ended", "[controller][hook_runner]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).times(2).reply(Json::object());
  hooks.answers = {kube::ExecOutcome{0, ""}};
  hooks.runner.wake_for_room({"demo", "another"});
  hooks.runner.start(a_step("postBackup"));
  CHECK(hooks.wait_for_ends(2));
}

TEST_CASE("what was frozen for a session that is deleted is thawed, once, in that very pod",
          "[controller][hook_runner]") {
  const bool same_pod = GENERATE(true, false);
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).times(2).reply(Json::object());
  hooks.script.on("GET", "/api/v1/namespaces/demo/pods/web-1")
      .reply({{"metadata", {{"uid", same_pod ? "uid-web-1" : "uid-web-1-again"}}}});
  hooks.answers = {kube::ExecOutcome{0, ""}, kube::ExecOutcome{0, ""}};
  HookStep step = a_step("preBackup");
  step.thaw = a_step("postBackup").run;
  hooks.runner.start(step);
  REQUIRE(hooks.wait_for_ends(1));
  hooks.runner.settle(step.request.session, step.request.session_uid, true);
  CHECK(hooks.begun == Texts{"preBackup"});
  hooks.runner.settle(step.request.session, "", false);
  REQUIRE(hooks.wait_for_ends(2));
  CHECK(hooks.begun == (same_pod ? Texts{"preBackup", "postBackup"} : Texts{"preBackup"}));
  hooks.runner.settle(step.request.session, "", false);
}

TEST_CASE("a thaw that nobody asks for any more is tried until it gets through", "[controller][hook_runner][F19][I9]") {
  const bool at_the_pod = GENERATE(true, false);
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).times(2).reply(Json::object());
  hooks.answers = {kube::ExecOutcome{0, ""}};
  HookStep step = a_step("preBackup");
  step.thaw = a_step("postBackup").run;
  step.thaw->timeout = std::chrono::milliseconds(0);
  hooks.runner.start(step);
  REQUIRE(hooks.wait_for_ends(1));
  const char* pod = "/api/v1/namespaces/demo/pods/web-1";
  if (at_the_pod) {
    hooks.script.on("GET", pod).reply(500);
  } else {
    hooks.script.on("GET", pod).reply({{"metadata", {{"uid", "uid-web-1"}}}});
    hooks.answers = {fail(ErrorCode::unreachable, "connection refused")};
  }
  hooks.answers.emplace_back(kube::ExecOutcome{0, ""});
  hooks.script.on("GET", pod).reply({{"metadata", {{"uid", "uid-web-1"}}}});
  hooks.runner.settle(step.request.session, "", false);
  REQUIRE(hooks.wait_for_ends(2));
  CHECK(hooks.answers.empty());
  CHECK(hooks.begun.back() == "postBackup");
}

TEST_CASE("a thaw that nobody asks for leaves a pod alone that the next backup has frozen with the same hooks",
          "[controller][hook_runner][F11][I9]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).always().reply(Json::object());
  hooks.answers = {kube::ExecOutcome{0, ""}, kube::ExecOutcome{0, ""}};
  HookStep step = a_step("preBackup");
  step.thaw = a_step("postBackup").run;
  hooks.runner.start(step);
  REQUIRE(hooks.wait_for_ends(1));
  HookStep next = step;
  next.request.session_uid = "the next one";
  hooks.runner.start(next);
  REQUIRE(hooks.wait_for_ends(2));
  hooks.script.on("GET", "/api/v1/namespaces/demo/pods/web-1").reply({{"metadata", {{"uid", "uid-web-1"}}}});
  hooks.runner.settle(step.request.session, next.request.session_uid, true);
  REQUIRE(hooks.wait_for_ends(3));
  CHECK(hooks.begun == Texts{"preBackup", "preBackup"});
}

TEST_CASE("a freeze that is under way when its session is deleted is stopped and thawed", "[controller][hook_runner]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).reply(Json::object());
  hooks.script.on("GET", "/api/v1/namespaces/demo/pods/web-1").reply({{"metadata", {{"uid", "uid-web-1"}}}});
  HookStep step = a_step("preBackup");
  step.thaw = a_step("postBackup").run;
  hooks.runner.start(step);
  REQUIRE(hooks.wait_for_begins(1));
  hooks.runner.settle(step.request.session, "", false);
  REQUIRE(hooks.wait_for_ends(1));
  hooks.answers = {kube::ExecOutcome{0, ""}};
  hooks.runner.settle(step.request.session, "", false);
  REQUIRE(hooks.wait_for_ends(2));
  CHECK(hooks.begun == Texts{"preBackup", "postBackup"});
}

TEST_CASE("a thaw is not stopped because its session is over by now", "[controller][hook_runner]") {
  Hooks hooks;
  HookStep step = a_step("preBackup");
  step.thaw = a_step("postBackup").run;
  hooks.script.on("PATCH", kStatus).times(2).reply(Json::object());
  hooks.script.on("PATCH", kStatus)
      .before([&] { hooks.runner.settle(step.request.session, step.request.session_uid, false); })
      .reply(Json::object());
  hooks.script.on("PATCH", kStatus).reply(Json::object());
  hooks.answers = {kube::ExecOutcome{0, ""}, kube::ExecOutcome{0, ""}};
  hooks.runner.start(step);
  REQUIRE(hooks.wait_for_ends(1));
  hooks.runner.start(a_step("postBackup"));
  REQUIRE(hooks.wait_for_ends(2));
  CHECK(hooks.begun == Texts{"preBackup", "postBackup"});
  CHECK(hooks.written().back() == "error ");
}

TEST_CASE("what has been thawed on request is not thawed again", "[controller][hook_runner]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).times(4).reply(Json::object());
  hooks.answers = {kube::ExecOutcome{0, ""}, kube::ExecOutcome{0, ""}};
  HookStep step = a_step("preBackup");
  step.thaw = a_step("postBackup").run;
  hooks.runner.start(step);
  REQUIRE(hooks.wait_for_ends(1));
  hooks.runner.start(a_step("postBackup"));
  REQUIRE(hooks.wait_for_ends(2));
  hooks.runner.settle(step.request.session, step.request.session_uid, false);
  CHECK(hooks.begun == Texts{"preBackup", "postBackup"});
}

TEST_CASE("whoever no longer leads runs nothing and writes nothing", "[controller][hook_runner]") {
  Hooks hooks;
  hooks.script.on("PATCH", kStatus).reply(Json::object());
  hooks.runner.start(a_step("preBackup"));
  REQUIRE(hooks.wait_for_begins(1));
  hooks.runner.shut_down();
  hooks.runner.start(a_step("preBackup", "host-1"));
  CHECK(hooks.written() == Texts{"phase Running"});
  CHECK(hooks.woken == 0);
}
