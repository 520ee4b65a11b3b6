#include "kube/exec_outcome.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/json.h"

namespace stash::kube {

namespace {

std::optional<int> number_in(const std::string& text) {
  int number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Bytes of the UTF-8 sequence at the beginning of `text`; 0 when there is none.
std::size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  for (const char c : text.substr(1, length - 1)) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) return 0;
  }
  return length;
}

/// C0, DEL, C1, and the marks that turn the direction of writing, with which a text can look like another one.
bool is_control(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7F;
  if (sequence.size() == 2) return byte(0) == 0xC2 && byte(1) < 0xA0;
  if (sequence.size() != 3 || byte(0) != 0xE2) return false;
  return (byte(1) == 0x80 && ((byte(2) >= 0x8B && byte(2) <= 0x8F) || (byte(2) >= 0xA8 && byte(2) <= 0xAE))) ||
         (byte(1) == 0x81 && byte(2) >= 0xA0 && byte(2) <= 0xAF);
}

}  // namespace

Result<int> decode_exec_status(std::string_view status, std::string_view doing) {
  const auto parsed = parse_json(status);
  if (!parsed)
    return fail(ErrorCode::invalid, fmt::format("{}: the answer is no Status: {}", doing, parsed.error().message));
  if (string_at(*parsed, {"status"}) == "Success") return 0;
  for (const Json& cause : array_at(*parsed, {"details", "causes"})) {
    if (string_at(cause, {"reason"}) != "ExitCode") continue;
    // What failed has no exit code 0, whatever it says.
    if (const auto code = number_in(string_at(cause, {"message"})); code && *code > 0) return *code;
  }
  LastWords message;
  message.append(string_at(*parsed, {"message"}, "the server does not say why it failed"));
  return fail(ErrorCode::invalid, fmt::format("{}: {}", doing, message.line()));
}

void LastWords::append(std::string_view bytes) {
  if (bytes.size() > kMost) {
    bytes.remove_prefix(bytes.size() - kMost);
    kept_.clear();
    cut_ = true;
  }
  if (kept_.size() + bytes.size() > kMost) {
    kept_.erase(0, kept_.size() + bytes.size() - kMost);
    cut_ = true;
  }
  kept_ += bytes;
}

std::string LastWords::line() const {
  std::string line;
  bool space = false;
  std::string_view rest = kept_;
  while (cut_ && !rest.empty() && (static_cast<unsigned char>(rest.front()) & 0xC0) == 0x80) rest.remove_prefix(1);
  while (!rest.empty()) {
    const std::size_t length = sequence_length(rest);
    const std::string_view sequence = length == 0 ? "?" : rest.substr(0, length);
    rest.remove_prefix(length == 0 ? 1 : length);
    if (sequence == " " || is_control(sequence)) {
      space = !line.empty();
      continue;
    }
    if (space) line += ' ';
    space = false;
    line += sequence;
  }
  return cut_ && !line.empty() ? "..." + line : line;
}

}  // namespace stash::kube
