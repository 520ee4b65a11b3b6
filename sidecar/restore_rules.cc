#include "sidecar/restore_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <ranges>

#include "sidecar/mounted_paths.h"
#include "sidecar/restic_command.h"
#include "sidecar/restic_error.h"

namespace stash::sidecar {

namespace {

constexpr std::size_t kListed = 8;

const api::RestoreRule* rule_for(const std::vector<api::RestoreRule>& rules, const std::string& host) {
  const api::RestoreRule* for_any = nullptr;
  for (const api::RestoreRule& rule : rules) {
    if (std::ranges::find(rule.target_hosts, host) != rule.target_hosts.end()) return &rule;
    if (rule.target_hosts.empty()) for_any = &rule;
  }
  return for_any;
}

std::string contents_of(const std::vector<Snapshot>& all) {
  std::map<std::string, int> held;
  for (const Snapshot& snapshot : all) {
    // A repository may hold names of any length and shape.
    for (const std::string& path : snapshot.paths) ++held[scrub(fmt::format("{}:{}", snapshot.host, path), {})];
  }
  if (held.empty()) return "it has no snapshots at all";
  std::vector<std::string> lines;
  for (const auto& [what, count] : held) {
    if (lines.size() == kListed) {
      lines.emplace_back("...");
      break;
    }
    lines.push_back(fmt::format("{} ({})", what, count));
  }
  return fmt::format("it has {}", fmt::join(lines, ", "));
}

std::string way_out(const std::vector<Snapshot>& all) {
  const std::string_view without = "to start the application without a restore, delete this RestoreSession";
  if (all.empty()) return std::string(without);
  return fmt::format(
      "create a RestoreSession whose rule names one of these (sourceHost and paths, or snapshots), or, {}", without);
}

}  // namespace

Result<std::vector<RestoreItem>> restore_items(const std::vector<api::RestoreRule>& rules, const std::string& host) {
  const api::RestoreRule* rule = rule_for(rules, host);
  if (rule == nullptr) {
    return fail(
        ErrorCode::invalid,
        fmt::format("no rule of the RestoreSession is for host {}: add one with paths, and without targetHosts", host));
  }
  if (rule->paths.empty() && rule->snapshots.empty()) {
    return fail(ErrorCode::invalid, fmt::format("the rule for host {} names neither paths nor snapshots, so it would "
                                                "restore nothing",
                                                host));
  }
  if (!rule->paths.empty() && !rule->snapshots.empty()) {
    return fail(ErrorCode::invalid,
                fmt::format("the rule for host {} names both paths and snapshots: use one of them", host));
  }
  if (!rule->include.empty() && !rule->exclude.empty()) {
    return fail(ErrorCode::invalid,
                fmt::format("the rule for host {} has both include and exclude, which restic refuses: "
                            "use one of them",
                            host));
  }
  std::vector<RestoreItem> items;
  items.reserve(rule->snapshots.size() + rule->paths.size());
  for (const std::string& id : rule->snapshots) items.push_back({id, "", "", rule->include, rule->exclude});
  for (const std::string& path : rule->paths) {
    TRY(std::string cleaned, clean_path(path));
    items.push_back(
        {"", rule->source_host.empty() ? host : rule->source_host, std::move(cleaned), rule->include, rule->exclude});
  }
  return items;
}

std::string list_incomplete(const std::vector<Snapshot>& candidates) {
  std::vector<std::string> named;
  // restic lists the oldest first.
  for (const Snapshot& snapshot : std::views::reverse(candidates)) {
    if (!is_incomplete(snapshot)) continue;
    if (named.size() == kListed) {
      named.emplace_back("...");
      break;
    }
    named.push_back(fmt::format("{} of {}", snapshot.short_id, snapshot.time));
  }
  return fmt::format("{}", fmt::join(named, ", "));
}

std::string chosen_before(const RestoreItem& item, const std::vector<api::SnapshotStats>& chosen) {
  if (item.path.empty()) return "";
  const auto found = std::ranges::find(chosen, item.path, &api::SnapshotStats::path);
  return found == chosen.end() ? "" : found->name;
}

Result<Snapshot> choose_snapshot(const RestoreItem& item, const std::vector<Snapshot>& candidates,
                                 const std::vector<Snapshot>& all, const std::string& chosen) {
  const std::string& id = item.snapshot.empty() ? chosen : item.snapshot;
  if (!id.empty()) {
    for (const Snapshot& snapshot : candidates) {
      if (snapshot.id.starts_with(id)) return snapshot;
    }
  }
  if (!item.snapshot.empty()) {
    return fail(ErrorCode::not_found, fmt::format("the repository has no snapshot {}; {}; {}", item.snapshot,
                                                  contents_of(all), way_out(all)));
  }
  std::vector<Snapshot> complete;
  std::ranges::remove_copy_if(candidates, std::back_inserter(complete), is_incomplete);
  if (const Snapshot* latest = newest(complete)) return *latest;
  if (!candidates.empty()) {
    return fail(ErrorCode::not_found,
                fmt::format("of host {} with the path {} the repository has incomplete snapshots only ({}: {}), whose "
                            "backups could not read all files; to restore one of them all the same, create a "
                            "RestoreSession whose rule names it by its id in snapshots instead of paths, or, to start "
                            "the application without a restore, delete this RestoreSession",
                            item.host, item.path, kIncompleteTag, list_incomplete(candidates)));
  }
  return fail(ErrorCode::not_found, fmt::format("the repository has no snapshot of host {} with the path {}; {}; {}",
                                                item.host, item.path, contents_of(all), way_out(all)));
}

std::vector<std::string> restored_paths(const RestoreItem& item, const Snapshot& snapshot) {
  return item.path.empty() ? snapshot.paths : std::vector<std::string>{item.path};
}

Result<Patterns> patterns_for(const RestoreItem& item, const Snapshot& snapshot) {
  Patterns patterns{item.include, item.exclude};
  if (item.include.empty() && item.exclude.empty()) {
    for (const std::string& path : restored_paths(item, snapshot)) {
      // The root cannot be a pattern, and needs none.
      if (path == "/") return Patterns{};
      patterns.include.push_back(literal_pattern(path));
    }
    return patterns;
  }
  if (item.path.empty()) return patterns;
  for (const std::string& other : snapshot.paths) {
    if (other == item.path || is_above(item.path, other)) continue;
    if (is_above(other, item.path)) {
      return fail(ErrorCode::invalid,
                  fmt::format("snapshot {} holds {} as well as {}: a rule with include or exclude cannot keep to the "
                              "latter. Create a RestoreSession whose rule has neither, or one that names the snapshot "
                              "in snapshots instead of paths",
                              snapshot.short_id, other, item.path));
    }
    // A match of an include that begins with ! cancels those before it.
    if (item.exclude.empty()) {
      patterns.include.push_back("!" + literal_pattern(other));
    } else {
      patterns.exclude.push_back(literal_pattern(other));
    }
  }
  return patterns;
}

Result<void> check_within_volumes(const std::vector<std::string>& paths, const std::vector<api::VolumeMount>& mounts) {
  const std::vector<std::string> mounted = mounted_paths(mounts);
  for (const std::string& path : paths) {
    const bool has_volume =
        std::ranges::any_of(mounted, [&path](const std::string& mount) { return is_above(path, mount); });
    if (!is_mounted(path, mounted) && !has_volume) {
      return fail(
          ErrorCode::invalid,
          fmt::format("the snapshot's path {} lies in none of the volumes of spec.target.volumeMounts ({}): mount the "
                      "volume where it was when it was backed up",
                      path, fmt::join(mounted, ", ")));
    }
  }
  return {};
}

}  // namespace stash::sidecar
