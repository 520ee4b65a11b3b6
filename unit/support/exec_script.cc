#include "unit/support/exec_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <cctype>
#include <mutex>
#include <optional>
#include <thread>

namespace stash {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using Problem = boost::beast::error_code;
using Tcp = asio::ip::tcp;

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}
std::string text_of(boost::string_view text) { return {text.data(), text.size()}; }

struct Frame {
  enum class Kind { message, cut, flood } kind = Kind::message;
  std::string bytes;
};

}  // namespace

struct ExecScript::Impl {
  asio::io_context context;
  Tcp::acceptor acceptor{context, {asio::ip::make_address("127.0.0.1"), 0}};
  std::optional<asio::ssl::context> tls;
  std::string protocol;
  std::vector<Frame> frames;
  std::optional<http::response<http::string_body>> refusal;
  bool mute = false;

  mutable std::mutex mutex;
  Asked asked;
  int socket = -1;  // of the connection; shut down to end the thread
  std::atomic<bool> ending = false;
  std::thread thread;

  void serve() {
    Problem problem;
    Tcp::socket connection(context);
    acceptor.accept(connection, problem);
    if (problem || ending) return;
    {
      const std::lock_guard lock(mutex);
      socket = connection.native_handle();
    }
    if (tls) {
      asio::ssl::stream<Tcp::socket&> stream(connection, *tls);
      stream.handshake(asio::ssl::stream_base::server, problem);
      if (!problem) talk(stream, connection);
    } else {
      talk(connection, connection);
    }
    const std::lock_guard lock(mutex);
    socket = -1;
    connection.close(problem);
  }

  template <class Stream>
  void talk(Stream& stream, Tcp::socket& connection) {
    Problem problem;
    boost::beast::flat_buffer buffer;
    http::request<http::string_body> request;
    http::read(stream, buffer, request, problem);
    if (problem) return;
    {
      const std::lock_guard lock(mutex);
      asked.target = text_of(request.target());
      for (const auto& field : request)
        asked.headers.emplace(lower(text_of(field.name_string())), text_of(field.value()));
    }
    if (mute) {
      http::read(stream, buffer, request, problem);
    } else if (refusal) {
      http::write(stream, *refusal, problem);
      http::read(stream, buffer, request, problem);
    } else {
      speak(websocket::stream<Stream&>(stream), request, connection);
    }
  }

  template <class Socket>
  void speak(Socket&& socket, const http::request<http::string_body>& request, Tcp::socket& connection) {
    Problem problem;
    socket.set_option(websocket::stream_base::decorator([this](websocket::response_type& response) {
      if (!protocol.empty()) response.set(http::field::sec_websocket_protocol, protocol);
    }));
    socket.accept(request, problem);
    socket.binary(true);
    for (const Frame& frame : frames) {
      if (problem) return;
      if (frame.kind == Frame::Kind::cut) {
        connection.shutdown(Tcp::socket::shutdown_both, problem);
        return;
      }
      do {
        socket.write(asio::buffer(frame.bytes), problem);
      } while (frame.kind == Frame::Kind::flood && !problem && !ending);
    }
    boost::beast::flat_buffer buffer;
    while (!problem) socket.read(buffer, problem);
  }
};

ExecScript::ExecScript(std::string protocol) : impl_(std::make_unique<Impl>()) {
  impl_->protocol = std::move(protocol);
  impl_->thread = std::thread([impl = impl_.get()] { impl->serve(); });
}

ExecScript::ExecScript(const TestCertificate& own, const TestCertificate* clients) : impl_(std::make_unique<Impl>()) {
  impl_->protocol = "v4.channel.k8s.io";
  asio::ssl::context& tls = impl_->tls.emplace(asio::ssl::context::tls_server);
  tls.use_certificate_chain(asio::buffer(own.pem()));
  tls.use_private_key(asio::buffer(own.key_pem()), asio::ssl::context::pem);
  if (clients != nullptr) {
    tls.add_certificate_authority(asio::buffer(clients->pem()));
    tls.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  }
  impl_->thread = std::thread([impl = impl_.get()] { impl->serve(); });
}

ExecScript::~ExecScript() {
  impl_->ending = true;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->socket >= 0) ::shutdown(impl_->socket, SHUT_RDWR);
  }
  // One that waits for its client is woken by a client that says nothing.
  Problem problem;
  asio::io_context context;
  Tcp::socket last(context);
  last.connect(impl_->acceptor.local_endpoint(), problem);
  last.close(problem);
  impl_->thread.join();
}

ExecScript& ExecScript::out(std::string_view bytes) {
  impl_->frames.push_back({Frame::Kind::message, "\x01" + std::string(bytes)});
  return *this;
}
ExecScript& ExecScript::err(std::string_view bytes) {
  impl_->frames.push_back({Frame::Kind::message, "\x02" + std::string(bytes)});
  return *this;
}
ExecScript& ExecScript::status(std::string_view json) {
  impl_->frames.push_back({Frame::Kind::message, "\x03" + std::string(json)});
  return *this;
}
ExecScript& ExecScript::exits(int code) {
  if (code == 0) return status(R"({"metadata":{},"status":"Success"})");
  return status(fmt::format(R"({{"metadata":{{}},"status":"Failure","reason":"NonZeroExitCode","message":"command )"
                            R"(terminated with non-zero exit code","details":{{"causes":[{{"reason":"ExitCode",)"
                            R"("message":"{}"}}]}}}})",
                            code));
}
ExecScript& ExecScript::cut() {
  impl_->frames.push_back({Frame::Kind::cut, ""});
  return *this;
}
ExecScript& ExecScript::floods() {
  impl_->frames.push_back({Frame::Kind::flood, "\x01" + std::string(32u << 10, 'y')});
  return *this;
}
ExecScript& ExecScript::refuses(int status, std::string_view body, std::map<std::string, std::string> headers) {
  auto& response = impl_->refusal.emplace(static_cast<http::status>(status), 11, std::string(body));
  for (const auto& [name, value] : headers) response.set(name, value);
  response.prepare_payload();
  return *this;
}
ExecScript& ExecScript::says_nothing() {
  impl_->mute = true;
  return *this;
}

kube::Config ExecScript::config() const {
  kube::Config config;
  config.server =
      fmt::format("{}://127.0.0.1:{}", impl_->tls ? "https" : "http", impl_->acceptor.local_endpoint().port());
  return config;
}

ExecScript::Asked ExecScript::asked() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->asked;
}

}  // namespace stash
