#include <fmt/format.h>

#include "api/codec.h"
#include "api/workload_kind.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/restore_hosts.h"
#include "cli/restore_plan.h"
#include "cli/session_wait.h"
#include "cli/sidecar_call.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "controller/workload_facts.h"

namespace stash::cli {

namespace {

Result<Json> read_sessions_of(Kubectl& kubectl, const std::string& ns, const std::string& configuration) {
  TRY(const Json sessions, kubectl.list(api::kBackupSessions, ns));
  Json own = Json::array();
  for (const Json& session : sessions) {
    const auto decoded = api::decode<api::BackupSession>(session);
    if (!decoded) continue;
    const auto name = api::configuration_of(*decoded);
    if (name && *name == configuration) own.push_back(session);
  }
  return own;
}

/// From the repository itself when a sidecar can be asked; else what the sessions remember.
Result<void> find_snapshots(Kubectl& kubectl, const std::string& ns, const api::BackupConfiguration& configuration,
                            RestoreFacts& facts) {
  auto asked = ask_for_snapshots(kubectl, ns, configuration.spec.repository);
  facts.all_known = asked.has_value();
  if (asked) {
    facts.known = *std::move(asked);
    return {};
  }
  if (asked.error().code == ErrorCode::cancelled) return std::unexpected(asked.error());
  say(fmt::format("the repository cannot be asked ({}); looking at the BackupSessions that are left",
                  asked.error().message));
  TRY(const Json sessions, read_sessions_of(kubectl, ns, configuration.metadata.name));
  facts.known = snapshots_of_sessions(sessions);
  return {};
}

bool may_be_missing(ErrorCode code) { return code == ErrorCode::not_found || code == ErrorCode::denied; }

/// The hosts of the workload that is restored into. Whoever may not look at it can restore all the same.
Result<void> find_hosts(Kubectl& kubectl, const std::string& ns, const api::BackupConfiguration& configuration,
                        const api::TargetRef& target, RestoreFacts& facts) {
  const api::WorkloadKind* kind = api::workload_kind(target);
  TargetFacts found;
  std::string unseen;
  auto workload = kubectl.get(kind->resource, target.name, ns);
  if (workload && kind->hosts == api::HostScheme::nodes) {
    auto pods = kubectl.list("pods", ns, controller::selector_text(*workload));
    if (!pods && !may_be_missing(pods.error().code)) return std::unexpected(pods.error());
    if (pods) {
      found.pods = *std::move(pods);
    } else {
      unseen = pods.error().message;
    }
  }
  if (!workload && !may_be_missing(workload.error().code)) return std::unexpected(workload.error());
  if (workload) {
    found.workload = *std::move(workload);
  } else {
    unseen = workload.error().message;
  }
  const api::TargetRef& source = configuration.spec.target->ref;
  if (kind == api::workload_kind(source) && target.name == source.name) {
    auto sessions = read_sessions_of(kubectl, ns, configuration.metadata.name);
    if (!sessions && !may_be_missing(sessions.error().code)) return std::unexpected(sessions.error());
    if (sessions) found.sessions = *std::move(sessions);
  }
  facts.hosts = hosts_of_target(target, found);
  if (facts.hosts.empty()) {
    say(
        fmt::format("which hosts {} {} has is not known{}; a RestoreSession without a rule for one of them will be "
                    "Invalid",
                    target.kind, target.name, unseen.empty() ? "" : " (" + unseen + ")"));
  }
  return {};
}

}  // namespace

Result<int> restore(Kubectl& kubectl, const Options& options) {
  const std::string& name = options.names.front();
  RestoreWish wish{.name = options.name,
                   .snapshots = options.snapshots,
                   .time = {},
                   .target = {},
                   .others_latest = options.others_latest};
  if (!options.time.empty()) {
    const auto time = parse_time(options.time);
    if (!time) return misuse(fmt::format("--time {} is no RFC 3339 time such as 2026-11-23T12:00:00Z", options.time));
    wish.time = *time;
  }
  if (!options.target.empty()) {
    const auto target = parse_workload(options.target);
    if (!target) return misuse("--target: " + target.error().message);
    wish.target = *target;
  }
  TRY(const std::string ns, kubectl.ns());
  TRY(const auto configuration, read_configuration(kubectl, ns, name));
  RestoreFacts facts;
  if (wish.time || !wish.snapshots.empty()) TRY_VOID(find_snapshots(kubectl, ns, configuration, facts));
  if (has_rules_by_host(configuration, wish)) {
    TRY_VOID(find_hosts(kubectl, ns, configuration, wish.target.value_or(configuration.spec.target->ref), facts));
  }
  TRY(const RestorePlan plan, plan_restore(configuration, wish, facts, system_clock().now()));
  if (!plan.left_out.empty()) say(harmless(plan.left_out));
  if (options.dry_run_mode == "client") {
    print_report(plan.session, options.output == "table" ? "yaml" : options.output);
    return kSucceeded;
  }
  TRY(const Json created, kubectl.create(plan.session));
  const std::string made = string_at(created, {"metadata", "name"});
  say(
      fmt::format("RestoreSession {}/{} created; the pods of {} {} are replaced, and the new ones restore before they "
                  "start",
                  ns, made, string_at(created, {"spec", "target", "ref", "kind"}),
                  string_at(created, {"spec", "target", "ref", "name"})));
  if (!options.wait) {
    print_report(created, options.output);
    return kSucceeded;
  }
  TRY(const Json ended, wait_for(kubectl, api::kRestoreSessions, ns, made, options.timeout_minutes));
  return report_end(ended, options.output);
}

}  // namespace stash::cli
