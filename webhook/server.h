#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "certs/serving_pair.h"

namespace stash::webhook {

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

/// Gets the whole body. Called on several threads at once; must not block, unless it is one of blocking_routes or the
/// body is large (256 KiB).
using Respond = std::function<Reply(std::string_view body)>;
/// "POST /mutate" -> what answers it. Everything else is 404.
using Routes = std::map<std::string, Respond>;

/// One for each processor, two to four: more only take the processors from each other in the middle of an answer.
std::size_t usual_threads();

struct ServerOptions {
  std::string address;  ///< as listen_on takes it
  /// The pair for each new handshake; null refuses it. No function at all means plain HTTP.
  std::function<std::shared_ptr<const certs::ServingPair>()> certificate;
  Routes routes;
  Routes blocking_routes;  ///< may wait for others (not for ever): no request of `routes` waits for their threads
  std::size_t max_connections = 1024;
  /// Threads that compute; more, up to max_threads, come only while others wait for a slow peer inside a request, or
  /// inside a blocking route.
  std::size_t threads = usual_threads();
  std::size_t max_threads = 320;
  std::size_t max_header = 64u << 10;
  std::size_t max_body = 6u << 20;              ///< twice the API server's limit of a request: old and new object
  std::size_t max_bodies_together = 64u << 20;  ///< of all requests being read
  std::chrono::milliseconds handshake_deadline{5'000};
  std::chrono::milliseconds request_deadline{10'000};  ///< from its first byte to the last one of the answer
  /// API servers close theirs after 90 s; closing first would race with their next request.
  std::chrono::milliseconds idle_timeout{120'000};
};

struct ServerStats {
  std::size_t connections = 0, threads = 0;
  std::uint64_t shed = 0;  ///< connections closed to make room for others
};

/// An HTTP/1.1 server, TLS 1.2 or newer, that stays responsive whatever its peers do: requests are parsed and routed by
/// cpp-httplib, but connections wait in epoll, so that an idle, half-open or slow one holds no thread. When a limit
/// is reached the connection that was idle, or slow, the longest is closed, and the new one served. It never
/// compresses, and takes no compressed, ranged or multipart request (docs/decisions).
class Server {
 public:
  /// Listens and serves at once, on threads of its own.
  static Result<std::unique_ptr<Server>> start(ServerOptions options);
  ~Server();  ///< stop({})
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  ServerStats stats() const;
  /// From now on each answer closes its connection, so that clients look for another replica. Still serves.
  void drain();
  /// Closes the listener and idle connections, waits for requests under way up to `limit`, then cuts them.
  void stop(std::chrono::milliseconds limit);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace stash::webhook
