#pragma once
#include <string>

#include "sidecar/restic.h"

namespace stash::sidecar {

/// Gives `snapshot`, which lacks files, the tag that keeps restores of the latest one from it. Returns the id that it
/// has then. `session_tag` and `path` are those of its backup.
ResticResult<std::string> tag_incomplete(Restic& restic, const std::string& snapshot, const std::string& host,
                                         const std::string& path, const std::string& session_tag);

}  // namespace stash::sidecar
