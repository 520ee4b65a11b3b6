#pragma once
#include <string_view>

namespace stash::api {

/// Variable of a Job that may ask the API server nothing: that one's time (RFC 3339) when the Job was made.
inline constexpr std::string_view kServerTimeVariable = "STASH_SERVER_TIME";

}  // namespace stash::api
