#pragma once
#include <string>
#include <vector>

#include "sidecar/restic_output.h"

/// restic's retention counts a snapshot that lacks files like any other, and so it would push out those that can be
/// restored: the complete one of an hour before, or, of a host whose backups fail each day, the last complete one.
namespace stash::sidecar {

struct IncompleteRetention {
  std::vector<std::string> outdated;     ///< ids of those that a newer complete snapshot has made up for
  std::vector<std::string> keep_tags;    ///< of the newest complete snapshots that have incomplete ones after them
  std::vector<std::string> unprotected;  ///< hosts of which such a one has no tag to keep it by
  std::vector<std::string> others;       ///< all other hosts, when there are such
  friend bool operator==(const IncompleteRetention&, const IncompleteRetention&) = default;
};

/// `all` are the snapshots that the policy is for; each host and set of paths for itself, as `restic forget` groups
/// them. Nothing with one of `kept_tags` (each one tag or several with commas, all of which it must have) is outdated.
IncompleteRetention spare_complete(const std::vector<Snapshot>& all, const std::vector<std::string>& kept_tags = {});

}  // namespace stash::sidecar
