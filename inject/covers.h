#pragma once
#include "base/json.h"

namespace stash::inject {

/// Does `live` hold all that `wanted` asks for? What the API server and other webhooks add is tolerated: members that
/// `wanted` does not name, more entries in env and volumeMounts, quantities written differently. Other lists must be
/// equally long and in order.
bool covers(const Json& live, const Json& wanted);

}  // namespace stash::inject
