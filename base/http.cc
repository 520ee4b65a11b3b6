#include "base/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>

#include "base/text.h"

namespace stash {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kErrorBody = 64u << 10;
constexpr std::size_t kHeaderBytes = 64u << 10;
// What TimePoint can hold ends in 2262.
constexpr std::time_t kLastDate = std::time_t{1} << 33;

/// Once per process. Also takes SIGPIPE away: with CURLOPT_NOSIGNAL curl leaves it on while OpenSSL writes to a socket
/// that the peer has closed, which would end the process.
bool curl_ready() {
  static const bool ready = [] {
    struct sigaction current{};
    if (::sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  }();
  return ready;
}

struct UrlCloser {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, UrlCloser>;

std::string url_part(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK || text == nullptr) return "";
  std::string result = text;
  curl_free(text);
  return result;
}

struct Target {
  std::string url, host, port;
  std::string origin;      ///< for messages: no user, no path, no query
  std::string connect_to;  ///< CURLOPT_CONNECT_TO, when the certificate's name is not the host
};

Result<Target> target_of(const std::string& text, const std::string& server_name) {
  const UrlHandle url(curl_url());
  if (url == nullptr || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_PATH_AS_IS) != CURLUE_OK) {
    return fail(ErrorCode::invalid, "not a URL that can be asked");
  }
  Target target{.url = text,
                .host = url_part(url.get(), CURLUPART_HOST),
                .port = url_part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT)};
  const std::string scheme = url_part(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return fail(ErrorCode::invalid, "only http and https URLs can be asked");
  target.origin = fmt::format("{}://{}:{}", scheme, target.host, target.port);
  if (!server_name.empty() && server_name != target.host) {
    target.connect_to = fmt::format("{}:{}:{}:{}", server_name, target.port, target.host, target.port);
    if (curl_url_set(url.get(), CURLUPART_HOST, server_name.c_str(), 0) != CURLUE_OK) {
      return fail(ErrorCode::invalid, fmt::format("{}: not a server name", server_name));
    }
    target.url = url_part(url.get(), CURLUPART_URL);
  }
  return target;
}

/// As Go's ProxyFromEnvironment does: a proxy is never asked for our own machine.
bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "[::1]" || host == "::1" || host.starts_with("127.");
}

std::optional<ServerTime> server_time_of(const std::string& date) {
  const std::time_t time = curl_getdate(date.c_str(), nullptr);
  if (time <= 0 || time > kLastDate) return std::nullopt;
  return ServerTime{std::chrono::system_clock::from_time_t(time), steady_clock::now()};
}

/// One request under way; curl's callbacks work on it.
struct Transfer {
  CURL* easy;
  HttpResponse response;
  const std::function<void()>& on_begin;
  const std::function<bool(std::string_view)>* on_bytes = nullptr;
  std::size_t max_body = 0;
  std::size_t header_bytes = 0;
  steady_clock::time_point last_byte = steady_clock::now();
  bool too_large = false;
  bool ended_by_consumer = false;

  bool is_success() const {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status / 100 == 2;
  }

  std::size_t take(std::string_view bytes) {
    last_byte = steady_clock::now();
    if (on_bytes != nullptr && is_success()) {
      ended_by_consumer = !(*on_bytes)(bytes);
      return ended_by_consumer ? 0 : bytes.size();
    }
    if (on_bytes != nullptr) {
      response.body += bytes.substr(0, kErrorBody - std::min(kErrorBody, response.body.size()));
      return bytes.size();
    }
    too_large = bytes.size() > max_body - response.body.size();
    if (too_large) return 0;
    response.body += bytes;
    return bytes.size();
  }

  void take_header(std::string_view line) {
    last_byte = steady_clock::now();
    if (line.starts_with("HTTP/")) {  // a new answer: after 100 Continue, or after a proxy's own
      response.headers.clear();
      response.server_time.reset();
      header_bytes = 0;
      return;
    }
    if (on_begin && trimmed(line).empty() && is_success()) on_begin();
    const auto colon = line.find(':');
    header_bytes += line.size();
    if (colon == std::string_view::npos || header_bytes > kHeaderBytes) return;
    std::string name = lower_case(trimmed(line.substr(0, colon)));
    std::string value(trimmed(line.substr(colon + 1)));
    // Read as it comes: a stream may go on for minutes.
    if (name == "date") response.server_time = server_time_of(value);
    response.headers.insert_or_assign(std::move(name), std::move(value));
  }
};

