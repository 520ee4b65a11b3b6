#include "controller/configuration_ready.h"

#include <fmt/format.h>

#include <optional>

#include "api/names.h"
#include "api/schedule.h"
#include "api/workload_kind.h"
#include "controller/reasons.h"
#include "inject/configuration_rules.h"
#include "inject/repository_sharing.h"

namespace stash::controller {
namespace {

namespace names = api::names;

struct Doubt {
  std::string_view reason;
  std::string message;
};

/// Each session will fail.
std::optional<Doubt> path_is_not_mounted(const api::BackupConfiguration& configuration) {
  std::string why = inject::unmounted_paths(*configuration.spec.target);
  if (why.empty()) return std::nullopt;
  return Doubt{reasons::kPathNotMounted, "each backup will fail: " + std::move(why)};
}

/// The API server takes such a schedule, and nothing ever happens.
std::optional<Doubt> schedule_is_never_due(const api::BackupConfiguration& configuration) {
  const auto schedule = api::parse_schedule(configuration.spec.schedule);
  if (!schedule || api::is_ever_due(*schedule)) return std::nullopt;
  return Doubt{reasons::kScheduleNeverDue,
               fmt::format("spec.schedule {:?} is due on no day of the calendar, so it begins no backup; correct it",
                           configuration.spec.schedule)};
}

std::string good_message(const api::BackupConfiguration& configuration,
                         const std::optional<api::Repository>& repository) {
  const api::BackupConfigurationSpec& spec = configuration.spec;
  std::string message = "backups run by the schedule";
  if (spec.paused) message = "paused, so the schedule begins no backup; set spec.paused to false to go on";
  if (!keeps_something(spec.retention_policy)) {
    message +=
        spec.retention_policy.keep_tags.empty()
            ? "; spec.retentionPolicy keeps all snapshots"
            : "; Stash's snapshots have no tags of yours, so by spec.retentionPolicy.keepTags alone none would be "
              "kept, and all of them are";
    message += ", so the repository only grows: set keepLast or another of its rules";
  }
  const api::WorkloadKind* kind = spec.target ? api::workload_kind(spec.target->ref) : nullptr;
  if (repository && kind != nullptr) {
    const std::string label = fmt::format("Repository {}/{}", configuration.metadata.ns, repository->metadata.name);
    const std::string apart = inject::apart_on_nodes(label, repository->spec.backend, kind->hosts);
    if (!apart.empty()) message += "; " + apart;
  }
  return message;
}

}  // namespace

void set_ready(StatusDraft& status, const api::BackupConfiguration& configuration,
               const std::optional<api::Repository>& repository, const std::string& unusable_because) {
  const auto not_ready = [&](std::string_view phase, std::string_view reason, std::string message) {
    status.json["phase"] = phase;
    status.set(names::kReady, "False", reason, std::move(message));
  };
  if (!unusable_because.empty()) return not_ready("Invalid", reasons::kInvalid, unusable_because);
  for (const std::string_view type : {names::kRepositoryFound, names::kBackendSecretFound, names::kBackupTargetFound,
                                      names::kSidecarInjected, names::kCronJobCreated, names::kCronJobHealthy}) {
    const api::Condition* found = api::find_condition(status.conditions(), type);
    if (!found || found->status == "True") continue;
    const std::string reason = found->reason;
    return not_ready("NotReady", reason, found->message);
  }
  if (auto doubt = path_is_not_mounted(configuration)) return not_ready("NotReady", doubt->reason, doubt->message);
  if (auto doubt = schedule_is_never_due(configuration)) {
    return not_ready("NotReady", doubt->reason, doubt->message);
  }
  status.json["phase"] = "Ready";
  status.set(names::kReady, "True", reasons::kAllGood, good_message(configuration, repository));
}

bool speaks_for_itself(const api::Condition& ready) {
  return ready.reason == reasons::kPathNotMounted || ready.reason == reasons::kScheduleNeverDue;
}

}  // namespace stash::controller
