#pragma once
#include <string>

#include "base/json.h"

namespace stash {

/// Block YAML of a JSON value, ending in a newline unless the value is a scalar. Texts that YAML 1.1 or 1.2 could read
/// as something else are quoted.
std::string to_yaml(const Json& value);

}  // namespace stash
