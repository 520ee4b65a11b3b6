#pragma once
#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

namespace stash::controller {

/// "statefulset" of "StatefulSet": as kubectl takes it, and as names of Roles have it.
inline std::string singular(std::string_view kind) {
  std::string name(kind);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

}  // namespace stash::controller
