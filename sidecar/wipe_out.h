#pragma once
#include <string>

#include "sidecar/restic.h"

namespace stash::sidecar {

/// Removes every snapshot of a repository, and the data, with restic itself: so it works on every backend, and only
/// while nobody else works on it. What stays is what restic cannot remove: its file config and the keys.
/// `repository` is the Repository object as JSON: nothing is asked of the API server. Returns the process' exit code;
/// how it ended is a sentence in the file `report`, which Kubernetes shows as the container's termination message.
int wipe_out(const ResticPlace& place, const std::string& repository, const std::string& report, const GoOn& go_on);

}  // namespace stash::sidecar
