#include "sidecar/restore_choice.h"

#include <fmt/format.h>

#include "base/log.h"

namespace stash::sidecar {

Result<Chosen> choose(Restic& restic, const RestoreItem& item, const std::vector<api::SnapshotStats>& before,
                      const std::vector<api::VolumeMount>& mounts) {
  auto candidates = item.snapshot.empty() ? restic.snapshots(item.host, item.path, "") : restic.snapshot(item.snapshot);
  if (!candidates && candidates.error().cause == ResticCause::no_snapshot) candidates = std::vector<Snapshot>();
  if (!candidates) return fail(ErrorCode::unreachable, "listing snapshots: " + candidates.error().sentence);
  std::vector<Snapshot> all;
  if (candidates->empty()) {
    if (auto others = restic.snapshots("", "", "")) all = *std::move(others);
  }
  const std::string begun = chosen_before(item, before);
  TRY(Snapshot snapshot, choose_snapshot(item, *candidates, all, begun));
  if (!begun.empty() && !snapshot.id.starts_with(begun)) {
    log_warning(
        "snapshot {} of {}, which an earlier attempt began to restore, is not in the repository any more: {} is "
        "restored instead, and files of the former that it does not have stay",
        begun, item.path, snapshot.short_id);
  }
  if (const std::string skipped = list_incomplete(*candidates); item.snapshot.empty() && !skipped.empty())
    log_warning("skipped {}: their backups could not read all files ({})", skipped, kIncompleteTag);
  std::vector<std::string> paths = restored_paths(item, snapshot);
  TRY_VOID(check_within_volumes(paths, mounts));
  TRY(Patterns patterns, patterns_for(item, snapshot));
  return Chosen{item, std::move(snapshot), std::move(paths), std::move(patterns)};
}

std::string includes_nothing(const std::vector<Chosen>& all) {
  std::vector<std::string> tried;
  for (const Chosen& chosen : all)
    tried.push_back(fmt::format("{} from snapshot {}", fmt::join(chosen.paths, ", "), chosen.snapshot.short_id));
  return fmt::format(
      "restoring {}: include matches nothing in {}. A pattern that begins with / is compared with whole paths as the "
      "snapshot has them (/data/uploads, not /uploads), one that does not with any part of them: create a "
      "RestoreSession with other patterns, or, to start the application without a restore, delete this one",
      fmt::join(tried, ", "), all.size() == 1 ? "it" : "them");
}

}  // namespace stash::sidecar
