#include <fmt/format.h>

#include "api/codec.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/restore_plan.h"
#include "cli/session_wait.h"
#include "cli/sidecar_call.h"
#include "cli/terminal.h"

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
Result<std::vector<SnapshotFacts>> known_snapshots(Kubectl& kubectl, const std::string& ns,
                                                   const api::BackupConfiguration& configuration) {
  auto asked = ask_for_snapshots(kubectl, ns, configuration.spec.repository);
  if (asked) return asked;
  if (asked.error().code == ErrorCode::cancelled) return asked;
  say(fmt::format("the repository cannot be asked ({}); looking at the BackupSessions that are left",
                  asked.error().message));
  TRY(const Json sessions, read_sessions_of(kubectl, ns, configuration.metadata.name));
  return snapshots_of_sessions(sessions);
}

}  // namespace

Result<int> restore(Kubectl& kubectl, const Options& options) {
  const std::string& name = options.names.front();
  RestoreWish wish{.name = options.name, .snapshots = options.snapshots, .time = {}, .target = {}};
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
  std::vector<SnapshotFacts> known;
  if (wish.time || !wish.snapshots.empty()) {
    TRY(known, known_snapshots(kubectl, ns, configuration));
  }
  TRY(const Json session, plan_restore(configuration, wish, known, system_clock().now()));
  if (options.dry_run_mode == "client") {
    print_report(session, options.output == "table" ? "yaml" : options.output);
    return kSucceeded;
  }
  TRY(const Json created, kubectl.create(session));
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
