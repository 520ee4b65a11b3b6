#pragma once
#include <chrono>
#include <optional>
#include <string>

namespace stash::api {

/// Of a BackupSession without spec.timeOut.
inline constexpr std::chrono::hours kSessionTimeOut{24};

/// A duration that limits or delays something, as spec.timeOut; nullopt when it is empty or none of a second or more.
std::optional<std::chrono::seconds> time_out(const std::string& text);

/// hooks.*.timeout: `unless_told` when it is empty; nullopt when it is no duration above zero, or one of more than a
/// day. A request is answered at once or never. A program may be a dump of hours, which only the session's own end
/// limits.
std::optional<std::chrono::milliseconds> hook_timeout(const std::string& text,
                                                      std::chrono::milliseconds unless_told = std::chrono::seconds(30));

}  // namespace stash::api
