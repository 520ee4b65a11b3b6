#pragma once
#include <chrono>
#include <filesystem>

#include "sidecar/restic.h"

/// What is left in a directory when `restic init` is killed after it wrote its key and before its config file
/// (https://restic.readthedocs.io/en/stable/100_references.html#repository-layout). No password opens it, `restic init`
/// puts a second key beside the first, and restic may then take the wrong one for ever.
namespace stash::sidecar {

/// Keys, and nothing that they could be needed for: no config, snapshots, index or pack. Another process may be between
/// its key and its config right now.
bool is_half_made(const std::filesystem::path& location);

/// Removes the keys of a half-made repository that stays as it is for `settle`, looking every `tick`; what somebody
/// completes or goes on writing meanwhile is left alone. Ends early when `go_on` says no.
void clear_half_made(const std::filesystem::path& location, std::chrono::milliseconds settle,
                     std::chrono::milliseconds tick, const GoOn& go_on);

}  // namespace stash::sidecar
