#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/backup_session.h"
#include "base/result.h"

/// What restic prints, from 0.14 to 0.19: unknown messages and fields are ignored, missing ones are zero.
/// https://restic.readthedocs.io/en/stable/075_scripting.html#json-output
namespace stash::sidecar {

struct BackupSummary {
  std::string snapshot;  ///< short id (8 hex digits); "" after a dry run of a newer restic
  std::uint64_t files_new = 0, files_changed = 0, files_unmodified = 0, files_total = 0;
  std::uint64_t bytes_total = 0, bytes_added = 0;
  double seconds = 0;
  friend bool operator==(const BackupSummary&, const BackupSummary&) = default;
};

/// The entry of a session's status for one path.
api::SnapshotStats snapshot_stats(const std::string& path, const BackupSummary& summary);

/// How far restic has come, of `backup --json` and, since 0.17, of `restore --json`.
struct ResticStatus {
  std::uint64_t files_done = 0, files_total = 0;
  std::uint64_t bytes_done = 0, bytes_total = 0;
  std::optional<std::chrono::seconds> remaining;
  friend bool operator==(const ResticStatus&, const ResticStatus&) = default;
};
/// nullopt: the line is something else.
std::optional<ResticStatus> parse_status(std::string_view line);

/// Of the summary of `restore --json`, since 0.17: how many files and directories there were to restore, those included
/// that were there already. nullopt: the line is something else.
std::optional<std::uint64_t> parse_restored(std::string_view line);

/// Fed line by line while `backup --json` runs; keeps the last summary and forgets the rest at once.
class BackupOutput {
 public:
  void feed(std::string_view line);
  const std::optional<BackupSummary>& summary() const { return summary_; }

 private:
  std::optional<BackupSummary> summary_;
};

/// Files that a backup could not read; the first few by name.
struct UnreadableFiles {
  std::vector<std::string> first;
  std::size_t count = 0;
  friend bool operator==(const UnreadableFiles&, const UnreadableFiles&) = default;
};
/// Fed standard error line by line while `backup --json` runs: of a volume it cannot read there may be more than
/// anybody keeps.
class UnreadableOutput {
 public:
  void feed(std::string_view line);
  const UnreadableFiles& files() const { return files_; }

 private:
  UnreadableFiles files_;
};
/// "3 files could not be read: /a (permission denied), /b, /c".
std::string describe(const UnreadableFiles& files);

struct Snapshot {
  std::string id, short_id, time, host;
  std::vector<std::string> paths, tags;
  std::string parent = {};  ///< id of the one that its backup compared with; "" when it was the first of its paths
  std::optional<BackupSummary> summary = {};  ///< what its backup came to; restic 0.17 and later keep that
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};
/// The output of `snapshots --json`. Error invalid.
Result<std::vector<Snapshot>> parse_snapshots(std::string_view output);
/// Tag of a snapshot that lacks files: nobody gets it who does not ask for it by its id.
inline constexpr std::string_view kIncompleteTag = "stash-incomplete";
bool is_incomplete(const Snapshot& snapshot);
/// The newest by time; nullptr when there is none.
const Snapshot* newest(const std::vector<Snapshot>& snapshots);

struct ForgetOutcome {
  int kept = 0, removed = 0;  ///< over all groups
  friend bool operator==(const ForgetOutcome&, const ForgetOutcome&) = default;
};
/// The output of `forget --json`, with or without what prune prints after it. Error invalid.
Result<ForgetOutcome> parse_forget(std::string_view output);

/// Files and bytes of `stats --json --mode restore-size`, as totals. Error invalid.
Result<ResticStatus> parse_restore_size(std::string_view output);

/// total_size of `stats --json`. Error invalid.
Result<std::uint64_t> parse_stats(std::string_view output);

/// What `restore` complained about on standard error: as text, or since 0.17 as JSON.
struct RestoreErrors {
  struct Item {
    std::string path, reason;
    friend bool operator==(const Item&, const Item&) = default;
  };
  std::vector<Item> items;
  std::optional<std::size_t> total;  ///< "There were N errors"
  friend bool operator==(const RestoreErrors&, const RestoreErrors&) = default;
};
RestoreErrors parse_restore_errors(std::string_view standard_error);

/// restic also restores owner, mode and times of the directories above a restored path. In a container whose root is
/// read-only that fails, harmlessly: true when every error is of that sort and none was lost.
bool only_above(const RestoreErrors& errors, const std::vector<std::string>& restored_paths);

/// Is `path` a directory above `below`? Both cleaned.
bool is_above(std::string_view path, std::string_view below);

}  // namespace stash::sidecar
