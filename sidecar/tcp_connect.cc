#include "sidecar/tcp_connect.h"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

namespace stash::sidecar {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kStep{500};

class Socket {
 public:
  explicit Socket(const addrinfo& address)
      : descriptor_(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol)) {}
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

std::string text_of(int problem) { return std::error_code(problem, std::generic_category()).message(); }

/// 0 or an errno of the connection.
Result<int> connect_to(const addrinfo& address, steady_clock::time_point end, const std::function<bool()>& go_on) {
  const Socket socket(address);
  if (socket.get() < 0) return errno;
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  while (true) {
    if (!go_on()) return fail(ErrorCode::cancelled, "asked to stop");
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    if (left.count() <= 0) return fail(ErrorCode::timed_out, "no connection in time");
    pollfd wait{.fd = socket.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&wait, 1, static_cast<int>(std::min(left, kStep).count())) <= 0) continue;
    int problem = 0;
    socklen_t size = sizeof problem;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &problem, &size) != 0) return errno;
    return problem;
  }
}

}  // namespace

Result<void> tcp_connect(const std::string& host, const std::string& port, milliseconds timeout,
                         const std::function<bool()>& go_on) {
  const auto end = steady_clock::now() + timeout;
  const std::string where = host.find(':') == std::string::npos ? host + ":" + port : "[" + host + "]:" + port;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int problem = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); problem != 0) {
    return fail(ErrorCode::unreachable, fmt::format("{}: {}", where, ::gai_strerror(problem)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  int last_problem = EHOSTUNREACH;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    const auto problem = with_context(connect_to(*address, end, go_on), where);
    if (!problem) return std::unexpected(problem.error());
    if (*problem == 0) return {};
    last_problem = *problem;
  }
  return fail(ErrorCode::unreachable, fmt::format("{}: {}", where, text_of(last_problem)));
}

}  // namespace stash::sidecar
