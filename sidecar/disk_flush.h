#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace stash::sidecar {

/// Returns when the file systems of these directories have on their disks what was written to them: restic leaves that
/// to the kernel, which does so within half a minute or so, and a node that loses its power before has files without
/// content. `meanwhile` is called once a second; nothing ends this early, for the kernel knows no way. What does not
/// exist has nothing to write.
/// Errors: unreachable, when a disk did not take it.
Result<void> flush_to_disk(const std::vector<std::string>& directories, const std::function<void()>& meanwhile);

}  // namespace stash::sidecar
