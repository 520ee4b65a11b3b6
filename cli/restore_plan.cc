#include "cli/restore_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "api/codec.h"
#include "api/workload_kind.h"
#include "base/text.h"
#include "sidecar/session_name.h"

namespace stash::cli {

namespace {

constexpr std::size_t kShortestId = 4;
constexpr const char* kOnlyHost = "host-0";  // of workloads whose pods share their data

bool has_several_hosts(const api::TargetRef& target) {
  const api::WorkloadKind* kind = api::workload_kind(target);
  return kind != nullptr && kind->hosts != api::HostScheme::single;
}

std::string subject(const api::BackupConfiguration& configuration) {
  return "BackupConfiguration " + to_string(configuration.metadata.ref());
}

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

/// An id that nobody knows may still be in the repository: then it is taken as it is.
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

/// Ids by host; "" for a rule that is for every host.
using Chosen = std::map<std::string, std::vector<std::string>>;

Result<Chosen> chosen_by_id(const std::vector<std::string>& ids, bool several,
                            const std::vector<SnapshotFacts>& known) {
  Chosen chosen;
  for (const std::string& id : ids) {
    TRY(const auto found, find_snapshot(id, known));
    if (!found && several) {
      return fail(
          ErrorCode::not_found,
          fmt::format("snapshot {} is not known, and the workload has several hosts: so it cannot be said which "
                      "one gets it. `kubectl stash snapshots` lists those that there are",
                      id));
    }
    chosen[several ? found->host : ""].push_back(id);
  }
  return chosen;
}

Result<Chosen> chosen_by_time(const api::BackupConfiguration& configuration, TimePoint time, bool several,
                              const std::vector<SnapshotFacts>& known) {
  std::map<std::string, std::map<std::string, const SnapshotFacts*>> newest;  // by host and path
  std::vector<std::string> paths;
  for (const std::string& path : configuration.spec.target->paths) paths.push_back(without_trailing_slash(path));
  for (const SnapshotFacts& snapshot : known) {  // oldest first
    if (snapshot.time > time || snapshot.incomplete || snapshot.paths.size() != 1) continue;
    if (std::ranges::find(paths, without_trailing_slash(snapshot.paths.front())) == paths.end()) continue;
    newest[several ? snapshot.host : ""][without_trailing_slash(snapshot.paths.front())] = &snapshot;
  }
  Chosen chosen;
  for (const auto& [host, found] : newest) {
    for (const std::string& path : paths) {
      const auto snapshot = found.find(path);
      if (snapshot != found.end()) {
        chosen[host].push_back(snapshot->second->id);
        continue;
      }
      return fail(ErrorCode::not_found,
                  fmt::format("{}{} has no complete snapshot of {} from {} or before", subject(configuration),
                              host.empty() ? "" : ", host " + host, path, format_time(time)));
    }
  }
  if (!chosen.empty()) return chosen;
  const auto first = std::ranges::find_if_not(known, &SnapshotFacts::incomplete);
  return fail(
      ErrorCode::not_found,
      fmt::format("{} has no complete snapshot from {} or before; {}", subject(configuration), format_time(time),
                  first == known.end() ? "no snapshot is known"
                                       : "the oldest that is known is of " + format_time(first->time)));
}

std::vector<api::RestoreRule> rules_of(const Chosen& chosen) {
  std::vector<api::RestoreRule> rules;
  for (const auto& [host, ids] : chosen) {
    api::RestoreRule rule;
    if (!host.empty()) rule.target_hosts = {host};
    rule.snapshots = ids;
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace

Result<api::TargetRef> parse_workload(std::string_view text) {
  const auto parts = split(text, '/');
  const std::string_view name = parts.back();
  if (parts.size() == 2 && !name.empty()) {
    const std::string asked = lower_case(parts.front());
    constexpr std::pair<std::string_view, std::string_view> kShort[] = {
        {"deploy", "Deployment"}, {"sts", "StatefulSet"},          {"ds", "DaemonSet"},
        {"rs", "ReplicaSet"},     {"rc", "ReplicationController"}, {"dc", "DeploymentConfig"}};
    for (const api::WorkloadKind& kind : api::workload_kinds()) {
      const bool is_short = std::ranges::any_of(
          kShort, [&](const auto& pair) { return pair.first == asked && pair.second == kind.resource.kind; });
      if (is_short || asked == lower_case(kind.resource.kind) || asked == kind.resource.plural) {
        return api::TargetRef{kind.resource.api_version(), std::string(kind.resource.kind), std::string(name)};
      }
    }
  }
  return fail(ErrorCode::invalid,
              fmt::format("\"{}\" names no workload; write KIND/NAME such as deployment/web. Kinds: "
                          "{}",
                          text, api::workload_kind_names()));
}

Result<Json> plan_restore(const api::BackupConfiguration& configuration, const RestoreWish& wish,
                          const std::vector<SnapshotFacts>& known, TimePoint now) {
  if (!configuration.spec.target) {
    return fail(ErrorCode::invalid,
                subject(configuration) + " has no spec.target, so there is nothing to restore into");
  }
  const api::BackupTarget& source = *configuration.spec.target;
  const api::TargetRef target = wish.target.value_or(source.ref);
  const bool from_several = has_several_hosts(source.ref), into_several = has_several_hosts(target);
  const bool several = from_several && into_several;  // each gets its own back

  api::RestoreSession session;
  session.metadata.ns = configuration.metadata.ns;
  session.metadata.name = wish.name.empty() ? sidecar::session_name(configuration.metadata.name, now) : wish.name;
  session.spec.repository = configuration.spec.repository;
  session.spec.runtime_settings = configuration.spec.runtime_settings;
  session.spec.temp_dir = configuration.spec.temp_dir;
  session.spec.target = api::RestoreTarget{target, source.volume_mounts, false};
  if (!wish.snapshots.empty()) {
    TRY(const Chosen chosen, chosen_by_id(wish.snapshots, several, known));
    session.spec.rules = rules_of(chosen);
  } else if (wish.time && from_several && !into_several) {
    return fail(ErrorCode::invalid,
                fmt::format("{} backs up several hosts, and {} {} is one: say with --snapshot whose data it gets",
                            subject(configuration), target.kind, target.name));
  } else if (wish.time) {
    TRY(const Chosen chosen, chosen_by_time(configuration, *wish.time, several, known));
    session.spec.rules = rules_of(chosen);
  } else {
    api::RestoreRule rule;
    rule.paths = source.paths;
    if (into_several && !from_several) rule.source_host = kOnlyHost;
    session.spec.rules = {std::move(rule)};
  }
  return api::encode(session);
}

}  // namespace stash::cli
