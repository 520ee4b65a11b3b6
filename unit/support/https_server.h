#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "certs/authority.h"
#include "certs/serving_pair.h"
#include "unit/support/https_client.h"
#include "webhook/server.h"

namespace stash::test {

/// The server under test over real TLS on a free port, with a CA of its own. POST /echo answers the body.
class HttpsServer {
 public:
  explicit HttpsServer(webhook::ServerOptions options = {}) {
    ca_ = certs::make_ca("test", std::chrono::system_clock::now(), certs::kCaLifetime).value();
    rotate();
    options.address = "127.0.0.1:0";
    options.certificate = [this] {
      const std::lock_guard lock(mutex_);
      return pair_;
    };
    options.routes["POST /echo"] = [](std::string_view body) { return webhook::Reply{.body = std::string(body)}; };
    server = webhook::Server::start(std::move(options)).value();
  }

  /// Serves a new leaf from the next handshake on.
  void rotate() {
    const auto leaf =
        certs::make_leaf(ca_, {"localhost"}, std::chrono::system_clock::now(), certs::kLeafLifetime).value();
    auto pair = certs::ServingPair::load(leaf.certificate_pem, leaf.key_pem).value();
    const std::lock_guard lock(mutex_);
    pair_ = std::move(pair);
  }

  std::string fingerprint() const {
    const std::lock_guard lock(mutex_);
    return pair_->facts().fingerprint;
  }

  HttpsClient connect() const { return {server->port(), ca_.certificate_pem}; }
  HttpsClient connect_at_most(int tls_version) const { return {server->port(), ca_.certificate_pem, tls_version}; }
  HttpsClient connect_plain() const { return HttpsClient(server->port()); }

  std::unique_ptr<webhook::Server> server;

 private:
  mutable std::mutex mutex_;
  certs::KeyPair ca_;
  std::shared_ptr<const certs::ServingPair> pair_;
};

}  // namespace stash::test
