#pragma once
#include <string>

#include "api/repository.h"

namespace stash::api {

/// A text that two backends of one namespace share exactly when their repository is one and the same place, whatever
/// way they spell it; "" where looking at them cannot tell (hostPath is another directory on every node).
std::string place_of(const Backend& backend);

/// Which pods see the same directory of a local backend. A hostPath may be a network mount that is the same on every
/// node; that cannot be told from here.
enum class Sharing {
  all,   ///< and of every other backend
  node,  ///< hostPath
  pod,   ///< emptyDir
};
Sharing sharing_of(const Backend& backend);

}  // namespace stash::api
