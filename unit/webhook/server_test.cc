#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <thread>

#include "unit/support/https_server.h"

using namespace stash;
using namespace stash::test;
using namespace std::chrono_literals;
using stash::webhook::Reply;

namespace {

std::string body_of(const std::optional<HttpsClient::Answer>& answer) { return answer ? answer->body : "no answer"; }
int status_of(const std::optional<HttpsClient::Answer>& answer) { return answer ? answer->status : 0; }

/// A route of which no request is answered until others have been.
class Held {
 public:
  webhook::Respond route() {
    return [this](std::string_view) {
      ++begun_;
      go_on_.wait(false);
      return Reply{.body = "done"};
    };
  }

  /// `request`, so many times at once, to a server with two threads.
  void check_that_others_are_answered(const HttpsServer& server, const std::string& request, int times) {
    std::vector<HttpsClient> waiting;
    for (int i = 0; i < times; ++i) {
      waiting.push_back(server.connect());
      REQUIRE(waiting.back().send(request));
    }
    while (begun_ < 2) std::this_thread::yield();
    CHECK(body_of(server.connect().post("/echo", "x")) == "x");
    go_on_ = true;
    go_on_.notify_all();
    for (HttpsClient& client : waiting) CHECK(body_of(client.read_answer()) == "done");
  }

 private:
  std::atomic<int> begun_{0};
  std::atomic<bool> go_on_{false};
};

}  // namespace

TEST_CASE("one connection serves many requests", "[webhook][server]") {
  const HttpsServer server;
  HttpsClient client = server.connect();
  REQUIRE(client.handshaken());
  for (int i = 0; i < 50; ++i) REQUIRE(body_of(client.post("/echo", std::to_string(i))) == std::to_string(i));
}

TEST_CASE("an answer does not wait for delayed acknowledgements", "[webhook][server]") {
  const HttpsServer server;
  HttpsClient client = server.connect();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i) REQUIRE(client.post("/echo", "x"));
  // 40 ms each if Nagle's algorithm and delayed acknowledgements met; a slow machine needs a fraction of that.
  CHECK(std::chrono::steady_clock::now() - start < 50 * 30ms);
}

TEST_CASE("a new connection is served at once beside many idle ones", "[webhook][server][F59][I1]") {
  const HttpsServer server;
  std::vector<HttpsClient> idle;
  for (int i = 0; i < 256; ++i) {
    idle.push_back(server.connect());
    REQUIRE(body_of(idle.back().post("/echo", "first")) == "first");
  }
  CHECK(body_of(server.connect().post("/echo", "new")) == "new");
  CHECK(server.server->stats().threads <= 8);
  INFO("and none of the idle ones was lost");
  for (HttpsClient& client : idle) REQUIRE(body_of(client.post("/echo", "again")) == "again");
}

TEST_CASE("a rotation while requests run loses none, and new handshakes get the new certificate",
          "[webhook][server][F55][I1]") {
  HttpsServer server;
  const std::string old = server.fingerprint();
  std::atomic<int> answered{0}, lost{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, keep = i % 2 == 0] {
      std::optional<HttpsClient> client;
      while (!stop) {
        if (!client || !keep) client.emplace(server.connect());
        ++(body_of(client->post("/echo", "x")) == "x" ? answered : lost);
      }
    });
  }
  for (int rotation = 0; rotation < 20; ++rotation) {
    const int before = answered;
    server.rotate();
    while (answered < before + 20 && lost == 0) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& client : clients) client.join();
  CHECK(lost == 0);
  const HttpsClient client = server.connect();
  CHECK(client.peer_fingerprint() == server.fingerprint());
  CHECK(client.peer_fingerprint() != old);
}

TEST_CASE("an answer is never compressed", "[webhook][server]") {
  const HttpsServer server;
  const std::string body(5000, 'a');
  HttpsClient client = server.connect();
  const auto answer = client.post("/echo", body, "Accept-Encoding: gzip, br\r\nContent-Type: application/json\r\n");
  CHECK(body_of(answer) == body);
  CHECK(answer->head.find("Content-Encoding") == std::string::npos);
}

TEST_CASE("only the routes that were asked for exist", "[webhook][server]") {
  const HttpsServer server;
  HttpsClient client = server.connect();
  CHECK(status_of(client.get("/echo")) == 404);
  CHECK(status_of(client.post("/other", "x")) == 404);
  CHECK(status_of(client.post("/echo/more", "x")) == 404);
  CHECK(status_of(client.post("/echo?timeout=5s", "x")) == 200);
}

