#include "sidecar/hook_plan.h"

#include <catch2/catch.hpp>

#include "api/time_out.h"

namespace stash::sidecar {
namespace {

using Kind = HookCall::Kind;

api::Hook get(api::HttpAction action) {
  api::Hook hook;
  hook.http_get = std::move(action);
  return hook;
}
api::Hook post(api::HttpAction action) {
  api::Hook hook;
  hook.http_post = std::move(action);
  return hook;
}
api::Hook tcp(std::string port, std::string host = "") {
  api::Hook hook;
  hook.tcp_socket = api::TcpAction{std::move(port), std::move(host)};
  return hook;
}
api::Hook exec(std::vector<std::string> command) {
  api::Hook hook;
  hook.exec = api::ExecAction{std::move(command)};
  return hook;
}

Result<HookCall> plan(const api::Hook& hook, HookPlace place = HookPlace::sidecar) {
  return plan_hook("preBackup", hook, place);
}
std::string refusal(const api::Hook& hook, HookPlace place = HookPlace::sidecar) {
  const auto call = plan(hook, place);
  return call ? "accepted" : call.error().message;
}

TEST_CASE("an HTTP hook asks the pod itself unless it names a host", "[sidecar][hook_plan]") {
  const auto url = [](api::HttpAction action) { return plan(get(std::move(action))).value().request.url; };
  CHECK(url({.path = "/freeze", .port = "8080"}) == "http://localhost:8080/freeze");
  CHECK(url({.path = "freeze?now=1", .port = "80", .host = "db.example"}) == "http://db.example:80/freeze?now=1");
  CHECK(url({.port = "65535", .scheme = "HTTPS"}) == "https://localhost:65535/");
  CHECK(url({.path = "/a b\"#\xC3\xA4%20", .port = "1", .host = "::1"}) == "http://[::1]:1/a%20b%22%23%C3%A4%20");
}

TEST_CASE("a program may take as long as its session unless it says otherwise", "[sidecar][hook_plan]") {
  api::Hook hook = exec({"pg_dump"});
  CHECK(plan(hook)->timeout == api::kSessionTimeOut);
  hook.timeout = "2m";
  CHECK(plan(hook)->timeout == std::chrono::minutes(2));
}

TEST_CASE("a request takes thirty seconds at most unless it says otherwise", "[sidecar][hook_plan]") {
  api::Hook hook = get({.port = "1"});
  CHECK(plan(hook)->timeout == std::chrono::seconds(30));
  hook.timeout = "2m";
  CHECK(plan(hook)->timeout == std::chrono::minutes(2));
  CHECK(plan(hook)->request.total_timeout == std::chrono::minutes(2));
  CHECK(plan(hook)->request.connect_timeout == std::chrono::minutes(2));
  for (const char* bad : {"0s", "-1s", "soon", "25h", "30"}) {
    hook.timeout = bad;
    CHECK(refusal(hook) ==
          "hooks.preBackup.timeout: \"" + std::string(bad) + "\" is no duration such as 30s or 5m, of at most 24h");
  }
}

TEST_CASE("a POST sends its body or its form, with the header that fits", "[sidecar][hook_plan]") {
  const auto headers = [](const HookCall& call) { return call.request.headers; };
  using Headers = std::vector<std::pair<std::string, std::string>>;
  const auto json = plan(post({.port = "1", .headers = {{"X-Token", "t"}}, .body = R"({"a":1})"})).value();
  CHECK(json.request.method == "POST");
  CHECK(json.request.body == R"({"a":1})");
  CHECK(headers(json) == Headers{{"X-Token", "t"}, {"Content-Type", "application/json"}});
  const auto text = plan(post({.port = "1", .body = "lock tables"})).value();
  CHECK(headers(text) == Headers{{"Content-Type", "text/plain; charset=utf-8"}});
  const auto form = plan(post({.port = "1", .form = {{"k&", {"a b", "ä"}}, {"x", {"1"}}}})).value();
  CHECK(form.request.body == "k%26=a%20b&k%26=%C3%A4&x=1");
  CHECK(headers(form) == Headers{{"Content-Type", "application/x-www-form-urlencoded"}});
  const auto own = plan(post({.port = "1", .headers = {{"content-type", "x/y"}}, .body = "b"})).value();
  CHECK(headers(own) == Headers{{"content-type", "x/y"}});
  CHECK(refusal(post({.port = "1", .body = "b", .form = {{"k", {"v"}}}})) ==
        "hooks.preBackup.httpPost: has both body and form: use one of them");
}

TEST_CASE("a TCP hook needs a port", "[sidecar][hook_plan]") {
  const auto call = plan(tcp("3306")).value();
  CHECK(call.kind == Kind::tcp);
  CHECK(call.host == "localhost");
  CHECK(call.port == "3306");
  CHECK(plan(tcp("1", "[::1]"))->host == "::1");
  CHECK(refusal(tcp("")) == "hooks.preBackup.tcpSocket.port: no port is given");
}

TEST_CASE("a port's name is refused with the remedy", "[sidecar][hook_plan]") {
  for (const char* bad : {"http", "0", "65536", "-1", "80x", " 80", "99999999999999"}) {
    CAPTURE(bad);
    CHECK(refusal(get({.port = bad})) == "hooks.preBackup.httpGet.port: \"" + std::string(bad) +
                                             "\" is no number from 1 to 65535; the container's names of ports are not "
                                             "known here, so give the number");
  }
}

TEST_CASE("a hook has exactly one action", "[sidecar][hook_plan]") {
  CHECK(refusal({}) == "hooks.preBackup: it has none of exec, httpGet, httpPost and tcpSocket: give exactly one");
  api::Hook both = exec({"sync"});
  both.tcp_socket = api::TcpAction{"1", ""};
  CHECK(refusal(both) == "hooks.preBackup: it has several of exec, httpGet, httpPost and tcpSocket: give exactly one");
}

TEST_CASE("a program is run by the controller, but not before the application's containers", "[sidecar][hook_plan]") {
  CHECK(plan(exec({"sync"}))->kind == Kind::exec);
  CHECK(refusal(exec({})) == "hooks.preBackup.exec: it has no command");
  CHECK(refusal(exec({"sync"}), HookPlace::init_container)
            .starts_with("hooks.preBackup.exec: the application's containers start only after the restore"));
}

TEST_CASE("what no URL or header can hold is refused", "[sidecar][hook_plan]") {
  CHECK(refusal(get({.port = "1", .scheme = "ftp"})) ==
        "hooks.preBackup.httpGet.scheme: \"ftp\" is neither HTTP nor HTTPS");
  for (const char* bad : {"a/b", "u@h", "h h", "h\n"}) CHECK(refusal(get({.port = "1", .host = bad})) != "accepted");
  for (const api::HttpHeader& bad : {api::HttpHeader{"", "v"}, {"a", "b\r\nc: d"}, {"a:", "b"}})
    CHECK(refusal(get({.port = "1", .headers = {bad}})) != "accepted");
}

TEST_CASE("an unknown executionPolicy is refused, and means nothing before the backup", "[sidecar][hook_plan]") {
  api::Hook hook = tcp("1");
  hook.execution_policy = "Sometimes";
  CHECK(plan(hook));
  const auto after = plan_hook("postBackup", hook, HookPlace::sidecar);
  REQUIRE_FALSE(after);
  CHECK(after.error().message ==
        "hooks.postBackup.executionPolicy: \"Sometimes\" is none of Always, OnSuccess, OnFailure and "
        "OnFinalRetryFailure");
}

TEST_CASE("an answer is judged as a probe's", "[sidecar][hook_plan]") {
  for (int good : {200, 204, 301, 399}) CHECK(judge_answer(good));
  for (int bad : {0, 100, 199, 400, 404, 500}) CHECK_FALSE(judge_answer(bad));
}

TEST_CASE("a failed hook of the init container says why its own pod cannot answer", "[sidecar][hook_plan]") {
  const Error error{ErrorCode::unreachable, "refused"};
  const std::string own = failed_hook(plan(tcp("1")).value(), HookPlace::init_container, error);
  CHECK(own ==
        "the hook preBackup failed: refused; the containers of this pod start only after the restore, so only services "
        "outside it can be asked");
  CHECK(failed_hook(plan(tcp("1")).value(), HookPlace::sidecar, error) == "the hook preBackup failed: refused");
  CHECK(failed_hook(plan(tcp("1", "db")).value(), HookPlace::init_container, error) ==
        "the hook preBackup failed: refused");
}

}  // namespace
}  // namespace stash::sidecar
