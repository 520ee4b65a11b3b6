#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "sidecar/found_nodes.h"

/// restic before 0.17 makes no symbolic link, pipe or device where one is, and of a hard-linked file's further names
/// that are there already it removes each, makes none, and reports success.
namespace stash::sidecar {

/// Whether something that is no directory lies below one of them. A volume that a restore fills for the first time has
/// none, so that restic need not be asked what the snapshot holds.
bool hold_entries(const std::vector<std::string>& directories);

/// Whether restic before 0.17 would stumble over anything that lies where it restores this.
bool wants_an_empty_place(const FoundNode& node);

/// An entry at `path` (as FoundNode has it) that is no directory. It is reached from the directory of its volume down
/// without following a link: who writes to a volume meanwhile leads nobody out of it. What lies in none of the volumes
/// is not there.
bool has_entry(std::string_view path, const std::vector<std::string>& volumes);
/// Removes it. False: there was nothing, or it stays, with a warning; restic then says that it is in the way.
bool remove_entry(std::string_view path, const std::vector<std::string>& volumes);

}  // namespace stash::sidecar
