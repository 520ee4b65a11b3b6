// Any bytes in place of an API server's answer. The first says how large the chunks of the stream are, the second which
// HTTP status the answer has; the rest is a watch stream, a body, a Retry-After header, the end of a program that was
// run in a container, and what that program wrote.
#include "kube/exec_outcome.h"
#include "kube/request.h"
#include "kube/watch_event.h"
#include "unit/fuzz/fuzz.h"

using namespace stash;

namespace {

constexpr std::size_t kMaxLine = 512;

/// The lines that a splitter gives for chunks of that size; ends at an error, as a watch does.
std::vector<std::string> lines_of(std::string_view stream, std::size_t chunk) {
  kube::LineSplitter splitter(kMaxLine);
  std::vector<std::string> lines;
  for (; !stream.empty(); stream.remove_prefix(std::min(chunk, stream.size()))) {
    const auto fed = splitter.feed(stream.substr(0, chunk), [&lines](std::string_view line) {
      lines.emplace_back(line);
      return true;
    });
    if (!fed) break;
  }
  return lines;
}

void check_error(const Error& error) {
  MUST(!error.message.empty());
  MUST(error.retry_after.has_value() == (error.code == ErrorCode::throttled), error.message);
  if (error.retry_after) MUST(error.retry_after->count() >= 1 && error.retry_after->count() <= 60, error.message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes = fuzz::text_of(data, size);
  const std::size_t chunk = fuzz::take_number(bytes, 64) + 1;
  const int status = 400 + static_cast<int>(fuzz::take_number(bytes, 256));

  const auto lines = lines_of(bytes, chunk);
  MUST(lines == lines_of(bytes, 1));
  for (const std::string& line : lines) {
    MUST(line.size() <= kMaxLine && line.find('\n') == std::string::npos, line);
    if (const auto event = kube::decode_watch_event(line, "watching pods")) {
      MUST(event->object.is_object());
    } else {
      check_error(event.error());
    }
  }
  const std::string_view header = lines.empty() ? bytes : std::string_view(lines.front());
  check_error(kube::error_of(status, header, bytes, "reading Pod demo/web"));
  check_error(kube::error_of(status, "", bytes, "reading Pod demo/web"));

  const auto ended = kube::decode_exec_status(bytes, "running a hook");
  MUST(ended ? *ended >= 0 : !ended.error().message.empty());
  kube::LastWords words;
  for (std::string_view said = bytes; !said.empty(); said.remove_prefix(std::min(chunk, said.size())))
    words.append(said.substr(0, chunk));
  for (const char c : words.line()) MUST(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F, words.line());
  return 0;
}
