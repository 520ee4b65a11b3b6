#include <fmt/format.h>
#include <openssl/ssl.h>

#include <catch2/catch.hpp>
#include <thread>

#include "unit/support/https_server.h"
#include "unit/support/lax_openssl.h"

using namespace stash;
using namespace stash::test;
using namespace std::chrono_literals;

namespace {

bool serves(const HttpsServer& server) {
  const auto answer = server.connect().post("/echo", "still here");
  return answer && answer->body == "still here";
}

int status_of(const std::optional<HttpsClient::Answer>& answer) { return answer ? answer->status : 0; }

}  // namespace

TEST_CASE("garbage and plain HTTP instead of a handshake are closed", "[webhook][server][F59][I17]") {
  const HttpsServer server;
  std::string long_record("\x16\x03\x01\xff\xff", 5);
  long_record.resize(70'000);
  for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(2000, '\xff'), long_record}) {
    HttpsClient client = server.connect_plain();
    client.send(bytes);
    CHECK(client.closed_by_server());
  }
  CHECK(serves(server));
}

TEST_CASE("half-open handshakes hold no thread and end at their deadline", "[webhook][server][F59][I17]") {
  const HttpsServer server({.handshake_deadline = 600ms});
  std::vector<HttpsClient> half;
  for (int i = 0; i < 100; ++i) {
    half.push_back(server.connect_plain());
    REQUIRE(half.back().send("\x16\x03\x01"));
  }
  CHECK(serves(server));
  CHECK(server.server->stats().threads == webhook::usual_threads());
  for (HttpsClient& client : half) REQUIRE(client.closed_by_server());
}