TEST_CASE("a chunked request is read whole", "[webhook][server]") {
  const HttpsServer server;
  HttpsClient client = server.connect();
  REQUIRE(client.send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
  CHECK(body_of(client.read_answer()) == "abcde");
  CHECK(body_of(client.post("/echo", "next")) == "next");
}

TEST_CASE("pipelined requests are answered in order", "[webhook][server][F63][I17]") {
  const HttpsServer server;
  HttpsClient client = server.connect();
  std::string requests;
  for (int i = 0; i < 10; ++i) {
    requests += fmt::format("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n{}", i);
  }
  REQUIRE(client.send(requests));
  for (int i = 0; i < 10; ++i) REQUIRE(body_of(client.read_answer()) == std::to_string(i));
}

TEST_CASE("a client that waits for 100 Continue gets it before it sends", "[webhook][server]") {
  const HttpsServer server;
  HttpsClient client = server.connect();
  REQUIRE(client.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
  CHECK(status_of(client.read_answer()) == 100);
  REQUIRE(client.send("ok"));
  CHECK(body_of(client.read_answer()) == "ok");
}

TEST_CASE("Connection: close is honoured", "[webhook][server]") {
  const HttpsServer server;
  HttpsClient client = server.connect();
  CHECK(body_of(client.post("/echo", "x", "Connection: close\r\n")) == "x");
  CHECK(client.closed_by_server());
}

TEST_CASE("a draining server answers, and sends its clients elsewhere", "[webhook][server]") {
  const HttpsServer server;
  HttpsClient client = server.connect();
  REQUIRE(client.post("/echo", "x"));
  server.server->drain();
  const auto last = client.post("/echo", "last");
  CHECK(body_of(last) == "last");
  CHECK(last->head.find("Connection: close") != std::string::npos);
  CHECK(client.closed_by_server());
  CHECK(body_of(server.connect().post("/echo", "new")) == "new");
}

TEST_CASE("requests are answered while more blocking ones wait than there are threads", "[webhook][server]") {
  Held held;
  const HttpsServer server({.blocking_routes = {{"POST /wait", held.route()}}, .threads = 2});
  held.check_that_others_are_answered(server, "POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 8);
}

TEST_CASE("a request is answered while as many large ones are worked on as there are threads", "[webhook][server]") {
  Held held;
  const HttpsServer server({.routes = {{"POST /work", held.route()}}, .threads = 2});
  const std::string body(600'000, 'x');
  held.check_that_others_are_answered(
      server, fmt::format("POST /work HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}", body.size(), body), 2);
}

TEST_CASE("stopping finishes the request under way", "[webhook][server]") {
  std::atomic<bool> begun{false}, go_on{false};
  HttpsServer server({.routes = {{"POST /slow", [&](std::string_view) {
                                    begun = true;
                                    go_on.wait(false);
                                    return Reply{.body = "done"};
                                  }}}});
  HttpsClient idle = server.connect();
  HttpsClient client = server.connect();
  REQUIRE(client.send("POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
  while (!begun) std::this_thread::yield();
  std::thread stopping([&] { server.server->stop(20s); });
  CHECK(idle.closed_by_server());
  go_on = true;
  go_on.notify_all();
  CHECK(body_of(client.read_answer()) == "done");
  stopping.join();
  CHECK(server.server->stats().threads == 0);
  CHECK_THROWS(server.connect());
}

TEST_CASE("without a certificate a handshake fails, and the next one after it came succeeds", "[webhook][server]") {
  std::shared_ptr<const certs::ServingPair> pair;
  std::mutex mutex;
  const auto ca = certs::make_ca("test", std::chrono::system_clock::now(), certs::kCaLifetime).value();
  const auto leaf = certs::make_leaf(ca, {"localhost"}, std::chrono::system_clock::now(), certs::kLeafLifetime).value();
  const auto server = webhook::Server::start({.address = "127.0.0.1:0",
                                              .certificate =
                                                  [&] {
                                                    const std::lock_guard lock(mutex);
                                                    return pair;
                                                  }})
                          .value();
  CHECK_FALSE(HttpsClient(server->port(), ca.certificate_pem).handshaken());
  {
    const std::lock_guard lock(mutex);
    pair = certs::ServingPair::load(leaf.certificate_pem, leaf.key_pem).value();
  }
  CHECK(HttpsClient(server->port(), ca.certificate_pem).handshaken());
}

TEST_CASE("without a certificate function the server speaks plain HTTP", "[webhook][server]") {
  const auto server =
      webhook::Server::start(
          {.address = "127.0.0.1:0",
           .routes = {{"GET /healthz", [](std::string_view) { return Reply{200, "text/plain", "ok\n"}; }}}})
          .value();
  HttpsClient client(server->port());
  CHECK(body_of(client.get("/healthz")) == "ok\n");
  CHECK(status_of(client.get("/nothing")) == 404);
}

TEST_CASE("a taken port and a nonsense address are named", "[webhook][server]") {
  const HttpsServer server;
  const std::string taken = fmt::format("127.0.0.1:{}", server.server->port());
  CHECK(webhook::Server::start({.address = taken}).error().code == ErrorCode::already_exists);
  CHECK(webhook::Server::start({.address = "8443"}).error().code == ErrorCode::invalid);
  CHECK(webhook::Server::start({.address = "nowhere:1"}).error().code == ErrorCode::invalid);
  CHECK(webhook::Server::start({.address = "127.0.0.1:99999"}).error().code == ErrorCode::invalid);
}