std::size_t on_body(char* bytes, std::size_t one, std::size_t count, void* transfer) {
  return static_cast<Transfer*>(transfer)->take({bytes, one * count});
}

std::size_t on_header(char* bytes, std::size_t one, std::size_t count, void* transfer) {
  static_cast<Transfer*>(transfer)->take_header({bytes, one * count});
  return one * count;
}

class HeaderList {
 public:
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list_); }
  void add(const std::string& line) { list_ = curl_slist_append(list_, line.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

bool about_tls(CURLcode code) {
  return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM ||
         code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CIPHER || code == CURLE_SSL_ISSUER_ERROR;
}

/// Texts are stable, for they end up in statuses: curl's own error buffer counts milliseconds, except about TLS.
Error error_of(CURLcode code, const Transfer& transfer, const char* detail, const std::string& origin) {
  if (code == CURLE_OPERATION_TIMEDOUT) {
    curl_off_t sent_at = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_PRETRANSFER_TIME_T, &sent_at);
    if (sent_at == 0) return {ErrorCode::unreachable, origin + ": no connection in time"};
    return {ErrorCode::timed_out, origin + ": no answer in time"};
  }
  const char* text = about_tls(code) && *detail != '\0' ? detail : curl_easy_strerror(code);
  return {ErrorCode::unreachable, fmt::format("{}: {}", origin, text)};
}

}  // namespace

struct HttpClient::Impl {
  TlsTrust trust;
  std::size_t max_body;
  std::function<bool()> cancelled;
  milliseconds ask_every = kCancelPoll;
  CURLM* multi = nullptr;
  CURL* easy = nullptr;

  Impl(TlsTrust the_trust, std::size_t the_max_body) : trust(std::move(the_trust)), max_body(the_max_body) {
    if (!curl_ready()) return;
    multi = curl_multi_init();
    easy = curl_easy_init();
    if (multi != nullptr) curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }

  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(easy, option, value);
  }

  void set_tls() {
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_SSL_VERIFYPEER, trust.verify ? 1L : 0L);
    set(CURLOPT_SSL_VERIFYHOST, trust.verify ? 2L : 0L);
    // A rotated CA file must count at the next connection, not a day later.
    set(CURLOPT_CA_CACHE_TIMEOUT, 0L);
    const bool own_ca = !trust.ca_pem.empty() || !trust.ca_file.empty();
    if (own_ca) set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // Debian's default would be trusted too
    if (!trust.ca_pem.empty()) {
      set_blob(CURLOPT_CAINFO_BLOB, trust.ca_pem);
    } else if (!trust.ca_file.empty()) {
      set(CURLOPT_CAINFO, trust.ca_file.c_str());
    }
    if (!trust.client_cert_pem.empty()) set_blob(CURLOPT_SSLCERT_BLOB, trust.client_cert_pem);
    if (!trust.client_key_pem.empty()) set_blob(CURLOPT_SSLKEY_BLOB, trust.client_key_pem);
  }

  void set_blob(CURLoption option, std::string& pem) {
    curl_blob blob{.data = pem.data(), .len = pem.size(), .flags = CURL_BLOB_NOCOPY};
    curl_easy_setopt(easy, option, &blob);
  }

  void set_request(const HttpRequest& request, const Target& target, const HeaderList& headers) {
    set(CURLOPT_URL, target.url.c_str());
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TCP_NODELAY, 1L);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_TCP_KEEPIDLE, 30L);
    set(CURLOPT_TCP_KEEPINTVL, 15L);
    set(CURLOPT_UPLOAD_BUFFERSIZE, 16'384L);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout.count()));
    set(CURLOPT_HTTPHEADER, headers.get());
    if (is_loopback(target.host)) set(CURLOPT_NOPROXY, "*");
    if (request.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else if (request.method != "GET" || !request.body.empty()) {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(CURLOPT_POSTFIELDS, request.body.c_str());
      set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
  }

  Result<HttpResponse> perform(const HttpRequest& request, const std::function<bool(std::string_view)>* on_bytes);
  Result<CURLcode> drive(const Transfer& transfer, const HttpRequest& request, const std::string& origin);
};

/// Runs the transfer to its end. Not curl_easy_perform, for that may sleep for longer than `cancelled` may wait.
Result<CURLcode> HttpClient::Impl::drive(const Transfer& transfer, const HttpRequest& request,
                                         const std::string& origin) {
  while (true) {
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) return fail(ErrorCode::unreachable, origin + ": curl failed");
    if (running == 0) break;
    if (cancelled && cancelled()) return fail(ErrorCode::cancelled, origin + ": asked to stop");
    milliseconds wait = ask_every;
    if (request.idle_timeout.count() > 0) {
      const auto silent = std::chrono::floor<milliseconds>(steady_clock::now() - transfer.last_byte);
      if (silent >= request.idle_timeout) return fail(ErrorCode::unreachable, origin + ": the stream fell silent");
      wait = std::min(wait, request.idle_timeout - silent);
    }
    curl_multi_poll(multi, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) return message->data.result;
  }
  return CURLE_RECV_ERROR;
}

