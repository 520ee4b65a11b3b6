#pragma once
#include <string>
#include <vector>

#include "sidecar/restic.h"
#include "sidecar/restore_rules.h"

namespace stash::sidecar {

/// What restic restores for one item of a rule.
struct Chosen {
  RestoreItem item;
  Snapshot snapshot;
  std::vector<std::string> paths;  ///< below which it writes
  Patterns patterns;
};

/// Asks the repository. `before`: what an earlier attempt of this restore has told (chosen_before). Writes nothing, so
/// that all items can be chosen before the first is restored. Errors, with the sentence for the host's status: the
/// repository cannot be read; as of choose_snapshot, check_within_volumes and patterns_for.
Result<Chosen> choose(Restic& restic, const RestoreItem& item, const std::vector<api::SnapshotStats>& before,
                      const std::vector<api::VolumeMount>& mounts);

/// Why a restore of `all` fails whose `include` took nothing of any of them.
std::string includes_nothing(const std::vector<Chosen>& all);

}  // namespace stash::sidecar
