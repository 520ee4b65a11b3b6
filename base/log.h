#pragma once
#include <fmt/format.h>

#include <string_view>

namespace stash {

/// error: we could not do what was asked; warning: we did less; info: one line per decision; debug: the rest.
enum class LogLevel { debug, info, warning, error };

/// One line to standard error: RFC 3339 time, level, message; line breaks in the message are escaped.
/// Thread-safe; never throws; never called with a secret.
void log_line(LogLevel level, std::string_view message);
void set_log_level(LogLevel least);
bool log_enabled(LogLevel level);

template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::debug)) log_line(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace stash
