#pragma once
#include <string>
#include <string_view>

#include "base/text.h"

namespace stash::controller {

/// "statefulset" of "StatefulSet": as kubectl takes it, and as names of Roles have it.
inline std::string singular(std::string_view kind) { return lower_case(kind); }

}  // namespace stash::controller
