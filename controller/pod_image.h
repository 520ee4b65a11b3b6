#pragma once
#include "base/json.h"

namespace stash::controller {

/// Whether the pod's sidecar has the image of the template's, as far as can be told: a mirror puts its own registry or
/// path before the name, a policy for signatures adds the digest; name and tag stay. So it is true of two without a
/// sidecar.
bool has_image_of(const Json& pod, const Json& workload);

}  // namespace stash::controller
