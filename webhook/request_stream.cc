#include "webhook/request_stream.h"

#include <algorithm>
#include <cstring>

namespace stash::webhook {
namespace {

// Framing of a chunked body comes on top of the body itself; and a body somewhat too large is read to its end, since
// a client that is still writing would see a reset instead of the 413.
constexpr std::size_t kBodySlack = 2u << 20;
constexpr std::size_t kOutputLimit = 64u << 10;

}  // namespace

RequestStream::RequestStream(Connection& connection, Limits limits, Wait wait, Take take)
    : connection_(connection),
      limits_(limits),
      wait_(std::move(wait)),
      take_(std::move(take)),
      left_(limits.max_header) {}

void RequestStream::headers_are_read() {
  in_body_ = true;
  left_ = limits_.max_body + kBodySlack;
}

bool RequestStream::flush() {
  std::string_view bytes = output_;
  while (!failed_ && !bytes.empty()) {
    const auto progress = connection_.write(bytes);
    if (progress == Connection::Progress::done) break;
    failed_ = progress == Connection::Progress::closed || !wait_(progress, limits_.deadline);
  }
  output_.clear();
  return !failed_;
}

bool RequestStream::fill() {
  while (!failed_ && connection_.input().empty()) {
    const auto progress = connection_.fill();
    if (progress == Connection::Progress::done) break;
    failed_ = progress == Connection::Progress::closed || !wait_(progress, limits_.deadline);
  }
  return !failed_;
}

ssize_t RequestStream::read(char* bytes, size_t size) {
  // "100 Continue" must have left before the client sends what it announces.
  if (refused_ || !flush() || !fill()) return -1;
  const auto input = connection_.input();
  const std::size_t count = std::min({size, input.size(), left_});
  if (count == 0 || (in_body_ && !take_(count))) {
    refused_ = true;
    return -1;
  }
  std::memcpy(bytes, input.data(), count);
  connection_.consume(count);
  left_ -= count;
  return static_cast<ssize_t>(count);
}

ssize_t RequestStream::write(const char* bytes, size_t size) {
  if (failed_) return -1;
  output_.append(bytes, size);
  if (output_.size() > kOutputLimit && !flush()) return -1;
  return static_cast<ssize_t>(size);
}

bool RequestStream::is_readable() const { return !failed_; }
bool RequestStream::is_writable() const { return !failed_; }
void RequestStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}
void RequestStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}
socket_t RequestStream::socket() const { return connection_.fd(); }

}  // namespace stash::webhook
