#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>

#include "base/time.h"

namespace stash {

namespace {

std::atomic<LogLevel> least_level{LogLevel::info};

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

void append_escaped(std::string& line, std::string_view message) {
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (c == '\r') {
      line += "\\r";
    } else if ((byte < 0x20 && c != '\t') || byte == 0x7f) {
      line += fmt::format("\\x{:02x}", byte);  // a terminal must not be steered by what a workload is called
    } else {
      line += c;
    }
  }
}

}  // namespace

void set_log_level(LogLevel least) { least_level = least; }

bool log_enabled(LogLevel level) { return level >= least_level.load(std::memory_order_relaxed); }

void log_line(LogLevel level, std::string_view message) {
  if (!log_enabled(level)) return;
  std::string line = fmt::format("{} {} ", format_time(system_clock().now()), name_of(level));
  append_escaped(line, message);
  line += '\n';
  // One write per line keeps the lines of several threads whole. A log that cannot be written has nowhere to complain.
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace stash
