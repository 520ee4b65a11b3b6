#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "sidecar/found_nodes.h"

/// restic before 0.17 makes no symbolic link, pipe or device where one is, and of a hard-linked file's further names
/// that are there already it removes each, makes none, and reports success. And where it is not root it does not write
/// to what its own user may not write to, as an earlier restore has left it: before 0.17 to no such file, and with no
/// version into such a directory.
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

/// A directory or file at `path` that belongs to this user, and that it may not write to, gets a mode with which it
/// may. The right one comes with the restore. False: there is no such entry, or it stays as it is.
bool make_writable(std::string_view path, const std::vector<std::string>& volumes);

}  // namespace stash::sidecar
