#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kube/config.h"
#include "unit/base/test_certificate.h"

namespace stash {

/// A scripted API server that answers one pods/exec: a real WebSocket server on 127.0.0.1 at a free port.
///
///   ExecScript server;
///   server.err("disk is full\n").exits(3);
///   kube::run_in_container(server.config(), ...);
///   server.asked().target == "/api/v1/..."
class ExecScript {
 public:
  struct Asked {
    std::string target;
    std::map<std::string, std::string> headers;  ///< names in lower case
  };

  explicit ExecScript(std::string protocol = "v5.channel.k8s.io");
  /// Over TLS, with this certificate; `clients` signs those that are let in.
  explicit ExecScript(const TestCertificate& own, const TestCertificate* clients = nullptr);
  ~ExecScript();
  ExecScript(const ExecScript&) = delete;
  ExecScript& operator=(const ExecScript&) = delete;

  /// What is sent, in this order. Nothing after these means that nothing more comes until the client goes away.
  ExecScript& out(std::string_view bytes);
  ExecScript& err(std::string_view bytes);
  ExecScript& status(std::string_view json);
  ExecScript& exits(int code);
  /// The connection breaks.
  ExecScript& cut();
  /// Standard output without end, until the client goes away.
  ExecScript& floods();
  /// Instead of all that: the request is refused before the upgrade.
  ExecScript& refuses(int status, std::string_view body, std::map<std::string, std::string> headers = {});
  /// Instead of all that: nothing is said after the connection stands.
  ExecScript& says_nothing();

  kube::Config config() const;
  Asked asked() const;  ///< once the client has its answer

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stash
