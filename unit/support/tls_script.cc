#include "unit/support/tls_script.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string_view>
#include <thread>

namespace stash::test {

namespace {

constexpr timeval kPatience{20, 0};  // a test that fails, and not one that hangs

void read_head(SSL* ssl) {
  std::string head;
  char byte = 0;
  while (!head.ends_with("\r\n\r\n") && SSL_read(ssl, &byte, 1) == 1) head += byte;
}

}  // namespace

struct TlsScript::Impl {
  TlsStory story;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int port = 0;
  std::string version;
  std::thread thread;

  void listen_anywhere() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port = ntohs(address.sin_port);
  }

  void serve() {
    const int peer = accept(listener, nullptr, nullptr);
    if (peer < 0) return;
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
    SSL_set_fd(ssl.get(), peer);
    if (SSL_accept(ssl.get()) == 1) {
      version = SSL_get_version(ssl.get());
      converse(ssl.get());
    }
    close(peer);
  }

  void converse(SSL* ssl) const {
    read_head(ssl);
    if (story.renegotiates) {
      SSL_renegotiate(ssl);
      SSL_do_handshake(ssl);  // asks for it
      SSL_do_handshake(ssl);  // has it, unless the client will not
    }
    SSL_write(ssl, story.answer.data(), static_cast<int>(story.answer.size()));
    if (story.takes_its_leave) SSL_shutdown(ssl);
  }
};

TlsScript::TlsScript(const TestCertificate& own, TlsStory story) : impl_(std::make_unique<Impl>()) {
  impl_->story = std::move(story);
  SSL_CTX* context = impl_->context.get();
  SSL_CTX_use_certificate(context, own.x509.get());
  SSL_CTX_use_PrivateKey(context, own.key.get());
  // What is refused must be refused by the client, not by this server's own caution.
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context, impl_->story.most_version);
  SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
  impl_->listen_anywhere();
  impl_->thread = std::thread([impl = impl_.get()] { impl->serve(); });
}

TlsScript::~TlsScript() {
  version();
  close(impl_->listener);
}

std::string TlsScript::url() const { return fmt::format("https://127.0.0.1:{}", impl_->port); }

std::string TlsScript::version() {
  if (impl_->thread.joinable()) {
    shutdown(impl_->listener, SHUT_RDWR);  // nobody else will come
    impl_->thread.join();
  }
  return impl_->version;
}

}  // namespace stash::test
