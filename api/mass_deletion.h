#pragma once
#include <string>

#include "api/repository.h"
#include "base/json.h"

namespace stash::api {

/// Is this Repository one of so many that its data stays until somebody says what is meant? (docs/decisions/0049)
bool is_held(const Json& repository);
bool is_held(const Repository& repository);

/// "to remove its data: kubectl annotate ...; to delete it and keep its data: kubectl patch ...", to be pasted.
std::string ways_out_of_hold(const Json& repository);

}  // namespace stash::api
