#include "base/http.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <future>
#include <thread>

#include "unit/support/api_script.h"

using namespace stash;
using std::chrono::milliseconds;

namespace {

std::string url(const ApiScript& api, std::string_view path = "/x") { return api.config().server + std::string(path); }

ErrorCode code_of(const Result<HttpResponse>& result) { return result.error().code; }

}  // namespace

TEST_CASE("method, headers and body arrive, status, headers and body come back", "[base][http]") {
  ApiScript api;
  api.on("PATCH", "/x").reply_raw(201, "made", {{"X-Some-Header", " value "}});
  HttpClient client({});
  const auto response = client.send(
      {.method = "PATCH", .url = url(api, "/x?a=b%20c"), .headers = {{"Content-Type", "text/plain"}}, .body = "hello"});
  CHECK(response->status == 201);
  CHECK(response->body == "made");
  CHECK(response->headers.at("x-some-header") == "value");
  const ApiScript::Call call = api.calls().at(0);
  CHECK(call.body == "hello");
  CHECK(call.headers.at("content-type") == "text/plain");
  CHECK(call.query.at("a") == "b c");
  CHECK(call.headers.contains("expect") == false);
}

TEST_CASE("the server's clock is read from its Date, and junk is none", "[base][http][F52][F64][I17]") {
  ApiScript api;
  api.clock_ahead(std::nullopt);
  const auto told = [&api](const std::string& date) {
    api.on("GET", "/x").reply_raw(200, "", {{"Date", date}});
    return HttpClient({}).send({.url = url(api)})->server_time;
  };
  const auto time = told("Mon, 23 Nov 2026 10:00:00 GMT");
  REQUIRE(time);
  CHECK(format_time(time->date) == "2026-11-23T10:00:00Z");
  for (const char* junk : {"yesterday", "Mon, 23 Nov 99999 10:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "0", ";"}) {
    CAPTURE(junk);
    CHECK_FALSE(told(junk));
  }
  api.on("GET", "/x").reply_raw(200, "");
  CHECK_FALSE(HttpClient({}).send({.url = url(api)})->server_time);
}

TEST_CASE("an HTTP status of refusal is an answer, no error", "[base][http]") {
  ApiScript api;
  api.on("GET", "/x").reply_raw(404, "nothing");
  HttpClient client({});
  CHECK(client.send({.url = url(api)})->status == 404);
}

TEST_CASE("a redirect is not followed", "[base][http]") {
  ApiScript api;
  api.on("GET", "/x").reply_raw(302, "", {{"Location", "/elsewhere"}});
  HttpClient client({});
  CHECK(client.send({.url = url(api)})->status == 302);
}

TEST_CASE("the connection is kept for the next request", "[base][http]") {
  ApiScript api;
  api.on("POST", "/x").reply_raw(200, "").times(3);
  HttpClient client({});
  for (int i = 0; i < 3; ++i) CHECK(client.send({.method = "POST", .url = url(api), .body = "b"})->status == 200);
  CHECK(api.calls().at(0).headers.at("remote_port") == api.calls().at(2).headers.at("remote_port"));
}

TEST_CASE("a dot segment in a path is sent as it is", "[base][http]") {
  ApiScript api;
  api.on("GET", "/a/../b").reply_raw(200, "");
  HttpClient client({});
  CHECK(client.send({.url = url(api, "/a/../b")})->status == 200);
}

TEST_CASE("nobody listening is unreachable, with a text that never changes", "[base][http]") {
  int port = 0;
  {
    const ApiScript gone;
    port = gone.port();
  }
  HttpClient client({});
  const std::string origin = "http://127.0.0.1:" + std::to_string(port);
  CHECK(client.send({.url = origin + "/secret?token=x"}).error() ==
        Error{ErrorCode::unreachable, origin + ": Couldn't connect to server"});
}

TEST_CASE("what is no http URL is invalid", "[base][http]") {
  HttpClient client({});
  for (const char* bad : {"", "file:///etc/passwd", "http://", "gopher://x/", "http://a b/"}) {
    INFO(bad);
    CHECK(code_of(client.send({.url = bad})) == ErrorCode::invalid);
  }
}

TEST_CASE("a header with a line break is refused before anything is sent", "[base][http]") {
  ApiScript api;
  HttpClient client({});
  CHECK(code_of(client.send({.url = url(api), .headers = {{"A", "x\r\nB: y"}}})) == ErrorCode::invalid);
}

TEST_CASE("an answer over the limit is invalid, and the next request works", "[base][http][F64][I17]") {
  ApiScript api;
  api.on("GET", "/x").reply_raw(200, std::string(1'000, 'x'));
  api.on("GET", "/x").reply_raw(200, std::string(999, 'x'));
  HttpClient client({}, 999);
  CHECK(code_of(client.send({.url = url(api)})) == ErrorCode::invalid);
  CHECK(client.send({.url = url(api)})->body.size() == 999);
}

TEST_CASE("a server that does not answer in time is timed_out: it may have done the work",
          "[base][http][F21][I6][I17]") {
  ApiScript api;
  api.on("GET", "/x").stream({}).then_hang().always();
  HttpClient client({});
  CHECK(code_of(client.send({.url = url(api), .total_timeout = milliseconds(500)})) == ErrorCode::timed_out);
}

TEST_CASE("a request under way ends when it is cancelled", "[base][http]") {
  ApiScript api;
  api.on("GET", "/x").stream({"first"}).then_hang();
  HttpClient client({});
  bool cancel = false;
  client.set_cancel([&cancel] { return cancel; });
  const auto ended = client.stream({.url = url(api), .total_timeout = milliseconds(0)}, [&cancel](std::string_view) {
    cancel = true;
    return true;
  });
  CHECK(code_of(ended) == ErrorCode::cancelled);
  CHECK(code_of(client.send({.url = url(api)})) == ErrorCode::cancelled);
}

TEST_CASE("the question whether to cancel is asked while nothing flows", "[base][http]") {
  ApiScript api;
  api.on("GET", "/x").stream({}).then_hang().always();
  HttpClient client({});
  int asked = 0;
  client.set_cancel([&asked] { return ++asked > 4; });
  CHECK(code_of(client.send({.url = url(api)})) == ErrorCode::cancelled);
}

TEST_CASE("a signal has the question whether to cancel asked at once, however seldom it is asked else",
          "[base][http]") {
  static std::atomic<bool> signalled;
  signalled = false;
  struct sigaction action{}, before{};
  action.sa_handler = [](int) { signalled = true; };
  ::sigaction(SIGUSR1, &action, &before);
  ApiScript api;
  api.on("GET", "/x").stream({"first"}).then_hang();
  HttpClient client({});
  std::atomic<bool> flows = false, ended = false;
  client.set_cancel([] { return signalled.load(); }, std::chrono::hours(1));
  // Again and again, for the first may come before the client waits.
  std::jthread sender([&, waits = ::pthread_self()] {
    while (!ended) {
      if (flows) ::pthread_kill(waits, SIGUSR1);
      std::this_thread::sleep_for(milliseconds(20));
    }
  });
  const auto answer = client.stream({.url = url(api), .total_timeout = milliseconds(0)}, [&flows](std::string_view) {
    flows = true;
    return true;
  });
  ended = true;
  sender.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  CHECK(code_of(answer) == ErrorCode::cancelled);
}

TEST_CASE("a stream comes piece by piece and may end without a length", "[base][http]") {
  ApiScript api;
  api.on("GET", "/x").stream({"one ", "two ", "three"});
  HttpClient client({});
  std::string seen;
  const auto ended = client.stream({.url = url(api)}, [&seen](std::string_view bytes) {
    seen += bytes;
    return true;
  });
  CHECK(ended->status == 200);
  CHECK(ended->body.empty());
  CHECK(seen == "one two three");
}

TEST_CASE("the reader of a stream may end it without an error", "[base][http]") {
  ApiScript api;
  api.on("GET", "/x").stream({"enough"}).then_hang();
  api.on("GET", "/x").reply_raw(200, "next");
  HttpClient client({});
  CHECK(client.stream({.url = url(api)}, [](std::string_view) { return false; })->status == 200);
  CHECK(client.send({.url = url(api)})->body == "next");
}

TEST_CASE("a stream that is cut is unreachable, after what came before", "[base][http][F15][I19]") {
  ApiScript api;
  api.on("GET", "/x").stream({"half"}).then_cut();
  HttpClient client({});
  std::string seen;
  const auto ended = client.stream({.url = url(api)}, [&seen](std::string_view bytes) {
    seen += bytes;
    return true;
  });
  CHECK(code_of(ended) == ErrorCode::unreachable);
  CHECK(seen == "half");
}

TEST_CASE("a stream that falls silent is cut", "[base][http][F15][I19]") {
  ApiScript api;
  api.on("GET", "/x").stream({"first"}).then_hang().always();
  HttpClient client({});
  const auto ended =
      client.stream({.url = url(api), .total_timeout = milliseconds(0), .idle_timeout = milliseconds(50)},
                    [](std::string_view) { return true; });
  CHECK(ended.error() == Error{ErrorCode::unreachable, api.config().server + ": the stream fell silent"});
}

TEST_CASE("the answer to a refused stream is collected, but not all of a huge one", "[base][http]") {
  ApiScript api;
  api.on("GET", "/x").reply_raw(410, "gone");
  api.on("GET", "/x").reply_raw(500, std::string(100'000, 'x'));
  HttpClient client({});
  bool called = false;
  const auto never = [&called](std::string_view) { return called = true; };
  const auto gone = client.stream({.url = url(api)}, never);
  CHECK(gone->status == 410);
  CHECK(gone->body == "gone");
  CHECK(client.stream({.url = url(api)}, never)->body.size() == 65'536);
  CHECK_FALSE(called);
}
