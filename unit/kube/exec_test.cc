#include "kube/exec.h"

#include <openssl/ssl.h>

#include <catch2/catch.hpp>

#include "base/json.h"
#include "unit/support/api_script.h"
#include "unit/support/exec_script.h"
#include "unit/support/lax_openssl.h"
#include "unit/support/tls_script.h"

using namespace stash;
using kube::ExecOutcome;
using kube::ExecRequest;

namespace {

const ExecRequest kSync{.pod = {"demo", "web-0"}, .container = "app", .command = {"sync", "-f", "/data & more"}};

Result<ExecOutcome> run(const ExecScript& server, std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
  ExecRequest request = kSync;
  request.timeout = timeout;
  return kube::run_in_container(server.config(), request, [] { return false; });
}
Result<ExecOutcome> run(kube::Config config) {
  return kube::run_in_container(config, kSync, [] { return false; });
}

}  // namespace

TEST_CASE("a program that ends with 0 is done, and was asked for word by word", "[kube][exec]") {
  ExecScript server;
  server.out("").err("").out("synced\n").exits(0);
  kube::Config config = server.config();
  config.token = "secret";
  CHECK(run(config) == ExecOutcome{0, "synced"});
  const ExecScript::Asked asked = server.asked();
  CHECK(asked.target ==
        "/api/v1/namespaces/demo/pods/web-0/exec?command=sync&command=-f&command=%2Fdata%20%26%20more&"
        "container=app&stdout=true&stderr=true");
  CHECK(asked.headers.at("authorization") == "Bearer secret");
  CHECK(asked.headers.at("user-agent").starts_with("stash/"));
  CHECK(asked.headers.at("sec-websocket-protocol") == "v5.channel.k8s.io, v4.channel.k8s.io");
}

TEST_CASE("an API server that speaks nothing newer than TLS 1.1 is not told what to run", "[kube][exec][F58][I17]") {
  const test::LaxOpenssl lax;
  const TestCertificate ca("IP:127.0.0.1");
  const auto version_with = [&ca](int most_version) {
    test::TlsScript server(ca,
                           {.most_version = most_version, .answer = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"});
    kube::Config config;
    config.server = server.url();
    config.trust.ca_pem = ca.pem();
    CHECK(run(config).error().code == ErrorCode::unreachable);
    return server.version();
  };
  CHECK(version_with(TLS1_2_VERSION) == "TLSv1.2");
  CHECK(version_with(TLS1_1_VERSION).empty());
}

TEST_CASE("a program that ends with another code is told with what it said to standard error", "[kube][exec]") {
  ExecScript server;
  server.out("trying\n").err("no space ").err("left\n").exits(3);
  CHECK(run(server) == ExecOutcome{3, "no space left"});
}

TEST_CASE("an API server that speaks the older protocol does", "[kube][exec]") {
  ExecScript server("v4.channel.k8s.io");
  server.exits(0);
  CHECK(run(server) == ExecOutcome{0, ""});
}

TEST_CASE("a server that speaks none of the protocols is not understood", "[kube][exec]") {
  ExecScript server("");
  CHECK(run(server).error().code == ErrorCode::invalid);
}

TEST_CASE("a program that cannot be started is invalid, with the server's words", "[kube][exec]") {
  ExecScript server;
  server.status(R"({"status":"Failure","reason":"InternalError","code":500,"message":"exec: \"nope\": not found"})");
  CHECK(run(server).error() ==
        Error{ErrorCode::invalid, "exec in container app of Pod demo/web-0: exec: \"nope\": not found"});
}

TEST_CASE("a status that comes in pieces is one", "[kube][exec]") {
  ExecScript server;
  server.status("").status(R"({"status":)").status(R"("Success"})");
  CHECK(run(server) == ExecOutcome{0, ""});
}

TEST_CASE("a program that never ends is left at the time limit", "[kube][exec]") {
  ExecScript server;
  server.out("working\n");
  CHECK(run(server, std::chrono::milliseconds(300)).error() ==
        Error{ErrorCode::timed_out, "exec in container app of Pod demo/web-0: no end within the time limit"});
}

TEST_CASE("output without end neither fills the memory nor outlives the time limit", "[kube][exec]") {
  ExecScript server;
  server.floods();
  CHECK(run(server, std::chrono::milliseconds(500)).error().code == ErrorCode::timed_out);
}

TEST_CASE("a connection that breaks leaves open how the program ended", "[kube][exec]") {
  ExecScript server;
  server.out("working\n").cut();
  const auto ended = run(server);
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code == ErrorCode::timed_out);
  CHECK(ended.error().message.starts_with(
      "exec in container app of Pod demo/web-0: the connection ended before the program did"));
}

