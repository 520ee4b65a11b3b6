#pragma once
#include <map>
#include <string>

#include "base/json.h"

namespace stash::cli {

/// What `kubectl get` told, by the plural of the kind.
using Lists = std::map<std::string, Json>;

/// Empty when that kind was not asked for.
inline const Json& list_of(const Lists& lists, const std::string& kind) {
  static const Json none = Json::array();
  const auto found = lists.find(kind);
  return found == lists.end() ? none : found->second;
}

}  // namespace stash::cli
