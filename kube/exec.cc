#include "kube/exec.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <optional>

#include "base/json.h"
#include "base/version.h"
#include "kube/request.h"
#include "kube/token.h"

namespace stash::kube {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using Problem = beast::error_code;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{100};
constexpr std::chrono::seconds kConnect{10};
constexpr std::chrono::seconds kFarewell{1};
// A peer that is gone without a word is noticed by pings that it does not answer, not only at the request's timeout.
constexpr std::chrono::seconds kSilence{60};
constexpr std::size_t kLargestMessage = 4u << 20;
constexpr std::size_t kLargestStatus = 64u << 10;

// https://github.com/kubernetes/apimachinery/blob/master/pkg/util/remotecommand/constants.go
constexpr const char* kProtocols = "v5.channel.k8s.io, v4.channel.k8s.io";
enum Channel : char { standard_output = 1, standard_error = 2, status = 3 };

struct Address {
  bool tls = true;
  std::string host, port, prefix;  ///< of a server behind a path, as some gateways have it
  std::string in_header() const {
    return fmt::format("{}:{}", host.find(':') == std::string::npos ? host : "[" + host + "]", port);
  }
};

Result<Address> address_of(std::string_view server) {
  Address address;
  std::string_view rest = server;
  if (rest.starts_with("http://")) {
    address.tls = false;
    rest.remove_prefix(7);
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else {
    return fail(ErrorCode::invalid, fmt::format("{} is no URL of an API server", server));
  }
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    address.prefix = rest.substr(slash);
    rest = rest.substr(0, slash);
  }
  while (address.prefix.ends_with('/')) address.prefix.pop_back();
  const auto colon = rest.rfind(':');
  const bool has_port = colon != std::string_view::npos && rest.find(']', colon) == std::string_view::npos;
  address.port = has_port ? rest.substr(colon + 1) : std::string_view(address.tls ? "443" : "80");
  std::string_view host = rest.substr(0, has_port ? colon : rest.size());
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  address.host = host;
  return address;
}

bool is_ip(const std::string& host) {
  Problem problem;
  asio::ip::make_address(host, problem);
  return !problem;
}

Result<void> set_up(asio::ssl::context& context, const TlsTrust& trust) {
  Problem problem;
  const auto check = [&](std::string_view what) -> Result<void> {
    if (!problem) return {};
    return fail(ErrorCode::unreachable, fmt::format("{}: {}", what, problem.message()));
  };
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  if (!trust.ca_pem.empty()) {
    context.add_certificate_authority(asio::buffer(trust.ca_pem), problem);
  } else if (!trust.ca_file.empty()) {
    context.load_verify_file(trust.ca_file, problem);
  } else {
    context.set_default_verify_paths(problem);
  }
  if (trust.verify) TRY_VOID(check("the certificate authority of the API server"));
  context.set_verify_mode(trust.verify ? asio::ssl::verify_peer : asio::ssl::verify_none, problem);
  if (trust.client_cert_pem.empty()) return {};
  context.use_certificate_chain(asio::buffer(trust.client_cert_pem), problem);
  if (!problem) context.use_private_key(asio::buffer(trust.client_key_pem), asio::ssl::context::pem, problem);
  return check("the client certificate");
}

/// Runs asynchronous operations one after the other, each until it is done, the deadline comes or somebody cancels.
class Patience {
 public:
  Patience(SteadyClock::time_point deadline, const std::function<bool()>& cancelled)
      : deadline_(deadline), cancelled_(cancelled) {}

  asio::io_context& context() { return context_; }
  void shorten(std::chrono::seconds left) { deadline_ = std::min(deadline_, SteadyClock::now() + left); }

