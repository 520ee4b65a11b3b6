#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace stash::webhook {

/// A file descriptor that closes itself.
class OwnedFd {
 public:
  explicit OwnedFd(int fd = -1) : fd_(fd) {}
  ~OwnedFd();
  OwnedFd(OwnedFd&& other) noexcept;
  OwnedFd& operator=(OwnedFd&& other) noexcept;
  int get() const { return fd_; }
  void reset();

 private:
  int fd_;
};

/// Binds and listens, non-blocking, on ":8443" (all addresses, IPv6 and IPv4), "127.0.0.1:0" or "[::1]:8443".
/// The backlog is the kernel's limit, so that a burst of API server connections is not refused.
/// Errors: invalid (address), already_exists (port taken), unreachable (the rest).
Result<OwnedFd> listen_on(std::string_view address);

/// The port that was bound.
int port_of(const OwnedFd& socket);

}  // namespace stash::webhook
