#pragma once
#include <openssl/ssl.h>

#include <functional>
#include <memory>

#include "certs/serving_pair.h"

namespace stash::webhook {

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, ContextFree>;
using CurrentCertificate = std::function<std::shared_ptr<const certs::ServingPair>()>;

/// For a server: TLS 1.2 or newer, forward secrecy only, and the pair that `certificate` gives at each handshake, so
/// that a rotation needs no restart. `certificate` must outlive it. Null when OpenSSL has none to give.
TlsContext new_tls_context(const CurrentCertificate& certificate);

}  // namespace stash::webhook
