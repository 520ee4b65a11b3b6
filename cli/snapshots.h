#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"

namespace stash::cli {

struct SnapshotFacts {
  std::string id;  ///< short: the first 8 digits
  std::string host;
  TimePoint time{};
  std::vector<std::string> paths;
  bool incomplete = false;  ///< files were missing when it was taken
  std::string session;      ///< UID of its BackupSession, "" when no tag says so
  friend bool operator==(const SnapshotFacts&, const SnapshotFacts&) = default;
};

/// What `restic snapshots --json` printed in the sidecar, oldest first. Error invalid.
Result<std::vector<SnapshotFacts>> snapshots_of_restic(std::string_view output);

/// Those that the statuses of BackupSessions name, oldest first: all that is known without asking the repository.
/// `session_names` of the same BackupConfiguration are not compared; give only its own.
std::vector<SnapshotFacts> snapshots_of_sessions(const Json& sessions);

/// The one that is meant by `--snapshot ID`, the beginning of an id; nullopt when it is none of these. Errors invalid:
/// no id, or the beginning of several.
Result<std::optional<SnapshotFacts>> find_snapshot(const std::string& id, const std::vector<SnapshotFacts>& known);

Json snapshots_report(const std::vector<SnapshotFacts>& snapshots);
std::string render_snapshots(const std::vector<SnapshotFacts>& snapshots, bool colours, TimePoint now);

}  // namespace stash::cli
