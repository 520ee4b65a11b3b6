#pragma once
#include <chrono>
#include <optional>
#include <string>

namespace stash::api {

/// Of a BackupSession without spec.timeOut.
inline constexpr std::chrono::hours kSessionTimeOut{24};

/// A duration that limits or delays something, as spec.timeOut; nullopt when it is empty or none of a second or more.
std::optional<std::chrono::seconds> time_out(const std::string& text);

/// hooks.*.timeout: 30 s when it is empty; nullopt when it is no duration above zero, or one of more than a day.
std::optional<std::chrono::milliseconds> hook_timeout(const std::string& text);

}  // namespace stash::api