  /// `start` begins the operation with the handler that it is given, `stop` makes it end at once. Errors: timed_out,
  /// cancelled; what the operation itself came to is the value.
  template <class Start, class Stop>
  Result<Problem> wait(Start start, Stop stop) {
    std::optional<Problem> done;
    start([&done](Problem problem, const auto&...) { done = problem; });
    std::optional<Error> ended;
    while (!done) {
      context_.restart();
      context_.run_one_for(kLook);
      if (done || ended) continue;
      if (cancelled_()) {
        ended = Error{ErrorCode::cancelled, "stopped"};
      } else if (SteadyClock::now() >= deadline_) {
        ended = Error{ErrorCode::timed_out, "no end within the time limit"};
      }
      if (ended) stop();
    }
    if (ended) return std::unexpected(*ended);
    return *done;
  }

 private:
  asio::io_context context_;
  SteadyClock::time_point deadline_;
  const std::function<bool()>& cancelled_;
};

struct Call {
  Address address;
  std::string target, bearer, doing;
};

/// One program in one container, over `Socket`, a WebSocket with or without TLS below it.
template <class Socket>
class Run {
 public:
  template <class... More>
  Run(Patience& patience, const Call& call, More&... more)
      : patience_(patience), call_(call), socket_(patience.context(), more...) {}

  Socket& socket() { return socket_; }

  Result<void> connect() {
    asio::ip::tcp::resolver resolver(patience_.context());
    asio::ip::tcp::resolver::results_type found;
    Problem problem;
    // The API server is an address in a cluster, and a name that this machine knows elsewhere.
    found = resolver.resolve(call_.address.host, call_.address.port, problem);
    if (problem) return unreachable(problem);
    return within(ErrorCode::unreachable, [&](auto handler) { tcp().async_connect(found, handler); });
  }

  Result<void> secure(const TlsTrust& trust) {
    const std::string& name = trust.server_name.empty() ? call_.address.host : trust.server_name;
    auto& tls = socket_.next_layer();
    if (!is_ip(name)) SSL_set_tlsext_host_name(tls.native_handle(), name.c_str());
    if (trust.verify) tls.set_verify_callback(asio::ssl::host_name_verification(name));
    return within(ErrorCode::unreachable,
                  [&](auto handler) { tls.async_handshake(asio::ssl::stream_base::client, handler); });
  }

  Result<void> upgrade() {
    websocket::stream_base::timeout limits{kConnect, kSilence, true};
    socket_.set_option(limits);
    socket_.set_option(websocket::stream_base::decorator([this](websocket::request_type& request) {
      request.set(beast::http::field::user_agent, fmt::format("stash/{}", version()));
      request.set(beast::http::field::sec_websocket_protocol, kProtocols);
      if (!call_.bearer.empty()) request.set(beast::http::field::authorization, "Bearer " + call_.bearer);
    }));
    socket_.read_message_max(kLargestMessage);
    websocket::response_type response;
    const auto done = wait(
        [&](auto handler) { socket_.async_handshake(response, call_.address.in_header(), call_.target, handler); });
    if (!done) return std::unexpected(done.error());
    if (*done == websocket::error::upgrade_declined) {
      return std::unexpected(error_of(static_cast<int>(response.result_int()),
                                      std::string(response[beast::http::field::retry_after]), response.body(),
                                      call_.doing));
    }
    // Whether the server had already begun is not known when its answer does not come whole.
    if (*done) return fail(ErrorCode::timed_out, fmt::format("{}: {}", call_.doing, done->message()));
    const auto chosen = response[beast::http::field::sec_websocket_protocol];
    if (chosen.empty() ||
        std::string_view(kProtocols).find(std::string_view(chosen.data(), chosen.size())) == std::string_view::npos)
      return fail(ErrorCode::invalid, fmt::format("{}: the API server speaks none of {}", call_.doing, kProtocols));
    return {};
  }

