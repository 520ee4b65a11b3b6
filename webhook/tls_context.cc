#include "webhook/tls_context.h"

namespace stash::webhook {
namespace {

int present_certificate(SSL* ssl, void* argument) {
  const auto& certificate = *static_cast<const CurrentCertificate*>(argument);
  const auto pair = certificate();
  return pair && pair->present_on(ssl) ? 1 : 0;
}

}  // namespace

TlsContext new_tls_context(const CurrentCertificate& certificate) {
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (!context) return nullptr;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  // No resumption: a ticket would outlive a certificate, and costs two more packets per handshake.
  SSL_CTX_set_options(
      context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // OpenSSL takes no const pointer; present_certificate only reads it.
  SSL_CTX_set_cert_cb(context.get(), present_certificate, const_cast<CurrentCertificate*>(&certificate));
  return context;
}

}  // namespace stash::webhook
