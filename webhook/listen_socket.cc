#include "webhook/listen_socket.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <vector>

namespace stash::webhook {
namespace {

// The kernel lowers it to net.core.somaxconn.
constexpr int kBacklog = 4096;

struct Address {
  std::string host, port;
};

/// getaddrinfo takes 99999 for 34463.
bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

Result<Address> split_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1))) {
    return fail(ErrorCode::invalid, fmt::format("\"{}\" is no address such as :8443 or 127.0.0.1:8443", text));
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return Address{std::string(host), std::string(text.substr(colon + 1))};
}

Result<OwnedFd> bind_to(const addrinfo& info) {
  OwnedFd fd(socket(info.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  const int off = 0;
  if (fd.get() < 0) return fail(ErrorCode::unreachable, std::strerror(errno));
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (info.ai_family == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind(fd.get(), info.ai_addr, info.ai_addrlen) != 0 || listen(fd.get(), kBacklog) != 0) {
    return fail(errno == EADDRINUSE ? ErrorCode::already_exists : ErrorCode::unreachable, std::strerror(errno));
  }
  return fd;
}

}  // namespace

OwnedFd::~OwnedFd() { reset(); }
OwnedFd::OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
OwnedFd& OwnedFd::operator=(OwnedFd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
void OwnedFd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<OwnedFd> listen_on(std::string_view address) {
  TRY(const Address parts, split_address(address));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
  // A machine without IPv6 has no [::]; one with it takes IPv4 on the same socket.
  const bool any = parts.host.empty();
  Result<OwnedFd> bound = fail(ErrorCode::invalid, "no address");
  const std::vector<int> families = any ? std::vector{AF_INET6, AF_INET} : std::vector{AF_UNSPEC};
  for (const int family : families) {
    hints.ai_family = family;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(any ? nullptr : parts.host.c_str(), parts.port.c_str(), &hints, &found);
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
    if (error != 0) {
      bound = fail(ErrorCode::invalid, gai_strerror(error));
      continue;
    }
    bound = bind_to(*found);
    if (bound || bound.error().code == ErrorCode::already_exists) break;
  }
  return with_context(std::move(bound), fmt::format("listening on {}", address));
}

int port_of(const OwnedFd& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace stash::webhook
