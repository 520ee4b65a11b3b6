#pragma once
#include <string>

#include "api/repository.h"

namespace stash::api {

/// A text that two backends of one namespace share exactly when their repository is one and the same place, whatever
/// way they spell it; "" where looking at them cannot tell (hostPath is another directory on every node).
std::string place_of(const Backend& backend);

}  // namespace stash::api
