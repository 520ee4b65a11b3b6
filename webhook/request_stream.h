#pragma once
#include <httplib.h>

#include <functional>
#include <string>

#include "webhook/connection.h"

namespace stash::webhook {

/// What cpp-httplib reads one request from and writes its answer to. Buffers both ways: the answer leaves in one piece,
/// without which Nagle's algorithm and delayed acknowledgements cost 44 ms a request.
class RequestStream : public httplib::Stream {
 public:
  struct Limits {
    std::size_t max_header, max_body;
    SteadyTime deadline;
  };
  /// Waits until the connection is readable (or writable); false when it should be given up.
  using Wait = std::function<bool(Connection::Progress wanted, SteadyTime deadline)>;
  /// Asked before body bytes are kept; false refuses them.
  using Take = std::function<bool(std::size_t bytes)>;

  RequestStream(Connection& connection, Limits limits, Wait wait, Take take);

  void headers_are_read();
  void refuse() { refused_ = true; }  ///< reads nothing more of this request
  /// Sends what was written. False when the peer is gone or too slow.
  bool flush();
  bool failed() const { return failed_; }
  bool refused() const { return refused_; }  ///< a limit was passed, so unread bytes are left

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* bytes, size_t size) override;
  ssize_t write(const char* bytes, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override;

 private:
  bool fill();

  Connection& connection_;
  Limits limits_;
  Wait wait_;
  Take take_;
  std::string output_;
  std::size_t left_;
  bool in_body_ = false, failed_ = false, refused_ = false;
};

}  // namespace stash::webhook
