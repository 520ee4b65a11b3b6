#include "webhook/server.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/log.h"
#include "webhook/connection.h"
#include "webhook/request_stream.h"
#include "webhook/router.h"
#include "webhook/tls_context.h"

namespace stash::webhook {
namespace {

using Clock = std::chrono::steady_clock;
using Progress = Connection::Progress;
using State = Connection::State;

constexpr std::uint64_t kListenerId = 0;
constexpr std::uint64_t kWakeId = 1;
constexpr int kAcceptAtOnce = 32;
constexpr std::size_t kReservedFds = 64;
// Below it a body is never refused for want of memory, so that ordinary reviews pass while huge ones are sent; nor do
// they wait for the thread of a huge one.
constexpr std::size_t kSmallBody = 256u << 10;
constexpr std::chrono::milliseconds kSpareThreadStays{10'000};
constexpr std::chrono::milliseconds kTick{500};
constexpr std::chrono::milliseconds kLinger{1'000};

/// Leaves room for log, API client and epoll below the limit of open files.
std::size_t connections_allowed(std::size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const auto files = static_cast<std::size_t>(limit.rlim_cur);
  return files > 2 * kReservedFds ? std::min(wanted, files - kReservedFds) : kReservedFds;
}

}  // namespace

std::size_t usual_threads() { return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, 4); }

/// Every thread runs work(): take one ready connection from epoll, go on with it as far as possible, park it again.
/// One-shot events make a connection ready for one thread only.
class Server::Impl {
 public:
  Impl(ServerOptions options, OwnedFd listener)
      : options_(std::move(options)),
        router_(all_routes(), options_.max_body, options_.idle_timeout),
        listener_(std::move(listener)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    options_.max_connections = connections_allowed(options_.max_connections);
  }

  ~Impl() { stop({}); }

  Result<void> start() {
    if (options_.certificate) context_ = new_tls_context(options_.certificate);
    if (options_.certificate && !context_) return fail(ErrorCode::unreachable, "OpenSSL gives no context");
    if (!arm(EPOLL_CTL_ADD, listener_.get(), kListenerId, EPOLLIN | EPOLLONESHOT) ||
        !arm(EPOLL_CTL_ADD, wake_.get(), kWakeId, EPOLLIN)) {
      return fail(ErrorCode::unreachable, "epoll refuses the listener");
    }
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < options_.threads; ++i) add_thread();
    janitor_ = std::thread([this] { watch_deadlines(); });
    return {};
  }

  int port() const { return port_of(listener_); }

  ServerStats stats() const {
    const std::lock_guard lock(mutex_);
    return {connections_.size(), threads_, shed_};
  }

  void drain() {
    const std::lock_guard lock(mutex_);
    draining_ = true;
  }

  void stop(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    draining_ = true;
    if (!stopping_) {
      stopping_ = true;
      // Not closed: another thread may be in accept4 on it. This refuses new connections as well.
      shutdown(listener_.get(), SHUT_RDWR);
      changed_.notify_all();
    }
    std::erase_if(connections_, [](const auto& entry) { return entry.second->state == State::parked; });
    changed_.wait_for(lock, limit, [this] { return connections_.empty(); });
    for (auto& [id, connection] : connections_) cut(*connection);
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
    changed_.wait(lock, [this] { return threads_ == 0; });
    lock.unlock();
    if (janitor_.joinable()) janitor_.join();
  }

 private:
  using Held = std::shared_ptr<Connection>;

  bool arm(int operation, int fd, std::uint64_t id, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    return epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
  }

  static void cut(const Connection& connection) { shutdown(connection.fd(), SHUT_RDWR); }

  void add_thread() {  // with the lock held
    try {
      std::thread([this] { work(); }).detach();
      ++threads_;
    } catch (const std::system_error&) {
      // No memory or too many tasks: go on with the threads there are.
    }
  }

  void work() {
    while (true) {
      epoll_event event{};
      const int count = epoll_wait(epoll_.get(), &event, 1, static_cast<int>(kSpareThreadStays.count()));
      std::unique_lock lock(mutex_);
      const bool spare = count == 0 && threads_ - blocked_ > options_.threads;
      if (spare || (count > 0 && event.data.u64 == kWakeId)) {
        --threads_;
        changed_.notify_all();  // with the lock held: the waiting destructor frees the condition
        return;
      }
      if (count <= 0) continue;
      if (event.data.u64 == kListenerId) {
        lock.unlock();
        accept_some();
        continue;
      }
      const auto found = connections_.find(event.data.u64);
      if (found == connections_.end() || found->second->state != State::parked) continue;
      const Held connection = found->second;
      connection->state = State::busy;
      lock.unlock();
      serve(connection);
    }
  }

