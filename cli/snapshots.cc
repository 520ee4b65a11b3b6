#include "cli/snapshots.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "cli/table.h"
#include "sidecar/restic_output.h"

namespace stash::cli {

namespace {

constexpr std::size_t kShortestId = 4;

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

void sort_by_time(std::vector<SnapshotFacts>& snapshots) {
  std::ranges::sort(snapshots, [](const SnapshotFacts& left, const SnapshotFacts& right) {
    return std::tie(left.time, left.host, left.id) < std::tie(right.time, right.host, right.id);
  });
}

}  // namespace

Result<std::vector<SnapshotFacts>> snapshots_of_restic(std::string_view output) {
  TRY(const auto found, sidecar::parse_snapshots(output));
  std::vector<SnapshotFacts> snapshots;
  for (const sidecar::Snapshot& snapshot : found) {
    SnapshotFacts facts{.id = snapshot.short_id.empty() ? snapshot.id.substr(0, 8) : snapshot.short_id,
                        .host = snapshot.host,
                        .time = {},
                        .paths = snapshot.paths,
                        .incomplete = sidecar::is_incomplete(snapshot),
                        .session = ""};
    TRY(facts.time, parse_time(snapshot.time));
    for (const std::string& tag : snapshot.tags) {
      if (tag.starts_with(api::names::kSessionTagPrefix))
        facts.session = tag.substr(api::names::kSessionTagPrefix.size());
    }
    snapshots.push_back(std::move(facts));
  }
  sort_by_time(snapshots);
  return snapshots;
}

std::vector<SnapshotFacts> snapshots_of_sessions(const Json& sessions) {
  std::vector<SnapshotFacts> snapshots;
  const auto add = [&](const Json& session, const Json& host) {
    const auto time = parse_time(string_at(session, {"metadata", "creationTimestamp"}));
    if (!time) return;
    for (const Json& snapshot : array_at(host, {"snapshots"})) {
      std::string path = string_at(snapshot, {"path"});
      if (path.empty()) path = string_at(snapshot, {"directory"});
      snapshots.push_back({.id = string_at(snapshot, {"name"}),
                           .host = string_at(host, {"hostname"}),
                           .time = *time,
                           .paths = {std::move(path)},
                           .incomplete = string_at(host, {"phase"}) != "Succeeded",
                           .session = string_at(session, {"metadata", "uid"})});
    }
  };
  for (const Json& session : sessions) {
    for (const Json& host : array_at(session, {"status", "stats"})) add(session, host);
    if (!array_at(session, {"status", "stats"}).empty()) continue;
    for (const Json& target : array_at(session, {"status", "targets"})) {
      for (const Json& host : array_at(target, {"stats"})) add(session, host);
    }
  }
  sort_by_time(snapshots);
  return snapshots;
}

Result<std::optional<SnapshotFacts>> find_snapshot(const std::string& id, const std::vector<SnapshotFacts>& known) {
  const bool is_id =
      id.size() >= kShortestId && id.size() <= 64 && id.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_id) {
    return fail(ErrorCode::invalid,
                fmt::format("--snapshot {} is no snapshot id: at least {} of the digits 0-9 and a-f, as `kubectl stash "
                            "snapshots` shows them",
                            id, kShortestId));
  }
  std::optional<SnapshotFacts> found;
  for (const SnapshotFacts& snapshot : known) {
    // Either may be the shorter one.
    if (!snapshot.id.starts_with(id) && !id.starts_with(snapshot.id)) continue;
    if (found && found->id != snapshot.id) {
      return fail(ErrorCode::invalid,
                  fmt::format("--snapshot {} could be {} or {}: give more digits", id, found->id, snapshot.id));
    }
    found = snapshot;
  }
  return found;
}

Json snapshots_report(const std::vector<SnapshotFacts>& snapshots) {
  Json report = Json::array();
  for (const SnapshotFacts& snapshot : snapshots) {
    report.push_back({{"id", snapshot.id},
                      {"host", snapshot.host},
                      {"time", format_time(snapshot.time)},
                      {"paths", snapshot.paths},
                      {"incomplete", snapshot.incomplete},
                      {"session", snapshot.session}});
  }
  return report;
}

std::string render_snapshots(const std::vector<SnapshotFacts>& snapshots, bool colours, TimePoint now) {
  Table table{{"SNAPSHOT", "HOST", "TIME", "AGE", "PATHS", "REMARK"}, {}};
  for (const SnapshotFacts& snapshot : snapshots) {
    table.rows.push_back({{snapshot.id, Tone::bold},
                          {snapshot.host},
                          {format_time(snapshot.time)},
                          {age(snapshot.time, now)},
                          {joined(snapshot.paths)},
                          {snapshot.incomplete ? "incomplete: files were missing" : "", Tone::bad}});
  }
  return table.rows.empty() ? "No snapshots.\n" : render_table(table, colours);
}

}  // namespace stash::cli