  Result<ExecOutcome> read_to_the_end() {
    LastWords output, error;
    std::string status;
    beast::flat_buffer buffer;
    while (true) {
      const auto done = wait([&](auto handler) { socket_.async_read(buffer, handler); });
      if (!done) return std::unexpected(done.error());
      if (*done) {
        return fail(ErrorCode::timed_out,
                    fmt::format("{}: the connection ended before the program did ({}), so how it ended is not known",
                                call_.doing, done->message()));
      }
      std::string_view message(static_cast<const char*>(buffer.data().data()), buffer.size());
      const char channel = message.empty() ? '\0' : message.front();
      if (!message.empty()) message.remove_prefix(1);
      if (channel == Channel::standard_output) output.append(message);
      if (channel == Channel::standard_error) error.append(message);
      if (channel == Channel::status)
        status += message.substr(0, kLargestStatus - std::min(kLargestStatus, status.size()));
      buffer.consume(buffer.size());
      if (channel != Channel::status || (!parse_json(status) && status.size() < kLargestStatus)) continue;
      TRY(const int exit_code, decode_exec_status(status, call_.doing));
      say_goodbye();
      std::string said = error.line();
      return ExecOutcome{exit_code, said.empty() ? output.line() : std::move(said)};
    }
  }

 private:
  beast::tcp_stream& tcp() { return beast::get_lowest_layer(socket_); }

  template <class Start>
  Result<Problem> wait(Start start) {
    auto done = patience_.wait(std::move(start), [this] { tcp().close(); });
    return with_context(std::move(done), call_.doing);
  }

  std::unexpected<Error> unreachable(const Problem& problem) {
    return fail(ErrorCode::unreachable, fmt::format("{}: {}", call_.doing, problem.message()));
  }

  /// For what comes before the request: nothing has been run, whatever goes wrong.
  template <class Start>
  Result<void> within(ErrorCode code, Start start) {
    tcp().expires_after(kConnect);
    auto done = wait(std::move(start));
    tcp().expires_never();
    if (!done && done.error().code == ErrorCode::timed_out) done.error().code = code;
    if (!done) return std::unexpected(done.error());
    if (*done) return unreachable(*done);
    return {};
  }

  void say_goodbye() {
    patience_.shorten(kFarewell);
    const auto done = wait([&](auto handler) { socket_.async_close(websocket::close_code::normal, handler); });
    (void)done;  // the outcome is known
  }

  Patience& patience_;
  const Call& call_;
  Socket socket_;
};

std::string target_of(const Address& address, const ExecRequest& request) {
  std::vector<std::pair<std::string, std::string>> query;
  query.reserve(request.command.size() + 3);
  for (const std::string& word : request.command) query.emplace_back("command", word);
  query.insert(query.end(), {{"container", request.container}, {"stdout", "true"}, {"stderr", "true"}});
  return address.prefix + request_path(api::kPods, request.pod, "exec", query);
}

}  // namespace

Result<ExecOutcome> run_in_container(const Config& config, const ExecRequest& request,
                                     const std::function<bool()>& cancelled) {
  Call call;
  call.doing = fmt::format("exec in container {} of Pod {}", request.container, api::to_string(request.pod));
  TRY(call.address, with_context(address_of(config.server), call.doing));
  call.target = target_of(call.address, request);
  Token token(config);
  TRY(call.bearer, with_context(token.get(SteadyClock::now()), call.doing));
  Patience patience(SteadyClock::now() + request.timeout, cancelled);
  if (!call.address.tls) {
    Run<websocket::stream<beast::tcp_stream>> run(patience, call);
    TRY_VOID(run.connect());
    TRY_VOID(run.upgrade());
    return run.read_to_the_end();
  }
  asio::ssl::context tls(asio::ssl::context::tls_client);
  TRY_VOID(with_context(set_up(tls, config.trust), call.doing));
  Run<websocket::stream<beast::ssl_stream<beast::tcp_stream>>> run(patience, call, tls);
  TRY_VOID(run.connect());
  TRY_VOID(run.secure(config.trust));
  TRY_VOID(run.upgrade());
  return run.read_to_the_end();
}

}  // namespace stash::kube
