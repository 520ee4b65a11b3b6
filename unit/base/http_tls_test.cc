#include <httplib.h>
#include <openssl/ssl.h>

#include <catch2/catch.hpp>
#include <thread>

#include "base/http.h"
#include "unit/base/test_certificate.h"
#include "unit/support/lax_openssl.h"
#include "unit/support/tls_script.h"

using namespace stash;

namespace {

constexpr const char* kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// Says "hello" over TLS; with `clients` only to those who show a certificate that it signs.
class TlsServer {
 public:
  explicit TlsServer(const TestCertificate& own, const TestCertificate* clients = nullptr)
      : server_(own.x509.get(), own.key.get(), store_of(clients)) {
    server_.set_keep_alive_timeout(1);
    server_.Get(
        "/", [](const httplib::Request&, httplib::Response& response) { response.set_content("hello", "text/plain"); });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~TlsServer() {
    server_.stop();
    thread_.join();
  }
  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  static X509_STORE* store_of(const TestCertificate* clients) {
    if (clients == nullptr) return nullptr;
    X509_STORE* store = X509_STORE_new();
    X509_STORE_add_cert(store, clients->x509.get());
    return store;
  }
  httplib::SSLServer server_;
  int port_ = 0;
  std::thread thread_;
};

Result<HttpResponse> ask(const TlsServer& server, TlsTrust trust) {
  HttpClient client(std::move(trust));
  return client.send({.url = server.url()});
}

}  // namespace

TEST_CASE("a server that the given CA vouches for is trusted", "[base][http]") {
  const TestCertificate ca("IP:127.0.0.1");
  const TlsServer server(ca);
  CHECK(ask(server, {.ca_pem = ca.pem()})->body == "hello");
}

TEST_CASE("a server that another CA vouches for is unreachable, and the text says why", "[base][http][F58][I17]") {
  const TestCertificate ca("IP:127.0.0.1"), other("IP:127.0.0.1");
  const TlsServer server(ca);
  for (const TlsTrust& trust : {TlsTrust{.ca_pem = other.pem()}, TlsTrust{}}) {
    const auto refused = ask(server, trust);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::unreachable);
    CHECK(refused.error().message.find("certificate") != std::string::npos);
  }
}

TEST_CASE("a CA file that is missing trusts nobody", "[base][http]") {
  const TestCertificate ca("IP:127.0.0.1");
  const TlsServer server(ca);
  CHECK(ask(server, {.ca_file = "/no/such/file"}).error().code == ErrorCode::unreachable);
}

TEST_CASE("a server with another name is refused unless that is the name to verify", "[base][http][F58][I17]") {
  const TestCertificate ca("DNS:kubernetes.example");
  const TlsServer server(ca);
  CHECK(ask(server, {.ca_pem = ca.pem()}).has_value() == false);
  CHECK(ask(server, {.ca_pem = ca.pem(), .server_name = "kubernetes.example"})->body == "hello");
  CHECK(ask(server, {.ca_pem = ca.pem(), .server_name = "other.example"}).has_value() == false);
}

TEST_CASE("a server that speaks nothing newer than TLS 1.1 is refused, by us and not by OpenSSL's own settings",
          "[base][http][F58][I17]") {
  const test::LaxOpenssl lax;
  const TestCertificate ca("IP:127.0.0.1");
  const auto version_with = [&ca](int most_version) {
    test::TlsScript server(ca, {.most_version = most_version, .answer = kHello});
    HttpClient client({.ca_pem = ca.pem()});
    const auto answer = client.send({.url = server.url()});
    return std::pair(server.version(), answer ? answer->body : std::string(to_string(answer.error().code)));
  };
  CHECK(version_with(TLS1_2_VERSION) == std::pair<std::string, std::string>("TLSv1.2", "hello"));
  CHECK(version_with(TLS1_1_VERSION) == std::pair<std::string, std::string>("", "unreachable"));
}

TEST_CASE(
    "an answer that is shorter than its head says is none, whether the connection ends with a farewell or without",
    "[base][http][F58][I17]") {
  const TestCertificate ca("IP:127.0.0.1");
  const auto body_of = [&ca](const test::TlsStory& story) {
    const test::TlsScript server(ca, story);
    HttpClient client({.ca_pem = ca.pem()});
    const auto answer = client.send({.url = server.url()});
    return answer ? answer->body : std::string(to_string(answer.error().code));
  };
  const bool farewell = GENERATE(true, false);
  CHECK(body_of({.answer = kHello, .takes_its_leave = farewell}) == "hello");
  for (const char* cut : {"Content-Length: 5\r\n\r\nhel", "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n"}) {
    CHECK(body_of({.answer = std::string("HTTP/1.1 200 OK\r\n") + cut, .takes_its_leave = farewell}) == "unreachable");
  }
}

TEST_CASE("a server that asks for another handshake in the middle gets it, and the answer comes",
          "[base][http][F58][I17]") {
  const TestCertificate ca("IP:127.0.0.1");
  const test::TlsScript server(ca, {.most_version = TLS1_2_VERSION, .answer = kHello, .renegotiates = true});
  HttpClient client({.ca_pem = ca.pem()});
  CHECK(client.send({.url = server.url()})->body == "hello");
}

TEST_CASE("only an explicit wish skips the verification", "[base][http]") {
  const TestCertificate ca("DNS:elsewhere.example");
  const TlsServer server(ca);
  CHECK(ask(server, {.verify = false})->body == "hello");
}

TEST_CASE("a client certificate is shown to the server that asks for one", "[base][http]") {
  const TestCertificate ca("IP:127.0.0.1"), us("DNS:us.example");
  const TlsServer server(ca, &us);
  CHECK(ask(server, {.ca_pem = ca.pem(), .client_cert_pem = us.pem(), .client_key_pem = us.key_pem()})->body ==
        "hello");
  CHECK(ask(server, {.ca_pem = ca.pem()}).has_value() == false);
}
