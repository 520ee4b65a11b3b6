#include "webhook/router.h"

#include <algorithm>

#include "base/log.h"

namespace stash::webhook {
namespace {

/// httplib takes "1x" for 1 and "-1" for very many, and reads chunks when a length is given as well.
bool body_is_framed_clearly(const httplib::Request& request) {
  const auto lengths = request.headers.equal_range("Content-Length");
  const auto encodings = request.headers.equal_range("Transfer-Encoding");
  const auto count = std::distance(lengths.first, lengths.second) + std::distance(encodings.first, encodings.second);
  if (count == 0) return true;
  if (count > 1) return false;
  if (lengths.first == lengths.second) return encodings.first->second == "chunked";
  const std::string& length = lengths.first->second;
  return !length.empty() && std::ranges::all_of(length, [](unsigned char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Router::Router(const Routes& routes, std::size_t max_body, std::chrono::milliseconds idle_timeout) {
  set_payload_max_length(max_body);
  // Only for the Keep-Alive header.
  set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(idle_timeout).count());
  set_keep_alive_max_count(1'000'000);
  for (const auto& [route, respond] : routes) {
    const auto space = route.find(' ');
    const auto handler = [respond = respond, max_body](const httplib::Request& request, httplib::Response& response) {
      // A chunked body has no announced length that httplib could refuse.
      Reply reply = request.body.size() > max_body ? Reply{413, "text/plain", "too large\n"} : respond(request.body);
      response.status = reply.status;
      response.set_content(reply.body, reply.content_type);
    };
    if (route.substr(0, space) == "POST") {
      Post(route.substr(space + 1), handler);
    } else {
      Get(route.substr(space + 1), handler);
    }
  }
}

bool Router::answer(RequestStream& stream, bool close_after, bool& closed) {
  try {
    return process_request(stream, close_after, closed, [&](httplib::Request& request) {
      // Each of these makes httplib do what no API server asks for: compress, decompress without limit, run a
      // recursive regular expression over the body, cut the answer.
      for (const char* name : {"Accept-Encoding", "Content-Encoding", "Content-Type", "Range"}) {
        request.headers.erase(name);
      }
      request.ranges.clear();
      stream.headers_are_read();
      if (!body_is_framed_clearly(request)) stream.refuse();
    });
  } catch (const std::exception& error) {
    log_warning("a request was given up: {}", error.what());
    return false;
  }
}

}  // namespace stash::webhook
