#pragma once
#include "base/json.h"

namespace stash::controller {

/// securityContext of the containers in the Jobs that we make: passes Pod Security "restricted", whatever the namespace
/// demands.
inline Json job_security_context() {
  return {{"allowPrivilegeEscalation", false},
          {"readOnlyRootFilesystem", true},
          {"runAsNonRoot", true},
          {"runAsUser", 65535},
          {"runAsGroup", 65535},
          {"capabilities", {{"drop", Json::array({"ALL"})}}},
          {"seccompProfile", {{"type", "RuntimeDefault"}}}};
}

}  // namespace stash::controller
