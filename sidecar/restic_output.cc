#include "sidecar/restic_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "api/format.h"
#include "base/json.h"
#include "base/time.h"

namespace stash::sidecar {

namespace {

constexpr std::size_t kNamed = 5;
constexpr std::size_t kShortId = 8;
constexpr std::uint64_t kLongest = 10'000'000'000;  // seconds; a duration in nanoseconds holds little more

std::uint64_t count_at(const Json& json, std::string_view key) {
  const std::int64_t value = int_at(json, {key});
  return value > 0 ? static_cast<std::uint64_t>(value) : 0;
}

std::uint64_t saturated_sum(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

double number_at(const Json& json, std::string_view key) {
  const Json* value = at(json, {key});
  if (value == nullptr || !value->is_number()) return 0;
  const double number = value->get<double>();
  return std::isfinite(number) && number > 0 ? number : 0;
}

std::vector<std::string> strings_at(const Json& json, std::string_view key) {
  std::vector<std::string> strings;
  for (const Json& item : array_at(json, {key})) {
    if (item.is_string()) strings.push_back(item.get_ref<const std::string&>());
  }
  return strings;
}

template <class F>
void for_each_line(std::string_view text, F on_line) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    on_line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

/// The Go error of 0.14 is an object without a text unless it is a system error; since 0.17 it has a "message".
std::string reason_of(const Json& message) {
  std::string reason = string_at(message, {"error", "message"});
  if (!reason.empty()) {
    // "open /a: permission denied": the path is named already.
    const auto colon = reason.rfind(": ");
    return colon == std::string::npos ? reason : reason.substr(colon + 2);
  }
  switch (int_at(message, {"error", "Err"})) {
    case 2:
      return "no such file";
    case 5:
      return "input/output error";
    case 13:
      return "permission denied";
    default:
      return "";
  }
}

}  // namespace

api::SnapshotStats snapshot_stats(const std::string& path, const BackupSummary& summary) {
  const auto count = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  api::SnapshotStats stats;
  stats.name = summary.snapshot;
  stats.path = path;
  stats.total_size = api::format_size(summary.bytes_total);
  stats.uploaded = api::format_size(summary.bytes_added);
  stats.processing_time =
      api::format_processing_time(std::chrono::seconds(static_cast<std::int64_t>(std::min(summary.seconds, 1e9))));
  stats.file_stats = api::FileStats{count(summary.files_total), count(summary.files_new), count(summary.files_changed),
                                    count(summary.files_unmodified)};
  return stats;
}

std::optional<ResticStatus> parse_status(std::string_view line) {
  const auto json = parse_json(line);
  if (!json) return std::nullopt;
  const std::string type = string_at(*json, {"message_type"});
  // A quick restore says nothing but what it came to.
  if (type != "status" && (type != "summary" || at(*json, {"total_files"}) == nullptr)) return std::nullopt;
  ResticStatus status;
  status.files_total = count_at(*json, "total_files");
  status.bytes_total = count_at(*json, "total_bytes");
  // A restore skips what is there already, which is done as well.
  status.files_done = saturated_sum(saturated_sum(count_at(*json, "files_done"), count_at(*json, "files_restored")),
                                    count_at(*json, "files_skipped"));
  status.bytes_done = saturated_sum(saturated_sum(count_at(*json, "bytes_done"), count_at(*json, "bytes_restored")),
                                    count_at(*json, "bytes_skipped"));
  if (const auto seconds = count_at(*json, "seconds_remaining"); seconds > 0)
    status.remaining = std::chrono::seconds(static_cast<std::int64_t>(std::min<std::uint64_t>(seconds, kLongest)));
  return status;
}

std::optional<std::uint64_t> parse_restored(std::string_view line) {
  if (!line.contains("\"summary\"")) return std::nullopt;
  const auto json = parse_json(line);
  if (!json || string_at(*json, {"message_type"}) != "summary") return std::nullopt;
  // It leaves out what is zero, and counts no file in total_files that is there already as it should be.
  return saturated_sum(count_at(*json, "total_files"), count_at(*json, "files_skipped"));
}

namespace {

BackupSummary summary_from(const Json& json) {
  BackupSummary summary;
  summary.files_new = count_at(json, "files_new");
  summary.files_changed = count_at(json, "files_changed");
  summary.files_unmodified = count_at(json, "files_unmodified");
  summary.files_total = count_at(json, "total_files_processed");
  summary.bytes_total = count_at(json, "total_bytes_processed");
  summary.bytes_added = count_at(json, "data_added");
  return summary;
}

/// https://restic.readthedocs.io/en/stable/075_scripting.html#snapshotsummary-object
std::optional<BackupSummary> kept_summary(const Json& snapshot, const std::string& short_id) {
  const Json* json = at(snapshot, {"summary"});
  if (json == nullptr || !json->is_object()) return std::nullopt;
  BackupSummary summary = summary_from(*json);
  summary.snapshot = short_id;
  const auto start = parse_time(string_at(*json, {"backup_start"})), end = parse_time(string_at(*json, {"backup_end"}));
  if (start && end && *start < *end) summary.seconds = std::chrono::duration<double>(*end - *start).count();
  return summary;
}

}  // namespace

void BackupOutput::feed(std::string_view line) {
  if (!line.contains("\"summary\"")) return;
  const auto json = parse_json(line);
  if (!json || string_at(*json, {"message_type"}) != "summary") return;
  BackupSummary& summary = summary_.emplace(summary_from(*json));
  summary.snapshot = string_at(*json, {"snapshot_id"}).substr(0, kShortId);
  summary.seconds = number_at(*json, "total_duration");
}

void UnreadableOutput::feed(std::string_view line) {
  if (!line.starts_with('{')) return;
  const auto json = parse_json(line);
  if (!json || string_at(*json, {"message_type"}) != "error") return;
  // The scanner only counts ahead; what it cannot read, the archiver reports too.
  if (string_at(*json, {"during"}) == "scan") return;
  const std::string item = string_at(*json, {"item"});
  if (item.empty()) return;
  ++files_.count;
  if (files_.first.size() >= kNamed) return;
  const std::string reason = reason_of(*json);
  files_.first.push_back(reason.empty() ? item : fmt::format("{} ({})", item, reason));
}

std::string describe(const UnreadableFiles& files) {
  if (files.count == 0) return "some files could not be read";
  return fmt::format("{} could not be read: {}{}", files.count == 1 ? "1 file" : fmt::format("{} files", files.count),
                     fmt::join(files.first, ", "), files.count > files.first.size() ? ", ..." : "");
}

Result<std::vector<Snapshot>> parse_snapshots(std::string_view output) {
  const auto parsed = parse_json(output);
  if (!parsed) return fail(ErrorCode::invalid, "reading restic's list of snapshots: " + parsed.error().message);
  const Json& json = *parsed;
  if (json.is_null()) return std::vector<Snapshot>{};
  if (!json.is_array()) return fail(ErrorCode::invalid, "reading restic's list of snapshots: it is no list");
  std::vector<Snapshot> snapshots;
  for (const Json& item : json) {
    Snapshot snapshot;
    snapshot.id = string_at(item, {"id"});
    snapshot.short_id = string_at(item, {"short_id"}, snapshot.id.substr(0, kShortId));
    snapshot.time = string_at(item, {"time"});
    snapshot.host = string_at(item, {"hostname"});
    snapshot.parent = string_at(item, {"parent"});
    snapshot.paths = strings_at(item, "paths");
    snapshot.tags = strings_at(item, "tags");
    snapshot.summary = kept_summary(item, snapshot.short_id);
    if (!snapshot.id.empty()) snapshots.push_back(std::move(snapshot));
  }
  return snapshots;
}

bool is_incomplete(const Snapshot& snapshot) {
  return std::ranges::find(snapshot.tags, kIncompleteTag) != snapshot.tags.end();
}

const Snapshot* newest(const std::vector<Snapshot>& snapshots) {
  const Snapshot* best = nullptr;
  TimePoint best_time{};
  for (const Snapshot& snapshot : snapshots) {
    const auto time = parse_time(snapshot.time);
    // Of two within the same microsecond the later in restic's order, which is by time too.
    if (best == nullptr || (time && *time >= best_time)) {
      best = &snapshot;
      best_time = time.value_or(TimePoint{});
    }
  }
  return best;
}

Result<ForgetOutcome> parse_forget(std::string_view output) {
  std::optional<ForgetOutcome> outcome;
  for_each_line(output, [&outcome](std::string_view line) {
    if (outcome || !line.starts_with('[')) return;
    const auto json = parse_json(line);
    if (!json || !json->is_array()) return;
    outcome.emplace();
    for (const Json& group : *json) {
      outcome->kept += static_cast<int>(array_at(group, {"keep"}).size());
      outcome->removed += static_cast<int>(array_at(group, {"remove"}).size());
    }
  });
  // With no snapshot at all restic prints nothing.
  if (!outcome && output.find_first_not_of(" \n") == std::string_view::npos) return ForgetOutcome{};
  if (!outcome) return fail(ErrorCode::invalid, "reading restic's report on forgotten snapshots: no JSON list in it");
  return *outcome;
}

Result<ResticStatus> parse_restore_size(std::string_view output) {
  std::optional<ResticStatus> size;
  for_each_line(output, [&size](std::string_view line) {
    if (size || !line.starts_with('{')) return;
    const auto json = parse_json(line);
    if (!json || at(*json, {"total_size"}) == nullptr) return;
    size.emplace();
    size->bytes_total = count_at(*json, "total_size");
    size->files_total = count_at(*json, "total_file_count");
  });
  if (!size) return fail(ErrorCode::invalid, "reading restic's statistics: no total_size in them");
  return *size;
}

Result<std::uint64_t> parse_stats(std::string_view output) {
  TRY(const ResticStatus size, parse_restore_size(output));
  return size.bytes_total;
}

RestoreErrors parse_restore_errors(std::string_view standard_error) {
  constexpr std::string_view kIgnoring = "ignoring error for ";
  constexpr std::string_view kThereWere = "There were ";
  RestoreErrors errors;
  for_each_line(standard_error, [&](std::string_view line) {
    const auto json = line.starts_with('{') ? parse_json(line) : fail(ErrorCode::invalid, "");
    if (json && string_at(*json, {"message_type"}) == "error") {
      errors.items.push_back({string_at(*json, {"item"}), string_at(*json, {"error", "message"})});
    } else if (line.starts_with(kIgnoring)) {
      line.remove_prefix(kIgnoring.size());
      const auto colon = line.find(": ");
      errors.items.push_back({std::string(line.substr(0, colon)),
                              colon == std::string_view::npos ? "" : std::string(line.substr(colon + 2))});
    } else if (const auto start = line.find(kThereWere); start != std::string_view::npos) {
      line.remove_prefix(start + kThereWere.size());
      std::size_t total = 0;
      if (std::from_chars(line.data(), line.data() + line.size(), total).ec == std::errc{}) errors.total = total;
    }
  });
  return errors;
}

bool is_above(std::string_view path, std::string_view below) {
  if (path == "/") return below != "/";
  return below.size() > path.size() && below.starts_with(path) && below[path.size()] == '/';
}

bool only_above(const RestoreErrors& errors, const std::vector<std::string>& restored_paths) {
  if (!errors.total || *errors.total != errors.items.size() || errors.items.empty()) return false;
  return std::ranges::all_of(errors.items, [&](const RestoreErrors::Item& item) {
    return std::ranges::any_of(restored_paths, [&](const std::string& path) { return is_above(item.path, path); }) &&
           std::ranges::none_of(
               restored_paths, [&](const std::string& path) { return item.path == path || is_above(path, item.path); });
  });
}

}  // namespace stash::sidecar
