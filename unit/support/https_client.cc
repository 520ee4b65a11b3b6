#include "unit/support/https_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace stash::test {

struct HttpsClient::Impl {
  int fd = -1;
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
  bool handshaken = false;
  std::string input;

  ~Impl() {
    SSL_free(ssl);
    SSL_CTX_free(context);
    if (fd >= 0) close(fd);
  }

  /// Bytes read; 0: closed; below: patience is over.
  long read_some() {
    char bytes[16384];
    long got = 0;
    if (ssl != nullptr) {
      ERR_clear_error();
      got = SSL_read(ssl, bytes, sizeof bytes);
      const int error = SSL_get_error(ssl, static_cast<int>(got));
      if (got <= 0) return error == SSL_ERROR_WANT_READ ? -1 : 0;
    } else {
      got = recv(fd, bytes, sizeof bytes, 0);
      if (got < 0) return errno == EAGAIN ? -1 : 0;
    }
    input.append(bytes, static_cast<std::size_t>(got));
    return got;
  }
};

HttpsClient::HttpsClient(int port, const std::string& ca_pem, int most_tls_version) : impl_(std::make_unique<Impl>()) {
  impl_->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  setsockopt(impl_->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  timeval patience{kPatience.count(), 0};
  setsockopt(impl_->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(impl_->fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect to the server under test");
  }
  if (ca_pem.empty()) return;
  impl_->context = SSL_CTX_new(TLS_client_method());
  X509_STORE* store = SSL_CTX_get_cert_store(impl_->context);
  BIO* bio = BIO_new_mem_buf(ca_pem.data(), static_cast<int>(ca_pem.size()));
  while (X509* ca = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) {
    X509_STORE_add_cert(store, ca);
    X509_free(ca);
  }
  BIO_free(bio);
  ERR_clear_error();
  if (most_tls_version != 0) {
    // What is refused must be refused by the server, not by this client's own caution.
    SSL_CTX_set_min_proto_version(impl_->context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(impl_->context, most_tls_version);
    SSL_CTX_set_cipher_list(impl_->context, "ALL:@SECLEVEL=0");
  }
  SSL_CTX_set_verify(impl_->context, SSL_VERIFY_PEER, nullptr);
  impl_->ssl = SSL_new(impl_->context);
  SSL_set_fd(impl_->ssl, impl_->fd);
  SSL_set_tlsext_host_name(impl_->ssl, "localhost");
  SSL_set1_host(impl_->ssl, "localhost");
  impl_->handshaken = SSL_connect(impl_->ssl) == 1;
}

HttpsClient::~HttpsClient() = default;
HttpsClient::HttpsClient(HttpsClient&&) noexcept = default;

bool HttpsClient::handshaken() const { return impl_->handshaken; }

std::string HttpsClient::peer_fingerprint() const {
  X509* certificate = SSL_get1_peer_certificate(impl_->ssl);
  if (certificate == nullptr) return "";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest, &size);
  X509_free(certificate);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

bool HttpsClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto put =
        impl_->ssl != nullptr && impl_->handshaken
            ? SSL_write(impl_->ssl, bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 16384)))
            : static_cast<int>(::send(impl_->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

std::optional<HttpsClient::Answer> HttpsClient::read_answer() {
  Answer answer;
  std::string& input = impl_->input;
  std::size_t end = 0;
  while ((end = input.find("\r\n\r\n")) == std::string::npos) {
    if (impl_->read_some() <= 0) return std::nullopt;
  }
  answer.head = input.substr(0, end + 2);
  input.erase(0, end + 4);
  std::from_chars(answer.head.data() + 9, answer.head.data() + 12, answer.status);
  std::size_t length = 0;
  constexpr std::string_view kLength = "Content-Length: ";
  if (const auto at = answer.head.find(kLength); at != std::string::npos) {
    std::from_chars(answer.head.data() + at + kLength.size(), answer.head.data() + answer.head.size(), length);
  }
  while (input.size() < length) {
    if (impl_->read_some() <= 0) return std::nullopt;
  }
  answer.body = input.substr(0, length);
  input.erase(0, length);
  return answer;
}

std::optional<HttpsClient::Answer> HttpsClient::post(std::string_view path, std::string_view body,
                                                     std::string_view more_headers) {
  const bool sent = send(fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{}\r\n{}", path,
                                     body.size(), more_headers, body));
  return sent ? read_answer() : std::nullopt;
}

std::optional<HttpsClient::Answer> HttpsClient::get(std::string_view path) {
  return send(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", path)) ? read_answer() : std::nullopt;
}

bool HttpsClient::closed_by_server() {
  while (true) {
    const long got = impl_->read_some();
    if (got == 0) return true;
    if (got < 0) return false;
  }
}

}  // namespace stash::test