Result<HttpResponse> HttpClient::Impl::perform(const HttpRequest& request,
                                               const std::function<bool(std::string_view)>* on_bytes) {
  if (multi == nullptr || easy == nullptr) return fail(ErrorCode::unreachable, "the HTTP library did not start");
  TRY(const Target target, target_of(request.url, trust.server_name));
  if (cancelled && cancelled()) return fail(ErrorCode::cancelled, target.origin + ": asked to stop");

  HeaderList headers;
  headers.add("Expect:");  // no 100-continue pause before a body
  for (const auto& [name, value] : request.headers) {
    if ((name + value).find_first_of("\r\n") != std::string::npos) {
      return fail(ErrorCode::invalid, target.origin + ": a request header holds a line break");
    }
    headers.add(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  Transfer transfer{
      .easy = easy, .response = {}, .on_begin = request.on_begin, .on_bytes = on_bytes, .max_body = max_body};
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_reset(easy);  // keeps the connection
  set_tls();
  set_request(request, target, headers);
  set(CURLOPT_ERRORBUFFER, detail.data());
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  curl_slist* redirected = target.connect_to.empty() ? nullptr : curl_slist_append(nullptr, target.connect_to.c_str());
  set(CURLOPT_CONNECT_TO, redirected);

  if (curl_multi_add_handle(multi, easy) != CURLM_OK) {
    curl_slist_free_all(redirected);
    return fail(ErrorCode::unreachable, target.origin + ": curl failed");
  }
  const Result<CURLcode> ended = drive(transfer, request, target.origin);
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_multi_remove_handle(multi, easy);  // closes the connection of an unfinished transfer
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
  set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  set(CURLOPT_CONNECT_TO, static_cast<curl_slist*>(nullptr));
  curl_slist_free_all(redirected);

  if (!ended) return std::unexpected(ended.error());
  transfer.response.status = static_cast<int>(status);
  if (transfer.too_large) {
    return fail(ErrorCode::invalid, fmt::format("{}: the answer is larger than {} bytes", target.origin, max_body));
  }
  if (*ended != CURLE_OK && !transfer.ended_by_consumer) {
    return std::unexpected(error_of(*ended, transfer, detail.data(), target.origin));
  }
  return std::move(transfer.response);
}

HttpClient::HttpClient(TlsTrust trust, std::size_t max_body)
    : impl_(std::make_unique<Impl>(std::move(trust), max_body)) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

void HttpClient::set_cancel(std::function<bool()> cancelled, milliseconds every) {
  impl_->cancelled = std::move(cancelled);
  impl_->ask_every = every;
}

Result<HttpResponse> HttpClient::send(const HttpRequest& request) { return impl_->perform(request, nullptr); }

Result<HttpResponse> HttpClient::stream(const HttpRequest& request,
                                        const std::function<bool(std::string_view)>& on_bytes) {
  return impl_->perform(request, &on_bytes);
}

}  // namespace stash
