#include "cli/restore_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "api/codec.h"
#include "api/workload_kind.h"
#include "base/text.h"
#include "inject/host_path.h"
#include "sidecar/session_name.h"

namespace stash::cli {

namespace {

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

/// Ids by host; "" for a rule that is for every host.
using Chosen = std::map<std::string, std::vector<std::string>>;

/// What is planned, and for which workload.
struct Plan {
  const api::BackupConfiguration& configuration;
  const RestoreWish& wish;
  const RestoreFacts& facts;
  const api::TargetRef& target;
  bool several;  ///< hosts, each of which gets its own back
};

std::string every_host(const Plan& plan) {
  return fmt::format("a restore is for every host of {} {}", plan.target.kind, plan.target.name);
}

bool is_expected(const Plan& plan, const std::string& host) {
  return plan.facts.hosts.empty() || std::ranges::find(plan.facts.hosts, host) != plan.facts.hosts.end();
}

/// In a repository of several workloads a DaemonSet's host may have the same path.
bool is_of_target(const Plan& plan, const SnapshotFacts& snapshot) {
  return plan.several ? is_expected(plan, snapshot.host) : snapshot.host == kOnlyHost;
}

std::vector<std::string> plain_paths(const Plan& plan) {
  std::vector<std::string> paths;
  for (const std::string& path : plan.configuration.spec.target->paths) paths.push_back(without_trailing_slash(path));
  return paths;
}

/// The newest complete snapshot by host and path; "" for the host where all are one.
using Newest = std::map<std::string, std::map<std::string, const SnapshotFacts*>>;

Newest newest_until(const Plan& plan, TimePoint time) {
  Newest newest;
  const std::vector<std::string> paths = plain_paths(plan);
  for (const SnapshotFacts& snapshot : plan.facts.known) {  // oldest first
    if (snapshot.time > time || snapshot.incomplete || snapshot.paths.size() != 1) continue;
    if (!is_of_target(plan, snapshot)) continue;
    const std::string path = without_trailing_slash(snapshot.paths.front());
    if (std::ranges::find(paths, path) == paths.end()) continue;
    newest[plan.several ? snapshot.host : ""][path] = &snapshot;
  }
  return newest;
}

/// "/data, /log": paths of which this host has none.
std::string lacking(const Plan& plan, const Newest& newest, const std::string& host) {
  const auto found = newest.find(host);
  std::vector<std::string> paths = plain_paths(plan);
  if (found != newest.end()) std::erase_if(paths, [&](const auto& path) { return found->second.contains(path); });
  return fmt::format("{}", fmt::join(paths, ", "));
}

/// Hosts that get nothing yet are to get their latest: there must be one.
Result<void> check_latest(const Plan& plan, const std::vector<std::string>& hosts) {
  if (!plan.facts.all_known) return {};
  const Newest newest = newest_until(plan, TimePoint::max());
  for (const std::string& host : hosts) {
    const std::string paths = lacking(plan, newest, host);
    if (paths.empty()) continue;
    return fail(
        ErrorCode::not_found,
        fmt::format("{}, and {} has no complete snapshot of {} at all: to give it the data of another one, write "
                    "a RestoreSession with targetHosts and sourceHost (docs/restore.md)",
                    every_host(plan), host, paths));
  }
  return {};
}

Result<Chosen> chosen_by_id(const Plan& plan) {
  Chosen chosen;
  for (const std::string& id : plan.wish.snapshots) {
    TRY(const auto found, find_snapshot(id, plan.facts.known));
    if (!plan.several) {
      chosen[""].push_back(id);
      continue;
    }
    if (!found) {
      return fail(
          ErrorCode::not_found,
          fmt::format("snapshot {} is not known, and the workload has several hosts: so it cannot be said which "
                      "one gets it. `kubectl stash snapshots` lists those that there are",
                      id));
    }
    if (!is_expected(plan, found->host)) {
      return fail(ErrorCode::invalid,
                  fmt::format("snapshot {} is of {}, and {} {} has no such host now, but {}: to bring it into another "
                              "one, write a RestoreSession whose rule has targetHosts (docs/restore.md)",
                              id, found->host, plan.target.kind, plan.target.name, fmt::join(plan.facts.hosts, ", ")));
    }
    chosen[found->host].push_back(id);
  }
  if (!plan.several) return chosen;
  std::vector<std::string> missing = plan.facts.hosts;
  std::erase_if(missing, [&](const std::string& host) { return chosen.contains(host); });
  if (plan.wish.others_latest) {
    TRY_VOID(check_latest(plan, missing));
  } else if (!missing.empty()) {
    return fail(ErrorCode::invalid,
                fmt::format("{}, and no --snapshot is of {}: name one of each (kubectl stash snapshots {} -n {}), or "
                            "--time for the state of all, or add --others-latest to give the others their latest",
                            every_host(plan), fmt::join(missing, ", "), plan.configuration.spec.repository,
                            plan.configuration.metadata.ns));
  }
  return chosen;
}

/// Paths that no snapshot among the chosen is of. Nothing is said where an id is of nobody knows what.
std::string left_out(const Plan& plan, const Chosen& chosen) {
  std::string told;
  for (const auto& [host, ids] : chosen) {
    std::vector<std::string> covered;
    for (const std::string& id : ids) {
      const auto found = find_snapshot(id, plan.facts.known);
      if (!found || !*found) return "";
      covered.insert(covered.end(), (*found)->paths.begin(), (*found)->paths.end());
    }
    std::vector<std::string> paths = plain_paths(plan);
    std::erase_if(paths, [&](const auto& path) { return inject::is_allowed_host_path(path, covered); });
    if (paths.empty()) continue;
    told += fmt::format("{}{}{}", told.empty() ? "" : "; ", fmt::join(paths, ", "), host.empty() ? "" : " of " + host);
  }
  if (told.empty()) return "";
  return fmt::format(
      "no --snapshot is of {}: what is there stays as it is. To bring back all, name one of each path "
      "(kubectl stash snapshots {} -n {})",
      told, plan.configuration.spec.repository, plan.configuration.metadata.ns);
}

std::unexpected<Error> nothing_until(const Plan& plan, TimePoint time) {
  const auto& known = plan.facts.known;
  const auto first = std::ranges::find_if(
      known, [&](const SnapshotFacts& snapshot) { return !snapshot.incomplete && is_of_target(plan, snapshot); });
  return fail(
      ErrorCode::not_found,
      fmt::format("{} has no complete snapshot from {} or before; {}", subject(plan.configuration), format_time(time),
                  first == known.end() ? "no snapshot is known"
                                       : "the oldest that is known is of " + format_time(first->time)));
}

Result<Chosen> chosen_by_time(const Plan& plan, TimePoint time) {
  const Newest newest = newest_until(plan, time);
  std::vector<std::string> hosts = plan.facts.hosts;  // of those that are gone nothing is asked
  if (!plan.several) hosts = {""};
  if (hosts.empty()) std::ranges::transform(newest, std::back_inserter(hosts), [](const auto& of) { return of.first; });
  Chosen chosen;
  std::vector<std::string> missing;
  std::string told;
  for (const std::string& host : hosts) {
    if (const std::string paths = lacking(plan, newest, host); !paths.empty()) {
      missing.push_back(host);
      told += (told.empty() ? "" : ", ") + (plan.several ? fmt::format("{} ({})", host, paths) : paths);
      continue;
    }
    for (const std::string& path : plain_paths(plan)) chosen[host].push_back(newest.at(host).at(path)->id);
  }
  if (std::ranges::none_of(hosts, [&](const auto& host) { return newest.contains(host); }))
    return nothing_until(plan, time);
  if (missing.empty()) return chosen;
  if (plan.wish.others_latest && !chosen.empty()) {
    TRY_VOID(check_latest(plan, missing));
    return chosen;
  }
  std::string why = fmt::format("{} has no complete snapshot of {} from {} or before", subject(plan.configuration),
                                told, format_time(time));
  if (plan.several) {
    why += fmt::format(
        ", and {}: give a later --time, or name snapshots with --snapshot, or add --others-latest to give "
        "these hosts their latest",
        every_host(plan));
  }
  return fail(ErrorCode::not_found, std::move(why));
}

/// Each host its ids; the others, if that was asked for, their latest.
std::vector<api::RestoreRule> rules_of(const Plan& plan, const Chosen& chosen) {
  std::vector<api::RestoreRule> rules;
  for (const auto& [host, ids] : chosen) {
    api::RestoreRule rule;
    if (!host.empty()) rule.target_hosts = {host};
    rule.snapshots = ids;
    rules.push_back(std::move(rule));
  }
  if (plan.several && plan.wish.others_latest) {
    rules.emplace_back().paths = plan.configuration.spec.target->paths;
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

bool has_rules_by_host(const api::BackupConfiguration& configuration, const RestoreWish& wish) {
  if (!configuration.spec.target || (wish.snapshots.empty() && !wish.time)) return false;
  const api::TargetRef& source = configuration.spec.target->ref;
  return has_several_hosts(source) && has_several_hosts(wish.target.value_or(source));
}

Result<RestorePlan> plan_restore(const api::BackupConfiguration& configuration, const RestoreWish& wish,
                                 const RestoreFacts& facts, TimePoint now) {
  if (!configuration.spec.target) {
    return fail(ErrorCode::invalid,
                subject(configuration) + " has no spec.target, so there is nothing to restore into");
  }
  const api::BackupTarget& source = *configuration.spec.target;
  const api::TargetRef target = wish.target.value_or(source.ref);
  const bool from_several = has_several_hosts(source.ref), into_several = has_several_hosts(target);
  const Plan plan{configuration, wish, facts, target, has_rules_by_host(configuration, wish)};

  std::string untouched;
  api::RestoreSession session;
  session.metadata.ns = configuration.metadata.ns;
  session.metadata.name = wish.name.empty() ? sidecar::session_name(configuration.metadata.name, now) : wish.name;
  session.spec.repository = configuration.spec.repository;
  session.spec.runtime_settings = configuration.spec.runtime_settings;
  session.spec.temp_dir = configuration.spec.temp_dir;
  session.spec.target = api::RestoreTarget{target, source.volume_mounts, false};
  if (!wish.snapshots.empty()) {
    TRY(const Chosen chosen, chosen_by_id(plan));
    session.spec.rules = rules_of(plan, chosen);
    untouched = left_out(plan, chosen);
  } else if (wish.time && from_several && !into_several) {
    return fail(ErrorCode::invalid,
                fmt::format("{} backs up several hosts, and {} {} is one: say with --snapshot whose data it gets",
                            subject(configuration), target.kind, target.name));
  } else if (wish.time) {
    TRY(const Chosen chosen, chosen_by_time(plan, *wish.time));
    session.spec.rules = rules_of(plan, chosen);
  } else {
    api::RestoreRule rule;
    rule.paths = source.paths;
    if (into_several && !from_several) rule.source_host = kOnlyHost;
    session.spec.rules = {std::move(rule)};
  }
  return RestorePlan{api::encode(session), std::move(untouched)};
}

}  // namespace stash::cli
