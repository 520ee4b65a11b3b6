#pragma once
#include <set>
#include <string>
#include <vector>

namespace stash::sidecar {

/// Symbolic links at and below `paths`, and above them within the volumes `mounted`: restic before 0.17 writes through
/// them, out of the volume if they lead there, and whoever writes to the volume may have put them there. Of a path
/// above a volume, such as /, only the volume is looked at.
std::set<std::string> links_in_the_way(const std::vector<std::string>& paths, const std::vector<std::string>& mounted);

}  // namespace stash::sidecar
