#pragma once
#include <string>

#include "api/resource.h"
#include "base/json.h"

namespace stash::cli {

inline std::string name_of(const Json& object) { return string_at(object, {"metadata", "name"}); }
inline std::string ns_of(const Json& object) { return string_at(object, {"metadata", "namespace"}); }
/// "demo/web"
inline std::string ref_of(const Json& object) { return to_string(api::ObjectRef{ns_of(object), name_of(object)}); }

}  // namespace stash::cli