  void accept_some() {
    for (int i = 0; i < kAcceptAtOnce; ++i) {
      OwnedFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd.get() < 0 && (errno == ECONNABORTED || errno == EINTR || errno == EPROTO)) continue;
      if (fd.get() < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
        const std::lock_guard lock(mutex_);
        shed_idle();
        return;  // the janitor arms the listener again; at once it would spin
      }
      if (fd.get() < 0) break;
      const int on = 1;
      setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      admit(std::move(fd));
    }
    const std::lock_guard lock(mutex_);
    if (!stopping_) arm(EPOLL_CTL_MOD, listener_.get(), kListenerId, EPOLLIN | EPOLLONESHOT);
  }

  void admit(OwnedFd fd) {
    std::unique_ptr<SSL, SslFree> ssl(context_ ? SSL_new(context_.get()) : nullptr);
    if (context_ && !ssl) return;
    const std::lock_guard lock(mutex_);
    if (stopping_ || (connections_.size() >= options_.max_connections && !shed_idle())) return;
    const auto connection = std::make_shared<Connection>(next_id_++, std::move(fd), std::move(ssl));
    connection->state = State::parked;
    connection->since = Clock::now();
    connections_.emplace(connection->id(), connection);
    if (!arm(EPOLL_CTL_ADD, connection->fd(), connection->id(), EPOLLIN | EPOLLRDHUP | EPOLLONESHOT)) {
      connections_.erase(connection->id());
    }
  }

  /// Closes the parked connection that is least worth keeping: those that never asked anything first, then the one
  /// that has been idle the longest. With the lock held.
  bool shed_idle() {
    const auto worth = [](const Connection& c) { return std::pair(c.requests > 0, c.since); };
    auto least = connections_.end();
    for (auto at = connections_.begin(); at != connections_.end(); ++at) {
      if (at->second->state != State::parked) continue;
      if (least == connections_.end() || worth(*at->second) < worth(*least->second)) least = at;
    }
    if (least == connections_.end()) return false;
    connections_.erase(least);
    ++shed_;
    return true;
  }

  /// Cuts the request that has waited for its peer the longest, so that its thread comes back. With the lock held.
  void shed_slowest() {
    Connection* slowest = nullptr;
    for (auto& [id, connection] : connections_) {
      if (connection->state != State::blocked) continue;
      if (slowest == nullptr || connection->since < slowest->since) slowest = connection.get();
    }
    if (slowest == nullptr) return;
    cut(*slowest);
    ++shed_;
  }

  void drop(const Held& connection) {
    connection->close_politely();
    const std::lock_guard lock(mutex_);
    connections_.erase(connection->id());
    changed_.notify_all();
  }

  /// Gives the connection back to epoll. After it another thread may own the connection.
  void park(const Held& connection, std::uint32_t events) {
    const std::lock_guard lock(mutex_);
    connection->state = State::parked;
    if (connection->handshaken()) connection->since = Clock::now();
    if (stopping_ || !arm(EPOLL_CTL_MOD, connection->fd(), connection->id(), events | EPOLLONESHOT)) {
      connections_.erase(connection->id());
      changed_.notify_all();
    }
  }

