#include "sidecar/create_backupsession.h"

#include <algorithm>

#include "api/codec.h"
#include "api/last_sign.h"
#include "api/names.h"
#include "api/workload_kind.h"
#include "base/backoff.h"
#include "base/log.h"
#include "sidecar/session_name.h"

namespace stash::sidecar {

namespace {

constexpr std::chrono::minutes kPatience{4};

/// Retries outages; the CronJob's startingDeadlineSeconds is longer than our patience.
template <class Call>
auto patiently(Context& context, Call call) {
  Backoff backoff;
  const auto begun = context.clock.steady();
  while (true) {
    auto result = call();
    if (result || !is_outage(result.error().code) || context.stop() || context.clock.steady() - begun >= kPatience)
      return result;
    log_warning("{}; trying again", result.error().message);
    context.pause(backoff.next());
  }
}

bool target_is_missing(Context& context, const api::BackupConfiguration& configuration) {
  const auto* kind = configuration.spec.target ? api::workload_kind(configuration.spec.target->ref) : nullptr;
  if (kind == nullptr) return false;
  const api::ObjectRef ref{configuration.metadata.ns, configuration.spec.target->ref.name};
  const auto target = patiently(context, [&] { return context.api.get(kind->resource, ref, true); });
  // Not being allowed to look is no reason to skip a backup.
  return !target && target.error().code == ErrorCode::not_found;
}

/// The name of an unfinished session that nobody has touched for an hour: then nobody would touch another one either,
/// as after an uninstall, and they would pile up in the API server. "" for none.
std::string abandoned_session(Context& context, const api::BackupConfiguration& configuration) {
  const std::string selector =
      fmt::format("{}={}", api::names::kInvokerNameLabel, api::configuration_label(configuration.metadata.name));
  const auto list = patiently(context, [&] {
    return context.api.list(api::kBackupSessions, configuration.metadata.ns, {.label_selector = selector});
  });
  // Not being allowed to look, as by a Role of an older release, is no reason to skip a backup.
  if (!list) return "";
  for (const Json& object : array_at(*list, {"items"})) {
    const auto session = api::decode<api::BackupSession>(object);
    if (!session || session->metadata.being_deleted || api::is_final_phase(session->status.phase)) continue;
    if (context.clock.now() - api::last_sign(*session, configuration.spec.time_out) >= api::kAbandoned)
      return session->metadata.name;
  }
  return "";
}

}  // namespace

int create_backupsession(Context& context, const std::string& name, const std::string& job_name) {
  const EndsOnStop ends_on_stop(context);
  const api::ObjectRef ref{context.pod.ns, name};
  const auto object = patiently(context, [&] { return context.api.get(api::kBackupConfigurations, ref); });
  if (!object) {
    log_error("{}", object.error().message);
    // Nothing will bring the slot of a deleted BackupConfiguration back.
    return object.error().code == ErrorCode::not_found ? 0 : 1;
  }
  const auto configuration = api::decode<api::BackupConfiguration>(*object);
  if (!configuration) {
    log_error("{}", configuration.error().message);
    return 1;
  }

  std::string reason;
  if (configuration->spec.paused) {
    reason = "the BackupConfiguration is paused";
  } else if (target_is_missing(context, *configuration)) {
    const auto& target = configuration->spec.target->ref;
    reason = fmt::format("its target, {} {}, does not exist", target.kind, target.name);
  } else if (const std::string abandoned = abandoned_session(context, *configuration); !abandoned.empty()) {
    reason = fmt::format(
        "BackupSession {} has not ended and nobody has touched it for an hour; is stash-controller "
        "running? To go on without it, delete that BackupSession",
        abandoned);
  }
  if (!reason.empty()) {
    log_info("no BackupSession for {}: {}", to_string(ref), reason);
    tell_event(context, *object, kube::EventType::normal, "Backup Skipped", "Skipped a backup: " + reason,
               "Backup Triggering CronJob");
    return 0;
  }

  const Json session = backup_session_of(*configuration, session_name(name, slot_of(job_name, context.clock.now())));
  const std::string session_name = string_at(session, {"metadata", "name"});
  const auto created = patiently(context, [&] { return context.api.create(api::kBackupSessions, ref.ns, session); });
  if (!created && created.error().code != ErrorCode::already_exists) {
    log_error("{}", created.error().message);
    return 1;
  }
  log_info("BackupSession {}/{} {}", ref.ns, session_name, created ? "created" : "exists already");
  return 0;
}

}  // namespace stash::sidecar
