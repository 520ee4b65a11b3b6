#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "base/result.h"

namespace stash::sidecar {

/// Opens a TCP connection and closes it at once. Tries the addresses of `host` one after the other; `go_on` is asked at
/// least twice a second, but not while the name is looked up. Errors: unreachable, timed_out, cancelled.
Result<void> tcp_connect(const std::string& host, const std::string& port, std::chrono::milliseconds timeout,
                         const std::function<bool()>& go_on);

}  // namespace stash::sidecar