  void serve(const Held& connection) {
    if (!connection->handshaken()) {
      const Progress progress = connection->handshake();
      if (progress == Progress::closed) return drop(connection);
      // Data may already have come along with the end of the handshake: look before waiting.
      if (progress == Progress::want_read) return park(connection, EPOLLIN);
      if (progress == Progress::want_write) return park(connection, EPOLLOUT);
    }
    if (connection->input().empty()) {
      const Progress progress = connection->fill();
      if (progress == Progress::closed) return drop(connection);
      if (progress != Progress::done) {
        connection->drop_input();
        return park(connection, progress == Progress::want_read ? EPOLLIN : EPOLLOUT);
      }
    }
    if (!serve_request(*connection)) return drop(connection);
    // A pipelined request waits its turn behind those of others: writable means at once.
    const bool more = !connection->input().empty();
    if (!more) connection->drop_input();
    park(connection, more ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  bool serve_request(Connection& connection) {
    bool close_after = false;
    {
      const std::lock_guard lock(mutex_);
      ++connection.requests;
      close_after = draining_;
    }
    std::size_t taken = 0;
    RequestStream stream(
        connection, {options_.max_header, options_.max_body, Clock::now() + options_.request_deadline},
        [&](Progress wanted, SteadyTime deadline) { return wait_for(connection, wanted, deadline); },
        [&](std::size_t bytes) {
          taken += bytes;
          const std::size_t together = body_bytes_.fetch_add(bytes) + bytes;
          return taken <= kSmallBody || together <= options_.max_bodies_together;
        });
    bool closed = false;
    const bool answered = router_.answer(stream, close_after, closed);
    body_bytes_ -= taken;
    const bool sent = stream.flush();
    if (sent && stream.refused()) linger(connection);
    return answered && sent && !closed && !close_after && !stream.refused();
  }

  /// This thread is about to wait: makes sure that enough others are left. With the lock held.
  void step_aside() {
    ++blocked_;
    if (threads_ - blocked_ >= options_.threads) return;
    if (threads_ < options_.max_threads) {
      add_thread();
    } else {
      shed_slowest();
    }
  }

  Routes all_routes() {
    Routes routes;
    for (const auto& [route, respond] : options_.routes) {
      routes[route] = [this, respond = respond](std::string_view body) {
        return body.size() > kSmallBody ? respond_aside(respond, body) : respond(body);
      };
    }
    for (const auto& [route, respond] : options_.blocking_routes) {
      routes[route] = [this, respond = respond](std::string_view body) { return respond_aside(respond, body); };
    }
    return routes;
  }

  Reply respond_aside(const Respond& respond, std::string_view body) {
    struct Aside {
      Impl& impl;
      explicit Aside(Impl& the_impl) : impl(the_impl) {
        const std::lock_guard lock(impl.mutex_);
        impl.step_aside();
      }
      ~Aside() {
        const std::lock_guard lock(impl.mutex_);
        --impl.blocked_;
      }
    };
    const Aside aside(*this);
    return respond(body);
  }

  /// Blocks this thread inside a request, after making sure that enough others are left.
  bool wait_for(Connection& connection, Progress wanted, SteadyTime deadline) {
    {
      const std::lock_guard lock(mutex_);
      connection.state = State::blocked;
      connection.since = Clock::now();
      step_aside();
    }
    pollfd descriptor{connection.fd(), static_cast<short>(wanted == Progress::want_read ? POLLIN : POLLOUT), 0};
    int ready = 0;
    do {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
      if (left.count() <= 0) break;
      ready = poll(&descriptor, 1, static_cast<int>(left.count()));
    } while (ready < 0 && errno == EINTR);
    const std::lock_guard lock(mutex_);
    connection.state = State::busy;
    --blocked_;
    return ready > 0;
  }

  /// Closing with unread input would reset the connection, and the peer might never read why it was refused.
  void linger(Connection& connection) {
    connection.close_politely();
    const auto deadline = Clock::now() + kLinger;
    while (true) {
      connection.drop_input();
      const Progress progress = connection.fill();
      if (progress == Progress::closed) return;
      if (progress != Progress::done && !wait_for(connection, progress, deadline)) return;
      if (Clock::now() >= deadline) return;
    }
  }

  void watch_deadlines() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      changed_.wait_for(lock, kTick, [this] { return stopping_; });
      if (stopping_) return;
      const auto now = Clock::now();
      std::erase_if(connections_, [&](const auto& entry) {
        const Connection& connection = *entry.second;
        const auto limit = connection.handshaken() ? options_.idle_timeout : options_.handshake_deadline;
        return connection.state == State::parked && now - connection.since > limit;
      });
      arm(EPOLL_CTL_MOD, listener_.get(), kListenerId, EPOLLIN | EPOLLONESHOT);
    }
  }

  ServerOptions options_;
  Router router_;
  TlsContext context_;
  OwnedFd listener_, epoll_, wake_;
  std::thread janitor_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::uint64_t, Held> connections_;
  std::uint64_t next_id_ = kWakeId + 1;
  std::uint64_t shed_ = 0;
  std::size_t threads_ = 0;
  std::size_t blocked_ = 0;
  bool draining_ = false;
  bool stopping_ = false;
  std::atomic<std::size_t> body_bytes_{0};
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(ServerOptions options) {
  TRY(OwnedFd listener, listen_on(options.address));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(listener));
  TRY_VOID(impl->start());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

int Server::port() const { return impl_->port(); }
ServerStats Server::stats() const { return impl_->stats(); }
void Server::drain() { impl_->drain(); }
void Server::stop(std::chrono::milliseconds limit) { impl_->stop(limit); }

}  // namespace stash::webhook