TEST_CASE("a server that does not answer the upgrade may have begun", "[kube][exec]") {
  ExecScript server;
  server.says_nothing();
  CHECK(run(server, std::chrono::milliseconds(300)).error().code == ErrorCode::timed_out);
}

TEST_CASE("whoever cancels need not wait", "[kube][exec]") {
  ExecScript server;
  server.out("working\n");
  int asked = 0;
  const auto ended = kube::run_in_container(server.config(), kSync, [&asked] { return ++asked > 2; });
  CHECK(ended.error().code == ErrorCode::cancelled);
}

TEST_CASE("a refusal before the upgrade is the API server's own sentence", "[kube][exec]") {
  const auto [status, code] = GENERATE(table<int, ErrorCode>({{401, ErrorCode::denied},
                                                              {403, ErrorCode::denied},
                                                              {404, ErrorCode::not_found},
                                                              {400, ErrorCode::invalid},
                                                              {500, ErrorCode::unreachable}}));
  ExecScript server;
  server.refuses(status, dump_json(status_of(status, "", "pods \"web-0\" say no")));
  CHECK(run(server).error() == Error{code, "exec in container app of Pod demo/web-0: pods \"web-0\" say no"});
}

TEST_CASE("a server that has too much to do says when to come again", "[kube][exec]") {
  ExecScript server;
  server.refuses(429, "", {{"Retry-After", "7"}});
  const auto refused = run(server);
  CHECK(refused.error().code == ErrorCode::throttled);
  CHECK(refused.error().retry_after == std::chrono::seconds(7));
}

TEST_CASE("where nobody listens nothing was run", "[kube][exec]") {
  kube::Config config;
  {
    const ExecScript server;
    config = server.config();
  }
  CHECK(run(config).error().code == ErrorCode::unreachable);
  config.server = "ftp://127.0.0.1";
  CHECK(run(config).error().code == ErrorCode::invalid);
}

TEST_CASE("over TLS the server must be the one that the CA vouches for", "[kube][exec]") {
  const TestCertificate ca("IP:127.0.0.1"), other("IP:127.0.0.1");
  const bool trusted = GENERATE(true, false);
  ExecScript server(ca);
  server.exits(0);
  kube::Config config = server.config();
  config.trust.ca_pem = trusted ? ca.pem() : other.pem();
  const auto ended = run(config);
  CHECK(ended.has_value() == trusted);
  if (!trusted) {
    CHECK(ended.error().code == ErrorCode::unreachable);
    CHECK(ended.error().message.find("certificate verify failed") != std::string::npos);
  }
}

TEST_CASE("over TLS a server of another name is refused unless that is the name to verify", "[kube][exec]") {
  const TestCertificate ca("DNS:kubernetes.example");
  const auto name = GENERATE("", "kubernetes.example", "other.example");
  ExecScript server(ca);
  server.exits(0);
  kube::Config config = server.config();
  config.trust.ca_pem = ca.pem();
  config.trust.server_name = name;
  CHECK(run(config).has_value() == (std::string_view(name) == "kubernetes.example"));
}

TEST_CASE("over TLS a client certificate is shown to the server that asks for one", "[kube][exec]") {
  const TestCertificate ca("IP:127.0.0.1"), us("DNS:us.example");
  const bool shown = GENERATE(true, false);
  ExecScript server(ca, &us);
  server.exits(0);
  kube::Config config = server.config();
  config.trust.ca_pem = ca.pem();
  if (shown) {
    config.trust.client_cert_pem = us.pem();
    config.trust.client_key_pem = us.key_pem();
  }
  CHECK(run(config).has_value() == shown);
}