TEST_CASE("a request that trickles is cut at its deadline", "[webhook][server][F63][I17]") {
  const HttpsServer server({.request_deadline = 300ms});
  HttpsClient header = server.connect();
  HttpsClient body = server.connect();
  REQUIRE(header.send("POST /echo HTTP/1.1\r\nHost: x\r\nX: "));
  REQUIRE(body.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"));
  CHECK(header.closed_by_server());
  CHECK(body.closed_by_server());
  CHECK(serves(server));
}

TEST_CASE("more slow requests than threads do not keep a quick one waiting", "[webhook][server][F63][I1][I17]") {
  const HttpsServer server({.threads = 2, .max_threads = 16});
  std::vector<HttpsClient> slow;
  for (int i = 0; i < 64; ++i) {
    slow.push_back(server.connect());
    REQUIRE(slow.back().send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"));
  }
  CHECK(serves(server));
  CHECK(server.server->stats().threads <= 16);
  CHECK(server.server->stats().shed > 0);
}

TEST_CASE("above its connections the server closes those idle the longest", "[webhook][server][F59][I17]") {
  const HttpsServer server({.max_connections = 20});
  HttpsClient used = server.connect();
  REQUIRE(used.post("/echo", "x"));
  std::vector<HttpsClient> silent;
  for (int i = 0; i < 40; ++i) silent.push_back(server.connect());
  CHECK(silent.front().closed_by_server());
  CHECK(serves(server));
  CHECK(server.server->stats().connections <= 20);
  INFO("one that has asked before is worth more than one that never did");
  CHECK(used.post("/echo", "x"));
}

TEST_CASE("an idle connection is closed after the idle timeout", "[webhook][server]") {
  const HttpsServer server({.idle_timeout = 100ms});
  HttpsClient client = server.connect();
  REQUIRE(client.post("/echo", "x"));
  CHECK(client.closed_by_server());
}

TEST_CASE("a body above the limit is answered 413, announced or chunked", "[webhook][server][F63][I17]") {
  const HttpsServer server({.max_body = 100'000});
  CHECK(status_of(server.connect().post("/echo", std::string(100'000, 'a'))) == 200);
  CHECK(status_of(server.connect().post("/echo", std::string(100'001, 'a'))) == 413);
  HttpsClient chunked = server.connect();
  std::string request = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 11; ++i) request += "2710\r\n" + std::string(10'000, 'a') + "\r\n";
  REQUIRE(chunked.send(request + "0\r\n\r\n"));
  CHECK(status_of(chunked.read_answer()) == 413);
  CHECK(serves(server));
}

TEST_CASE("a body far above the limit is refused without reading it all", "[webhook][server][F63][I17]") {
  const HttpsServer server({.max_body = 1000});
  HttpsClient announced = server.connect();
  REQUIRE(announced.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n"));
  while (announced.send(std::string(1 << 20, 'a'))) {
  }
  HttpsClient chunked = server.connect();
  REQUIRE(chunked.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
  const std::string chunk = "100000\r\n" + std::string(1 << 20, 'a') + "\r\n";
  while (chunked.send(chunk)) {
  }
  CHECK(serves(server));
}

TEST_CASE("bodies together are limited, small ones always pass", "[webhook][server][F63][I17]") {
  const HttpsServer server({.max_bodies_together = 1 << 20, .request_deadline = 2s});
  std::vector<HttpsClient> hoarders;
  int refused = 0;
  for (int i = 0; i < 4; ++i) {
    hoarders.push_back(server.connect());
    HttpsClient& hoarder = hoarders.back();
    hoarder.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 800000\r\n\r\n" + std::string(799'999, 'a'));
  }
  CHECK(serves(server));
  for (HttpsClient& hoarder : hoarders) {
    hoarder.send("a");
    refused += status_of(hoarder.read_answer()) == 200 ? 0 : 1;
  }
  CHECK(refused >= 2);
  CHECK(refused <= 3);
  CHECK(serves(server));
}

TEST_CASE("headers are limited, in size together and each", "[webhook][server][F63][I17]") {
  const HttpsServer server;
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += fmt::format("X-{}: {}\r\n", i, std::string(20, 'a'));
  CHECK(status_of(server.connect().post("/echo", "x", many)) != 200);
  CHECK(status_of(server.connect().post("/echo", "x", "X: " + std::string(60'000, 'a') + "\r\n")) != 200);
  CHECK(serves(server));
}

TEST_CASE("headers that make the parser recurse or decompress do no harm", "[webhook][server][F63][I17]") {
  const HttpsServer server;
  std::string ranges = "Range: bytes=0-1";
  while (ranges.size() < 8000) ranges += ",0-1";
  server.connect().post("/echo", "x", ranges + "\r\n");
  CHECK(serves(server));
  CHECK(status_of(server.connect().post("/echo", "no gzip", "Content-Encoding: gzip\r\n")) == 200);
  const std::string part = "--b\r\nContent-Disposition: form-data; " + std::string(500'000, 'a') + "\r\n\r\n--b--\r\n";
  CHECK(status_of(server.connect().post("/echo", part, "Content-Type: multipart/form-data; boundary=b\r\n")) == 200);
  server.connect().post("/" + std::string(8000, 'a'), "x");
  CHECK(serves(server));
}

TEST_CASE("malformed requests are refused and nothing else suffers", "[webhook][server][F63][I17]") {
  const HttpsServer server({.request_deadline = 500ms});
  for (const std::string& request :
       {std::string("\r\n\r\n"), std::string("POST\r\n\r\n"), std::string("POST /echo HTTP/9.9\r\n\r\n"),
        std::string("POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
        std::string("POST /echo HTTP/1.1\r\nContent-Length: 1x\r\n\r\n"),
        std::string("POST /echo HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        std::string("POST /echo HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"),
        std::string("POST /echo HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n"),
        std::string("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        std::string("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"),
        std::string("POST /%zz%00 HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), std::string(300, '\0')}) {
    HttpsClient client = server.connect();
    client.send(request + "\r\n\r\n");
    INFO(request);
    const auto answer = client.read_answer();
    const bool refused = !answer || answer->status >= 400;
    CHECK(refused);
  }
  CHECK(serves(server));
}

TEST_CASE("a client that reads nothing of its answer holds its thread no longer than the deadline",
          "[webhook][server][F63][I17]") {
  const HttpsServer server(
      {.routes = {{"POST /large", [](std::string_view) { return webhook::Reply{.body = std::string(64 << 20, 'a')}; }}},
       .threads = 1,
       .max_threads = 2,
       .request_deadline = 500ms});
  HttpsClient client = server.connect();
  REQUIRE(client.send("POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
  CHECK(serves(server));
  // Not one byte is read before the server has given up, however fast this machine is.
  const auto patience = std::chrono::steady_clock::now() + 20s;
  while (server.server->stats().connections > 0 && std::chrono::steady_clock::now() < patience) {
    std::this_thread::yield();
  }
  CHECK(server.server->stats().connections == 0);
  CHECK_FALSE(client.read_answer());
}

TEST_CASE("TLS older than 1.2 is refused, by us and not by OpenSSL's own settings", "[webhook][server][F58][I17]") {
  const test::LaxOpenssl lax;
  const HttpsServer server;
  CHECK(server.connect_at_most(TLS1_2_VERSION).handshaken());
  CHECK_FALSE(server.connect_at_most(TLS1_1_VERSION).handshaken());
}
