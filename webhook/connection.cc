#include "webhook/connection.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>

namespace stash::webhook {
namespace {

constexpr std::size_t kReadSize = 16UL * 1024;  // one TLS record

Connection::Progress progress_of_errno(bool reading) {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    return reading ? Connection::Progress::want_read : Connection::Progress::want_write;
  }
  return Connection::Progress::closed;
}

}  // namespace

Connection::Connection(std::uint64_t id, OwnedFd fd, std::unique_ptr<SSL, SslFree> ssl)
    : id_(id), fd_(std::move(fd)), ssl_(std::move(ssl)), handshaken_(ssl_ == nullptr) {
  if (!ssl_) return;
  SSL_set_fd(ssl_.get(), fd_.get());
  SSL_set_accept_state(ssl_.get());
}

Connection::Progress Connection::progress_of(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Progress::want_read;
    case SSL_ERROR_WANT_WRITE:
      return Progress::want_write;
    default:
      return Progress::closed;
  }
}

Connection::Progress Connection::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) return progress_of(result);
  handshaken_ = true;
  return Progress::done;
}

Connection::Progress Connection::fill() {
  if (read_ == buffer_.size()) {
    buffer_.clear();
    read_ = 0;
  }
  const std::size_t had = buffer_.size();
  buffer_.resize(had + kReadSize);
  ssize_t got = 0;
  Progress progress = Progress::done;
  if (ssl_) {
    ERR_clear_error();
    got = SSL_read(ssl_.get(), buffer_.data() + had, static_cast<int>(kReadSize));
    if (got <= 0) progress = progress_of(static_cast<int>(got));
  } else {
    got = recv(fd(), buffer_.data() + had, kReadSize, 0);
    if (got == 0) progress = Progress::closed;
    if (got < 0) progress = progress_of_errno(true);
  }
  buffer_.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
  return progress;
}

Connection::Progress Connection::write(std::string_view& bytes) {
  while (!bytes.empty()) {
    ssize_t put = 0;
    if (ssl_) {
      ERR_clear_error();
      put = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(std::min(bytes.size(), kReadSize)));
      if (put <= 0) return progress_of(static_cast<int>(put));
    } else {
      put = send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put < 0) return progress_of_errno(false);
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return Progress::done;
}

void Connection::close_politely() {
  ERR_clear_error();
  if (ssl_ && handshaken_) SSL_shutdown(ssl_.get());
  shutdown(fd(), SHUT_WR);
}

void Connection::drop_input() {
  buffer_.clear();
  buffer_.shrink_to_fit();
  read_ = 0;
}

}  // namespace stash::webhook
