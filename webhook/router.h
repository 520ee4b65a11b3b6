#pragma once
#include <chrono>

#include "webhook/request_stream.h"
#include "webhook/server.h"

namespace stash::webhook {

/// httplib's parser and router, fed by us instead of by its accept loop. Thread-safe once made.
class Router : public httplib::Server {
 public:
  /// `idle_timeout` is what clients are told; who keeps connections keeps it.
  Router(const Routes& routes, std::size_t max_body, std::chrono::milliseconds idle_timeout);

  /// Reads one request and writes its answer into the stream's buffer. False when there was no whole request or the
  /// peer is gone; `closed` when the client asked for it.
  bool answer(RequestStream& stream, bool close_after, bool& closed);
};

}  // namespace stash::webhook
