#include "controller/backup_gauges.h"

#include <algorithm>

#include "api/format.h"
#include "api/mass_deletion.h"
#include "api/names.h"
#include "controller/cron_job_slots.h"
#include "controller/history.h"

namespace stash::controller {
namespace {

using Sessions = std::vector<api::BackupSession>;

double unix_time(TimePoint time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }
double seconds_since(TimePoint time, TimePoint now) {
  return std::max(0.0, std::chrono::duration<double>(now - time).count());
}
double flag(bool value) { return value ? 1 : 0; }

/// One of a BackupConfiguration that had this name before is about other data.
bool is_about(const api::BackupSession& session, const api::BackupConfiguration& configuration) {
  return session.metadata.created >= configuration.metadata.created;
}

void add_sessions(BackupGauges& gauges, const api::BackupConfiguration& configuration, const Sessions& sessions,
                  TimePoint now) {
  const api::BackupSession *attempt = nullptr, *result = nullptr;
  gauges.running = 0;
  for (const api::BackupSession& session : sessions) {
    const std::string& phase = session.status.phase;
    if (!is_about(session, configuration) || phase == "Skipped") continue;
    const auto is_newer = [&](const api::BackupSession* than) {
      return than == nullptr || session.metadata.created > than->metadata.created;
    };
    if (is_newer(attempt)) attempt = &session;
    if (!api::is_final_phase(phase)) {
      gauges.running = std::max(*gauges.running, seconds_since(session.metadata.created, now));
    } else if (is_newer(result)) {
      result = &session;
    }
  }
  if (attempt) gauges.last_attempt = unix_time(attempt->metadata.created);
  if (result) gauges.last_attempt_success = flag(result->status.phase == "Succeeded");
}

void add_slots(BackupGauges& gauges, const CronJobSlots& slots) {
  gauges.schedules_since_success = slots.since_success;
  if (slots.missed) gauges.missed_schedules = *slots.missed;
  if (slots.next) gauges.next_schedule = unix_time(*slots.next);
}

constexpr GaugeOf<BackupGauges> kBackupGauges[] = {
    {"stash_backup_configuration_info", "Always 1; its labels name the Repository and the target", &BackupGauges::info},
    {"stash_backup_configuration_created_timestamp_seconds", "When the BackupConfiguration was created",
     &BackupGauges::created},
    {"stash_backup_configuration_paused", "1 when it is paused", &BackupGauges::paused},
    {"stash_backup_configuration_ready", "1 when its condition Ready is True", &BackupGauges::ready},
    {"stash_backup_configuration_last_success_timestamp_seconds",
     "When the newest backup that succeeded ended; no line until one has", &BackupGauges::last_success},
    {"stash_backup_configuration_never_succeeded_seconds",
     "Age of a BackupConfiguration of which no backup has ever succeeded; 0 once one has",
     &BackupGauges::never_succeeded},
    {"stash_backup_configuration_last_attempt_timestamp_seconds",
     "When the newest backup began, whatever it came to; no line until one has", &BackupGauges::last_attempt},
    {"stash_backup_configuration_last_attempt_success",
     "Whether the newest backup that ended succeeded; no line until one has ended",
     &BackupGauges::last_attempt_success},
    {"stash_backup_configuration_running_seconds",
     "How long the oldest unfinished session has lasted; 0 when there is none", &BackupGauges::running},
    {"stash_backup_configuration_next_schedule_timestamp_seconds",
     "When the CronJob is due next; no line while it is paused or has no CronJob", &BackupGauges::next_schedule},
    {"stash_backup_configuration_missed_schedules",
     "Slots of the schedule that passed more than five minutes ago, to 100, and that its CronJob did not act on; no "
     "line "
     "as for the next one",
     &BackupGauges::missed_schedules},
    {"stash_backup_configuration_schedules_since_success",
     "Slots of the schedule that have passed, to 100, since the newest success or since the schedule was made; no line "
     "while it is paused",
     &BackupGauges::schedules_since_success}};

constexpr GaugeOf<RepositoryGauges> kRepositoryGauges[] = {
    {"stash_repository_status_size_bytes", "Size of all snapshots when restored, by the Repository's status",
     &RepositoryGauges::size},
    {"stash_repository_status_snapshots", "Snapshots, by the Repository's status", &RepositoryGauges::snapshots},
    {"stash_repository_status_integrity", "Whether the last check found the repository intact",
     &RepositoryGauges::integrity},
    {"stash_repository_status_last_check_timestamp_seconds", "When that check was", &RepositoryGauges::last_check},
    {"stash_repository_status_last_backup_timestamp_seconds", "When the last successful backup into it was",
     &RepositoryGauges::last_backup},
    {"stash_repository_status_wipe_out_held",
     "1 when it was deleted with so many others that its data stays until somebody confirms",
     &RepositoryGauges::wipe_out_held}};

}  // namespace

std::span<const GaugeOf<BackupGauges>> backup_gauges() { return kBackupGauges; }
std::span<const GaugeOf<RepositoryGauges>> repository_gauges() { return kRepositoryGauges; }

std::optional<TimePoint> last_success(const api::BackupConfiguration& configuration, const Sessions& sessions) {
  std::optional<TimePoint> last;
  for (const api::BackupSession& session : sessions) {
    if (session.status.phase != "Succeeded" || !is_about(session, configuration)) continue;
    last = std::max(last.value_or(TimePoint::min()), end_of(session));
  }
  return last;
}

BackupGauges gauges_of(const api::BackupConfiguration& configuration, const Sessions& sessions, const Json& cron_job,
                       TimePoint now) {
  BackupGauges gauges{.ns = configuration.metadata.ns,
                      .name = configuration.metadata.name,
                      .repository = configuration.spec.repository};
  if (const auto& target = configuration.spec.target) {
    gauges.target_kind = target->ref.kind;
    gauges.target_name = target->ref.name;
  }
  gauges.info = 1;
  gauges.created = unix_time(configuration.metadata.created);
  gauges.paused = flag(configuration.spec.paused);
  gauges.ready = flag(configuration.status.phase == "Ready");
  const auto success = std::max(last_success(configuration, sessions), configuration.status.last_success);
  if (success) gauges.last_success = unix_time(*success);
  gauges.never_succeeded = success ? 0 : seconds_since(configuration.metadata.created, now);
  add_sessions(gauges, configuration, sessions, now);
  if (const auto slots = slots_of(configuration, success, cron_job, now)) add_slots(gauges, *slots);
  return gauges;
}

RepositoryGauges gauges_of(const api::Repository& repository) {
  const api::RepositoryStatus& status = repository.status;
  RepositoryGauges gauges{.ns = repository.metadata.ns, .name = repository.metadata.name};
  if (const auto size = api::parse_size(status.total_size)) gauges.size = static_cast<double>(*size);
  if (status.last_backup_time) {
    gauges.snapshots = status.snapshot_count;
    gauges.last_backup = unix_time(*status.last_backup_time);
  }
  if (status.integrity) gauges.integrity = flag(*status.integrity);
  if (status.last_check_time) gauges.last_check = unix_time(*status.last_check_time);
  gauges.wipe_out_held = flag(api::is_held(repository));
  return gauges;
}

}  // namespace stash::controller
