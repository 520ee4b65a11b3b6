#pragma once
#include <string>
#include <vector>

#include "api/restore_session.h"
#include "base/result.h"
#include "sidecar/restic_output.h"

/// What a host restores (contract 12.3), and what the contract's quirk Q15 forbids: a rule that restores nothing.
namespace stash::sidecar {

/// One call of `restic restore`: either a snapshot by id, or the newest of a host that contains a path.
struct RestoreItem {
  std::string snapshot;    ///< id, or ""
  std::string host, path;  ///< when there is no id; the path is cleaned
  std::vector<std::string> include, exclude;
  friend bool operator==(const RestoreItem&, const RestoreItem&) = default;
};

/// For host H: the first rule that names it, else the (last) rule for any host. Errors invalid, with the remedy: no
/// rule for this host, a rule with neither paths nor snapshots or with both, include together with exclude (restic
/// refuses both at once), a relative path.
Result<std::vector<RestoreItem>> restore_items(const std::vector<api::RestoreRule>& rules, const std::string& host);

/// Those of `candidates` that are tagged as incomplete, the latest first: "4f1e7c66 of 2026-11-23T12:54:48Z, ..."; ""
/// when none is.
std::string list_incomplete(const std::vector<Snapshot>& candidates);

/// What an earlier attempt has chosen for the item, of the `chosen` that it has told; "" for nothing. What it wrote is
/// in the volume, and another snapshot would only be added to it. An item that names its snapshot needs none.
std::string chosen_before(const RestoreItem& item, const std::vector<api::SnapshotStats>& chosen);

/// Which of `candidates` (snapshots found for the item) it is: the one that was `chosen` before, if it is there; an
/// incomplete one only if the item names it by id. Error not_found: says what the repository holds instead, from `all`.
Result<Snapshot> choose_snapshot(const RestoreItem& item, const std::vector<Snapshot>& candidates,
                                 const std::vector<Snapshot>& all, const std::string& chosen = "");

/// Paths that restoring `snapshot` writes below: the item's path, or all of the snapshot's.
std::vector<std::string> restored_paths(const RestoreItem& item, const Snapshot& snapshot);

/// --include and --exclude of `restic restore`; restic takes one of the two.
struct Patterns {
  std::vector<std::string> include, exclude;
  friend bool operator==(const Patterns&, const Patterns&) = default;
};

/// The rule's own patterns, else exactly the restored paths. Of a snapshot with more paths than asked for, nothing is
/// taken from the others either way. Error invalid: one of these is above the asked path, and the rule has patterns;
/// restic has none that would leave out the one without the other.
Result<Patterns> patterns_for(const RestoreItem& item, const Snapshot& snapshot);

/// Error invalid when a path lies in none of the volumes: restic would fill the container's own disk with it, and the
/// application would start on empty volumes.
Result<void> check_within_volumes(const std::vector<std::string>& paths, const std::vector<api::VolumeMount>& mounts);

}  // namespace stash::sidecar
