#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stash {

struct TlsTrust {
  std::string ca_file;                          ///< the only CA that is trusted; empty: the system's bundle
  std::string ca_pem;                           ///< instead of ca_file, the PEM text itself
  std::string client_cert_pem, client_key_pem;  ///< optional client certificate, as PEM text
  bool verify = true;                           ///< false only where a kubeconfig says insecure-skip-tls-verify
  std::string server_name;                      ///< name to verify and to send as SNI, when it is not the URL's host
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds total_timeout{30'000};  ///< 0: none (streams)
  std::chrono::milliseconds idle_timeout{0};        ///< a stream that is silent for longer is cut; 0: none
  std::function<void()> on_begin = {};              ///< a 2xx answer has begun; its body may be long in coming
};

/// What the server's clock showed, and when that was by our steady one.
struct ServerTime {
  TimePoint date;
  std::chrono::steady_clock::time_point heard;
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  std::optional<ServerTime> server_time;  ///< of the Date header; none when it is missing or junk
};

/// HTTP/1.1 client over libcurl: one connection, kept alive, reused. Not thread-safe: one per thread.
/// Errors: unreachable (connect, TLS, cut), timed_out, cancelled, invalid (URL; body above `max_body`).
/// An HTTP status is no error here.
class HttpClient {
 public:
  static constexpr std::chrono::milliseconds kCancelPoll{500};

  explicit HttpClient(TlsTrust trust, std::size_t max_body = 64u << 20);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  /// Asked at least this often while a request is under way, and when a signal comes; true ends it with `cancelled`.
  void set_cancel(std::function<bool()> cancelled, std::chrono::milliseconds every = kCancelPoll);

  Result<HttpResponse> send(const HttpRequest& request);

  /// Hands the body of a 2xx answer to `on_bytes` as it comes; false from it ends the request without error.
  /// The body of any other answer is collected (first 64 KiB) into the response.
  Result<HttpResponse> stream(const HttpRequest& request, const std::function<bool(std::string_view)>& on_bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stash
