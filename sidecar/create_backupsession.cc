#include "sidecar/create_backupsession.h"

#include "api/codec.h"
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
  if (!configuration.spec.target || configuration.spec.target->ref.kind != api::kDeployments.kind) return false;
  const api::ObjectRef ref{configuration.metadata.ns, configuration.spec.target->ref.name};
  const auto target = patiently(context, [&] { return context.api.get(api::kDeployments, ref, true); });
  // Not being allowed to look is no reason to skip a backup.
  return !target && target.error().code == ErrorCode::not_found;
}

Json session_of(const api::BackupConfiguration& configuration, std::string name) {
  api::BackupSession session;
  session.metadata.name = std::move(name);
  session.metadata.ns = configuration.metadata.ns;
  session.metadata.labels = configuration.metadata.labels;
  api::set_configuration(session, configuration.metadata.name);
  Json json = api::encode(session);
  json["metadata"]["ownerReferences"] = Json::array({{{"apiVersion", api::kBackupConfigurations.api_version()},
                                                      {"kind", api::kBackupConfigurations.kind},
                                                      {"name", configuration.metadata.name},
                                                      {"uid", configuration.metadata.uid},
                                                      {"blockOwnerDeletion", false}}});
  return json;
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
  }
  if (!reason.empty()) {
    log_info("no BackupSession for {}: {}", to_string(ref), reason);
    tell_event(context, *object, kube::EventType::normal, "Backup Skipped", "Skipped a backup: " + reason,
               "Backup Triggering CronJob");
    return 0;
  }

  const Json session = session_of(*configuration, session_name(name, slot_of(job_name, context.clock.now())));
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
