#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace stash::sidecar {

/// Whether `restic restore` with these --include or --exclude patterns takes a path of the snapshot, as restic's manual
/// describes them: a relative pattern matches anywhere in the path, one that matches a directory all below it, and **
/// any number of directories. `unknown` where a malformed class of characters, which restic refuses, would decide it,
/// and beside an exclude that begins with !. https://restic.readthedocs.io/en/stable/040_backup.html#excluding-files
enum class Taken { no, yes, unknown };
Taken is_taken(std::string_view path, const std::vector<std::string>& include, const std::vector<std::string>& exclude);

}  // namespace stash::sidecar
