#pragma once
#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "webhook/listen_socket.h"

namespace stash::webhook {

using SteadyTime = std::chrono::steady_clock::time_point;

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

/// One accepted, non-blocking connection, with TLS or without. Used by one thread at a time, the one that took it.
class Connection {
 public:
  enum class Progress { done, want_read, want_write, closed };

  /// `ssl` is null for plain HTTP.
  Connection(std::uint64_t id, OwnedFd fd, std::unique_ptr<SSL, SslFree> ssl);

  std::uint64_t id() const { return id_; }
  int fd() const { return fd_.get(); }
  bool handshaken() const { return handshaken_; }

  Progress handshake();
  /// Reads what is there into `input`; done means at least one byte.
  Progress fill();
  /// Writes `bytes` from the front; removes what was written. done means all of it.
  Progress write(std::string_view& bytes);
  /// Says goodbye to the peer without waiting for its answer.
  void close_politely();

  std::string_view input() const { return std::string_view(buffer_).substr(read_); }
  void consume(std::size_t bytes) { read_ += bytes; }
  void drop_input();

  // Written under the server's lock.
  enum class State { parked, busy, blocked };
  State state = State::busy;
  SteadyTime since{};  ///< when it was parked or got blocked; for a handshake when it was accepted
  std::uint64_t requests = 0;

 private:
  Progress progress_of(int result);

  std::uint64_t id_;
  OwnedFd fd_;
  std::unique_ptr<SSL, SslFree> ssl_;
  bool handshaken_;
  std::string buffer_;
  std::size_t read_ = 0;
};

}  // namespace stash::webhook
