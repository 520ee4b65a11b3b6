#include "controller/configuration_conditions.h"

#include <fmt/format.h>

#include "api/codec.h"
#include "api/names.h"
#include "controller/cron_job.h"
#include "controller/fields_honoured.h"
#include "controller/reasons.h"

namespace stash::controller {
namespace {

namespace names = api::names;

struct Subject {
  StatusDraft& status;
  const ConfigurationWorld& world;
  const api::BackupConfiguration& configuration;

  const std::string& ns() const { return configuration.metadata.ns; }
  std::string target() const {
    const auto& target = configuration.spec.target;
    return target ? fmt::format("{} {}/{}", target->ref.kind, ns(), target->ref.name) : "no target";
  }
};

void set_repository_found(const Subject& subject) {
  const std::string name = fmt::format("Repository {}/{}", subject.ns(), subject.configuration.spec.repository);
  if (subject.world.repository) {
    subject.status.set(names::kRepositoryFound, "True", reasons::kRepositoryAvailable, name + " exists");
  } else if (subject.configuration.spec.repository.empty()) {
    subject.status.set(names::kRepositoryFound, "False", reasons::kRepositoryNotAvailable,
                       "no Repository is named; set spec.repository.name");
  } else {
    subject.status.set(names::kRepositoryFound, "False", reasons::kRepositoryNotAvailable,
                       name + " does not exist; create it, or correct spec.repository.name");
  }
}

void set_secret_found(const Subject& subject) {
  const auto& repository = subject.world.repository;
  const auto unknown = [&](std::string why) {
    subject.status.set(names::kBackendSecretFound, "Unknown", reasons::kSecretUnknown, std::move(why));
  };
  if (!repository) return unknown("the Repository that names it does not exist");
  const api::Condition* said = api::find_condition(repository->status.conditions, names::kBackendSecretFound);
  const bool current = said && said->observed_generation == repository->metadata.generation;
  if (!current) return unknown("not looked at yet");
  subject.status.set(names::kBackendSecretFound, said->status, said->reason, said->message);
}

void set_target_found(const Subject& subject) {
  const auto& target = subject.configuration.spec.target;
  if (!target || api::workload_kind(target->ref) == nullptr) {
    subject.status.set(names::kBackupTargetFound, "False", reasons::kNotSupported,
                       !target ? "no target; set spec.target.ref"
                               : fmt::format("{} of {} is not supported by this version; supported: {}",
                                             subject.target(), target->ref.api_version, api::workload_kind_names()));
  } else if (subject.world.workload) {
    subject.status.set(names::kBackupTargetFound, "True", reasons::kTargetAvailable, subject.target() + " exists");
  } else {
    subject.status.set(names::kBackupTargetFound, "False", reasons::kTargetNotAvailable,
                       subject.target() + " does not exist; create it, or correct spec.target.ref");
  }
}

void set_sidecar_injected(const Subject& subject) {
  const auto say = [&](std::string_view status, std::string_view reason, std::string message) {
    subject.status.set(names::kSidecarInjected, status, reason, std::move(message));
  };
  const ConfigurationWorld& world = subject.world;
  if (!world.not_opted_in.empty()) return say("False", reasons::kNotOptedIn, world.not_opted_in);
  if (!world.workload) return say("False", reasons::kTargetNotAvailable, "there is no workload to inject into");
  if (!world.findings.empty()) {
    return say("False", inject::code_of(world.findings.front().reason), world.findings.front().message);
  }
  if (world.injection.up_to_date && world.workload->has_container) {
    if (const std::string& refusal = world.rollout.unclear_refusal; !refusal.empty()) {
      return say("True", inject::code_of(inject::Reason::pods_refused), refusal_text(subject.target(), refusal));
    }
    return say("True", reasons::kSidecarInjected, "the sidecar is in the pod template of " + subject.target());
  }
  if (!world.injection.error.empty()) {
    return say("False", reasons::kSidecarNotInjected,
               "the API server refused the update that lets the webhook inject: " + world.injection.error);
  }
  if (world.injection.asked_in_vain) {
    return say(
        "False", reasons::kSidecarNotInjected,
        fmt::format("{} was updated but came back without the sidecar; is stash-webhook running? It is tried again",
                    subject.target()));
  }
  // A new process does not know of nudges before its time; what was said stays until it is known better.
  const api::Condition* said = api::find_condition(subject.status.conditions(), names::kSidecarInjected);
  const bool refused = said && said->reason == inject::code_of(inject::Reason::workload_refused);
  if (said && said->status == "False" && (refused || said->reason == reasons::kSidecarNotInjected)) return;
  say("Unknown", reasons::kPending, "waiting for the sidecar to be injected into " + subject.target());
}

}  // namespace

void set_configuration_conditions(StatusDraft& status, const ConfigurationWorld& world,
                                  const api::BackupConfiguration& configuration, const CronJobOutcome& cron_job) {
  const Subject subject{status, world, configuration};
  set_repository_found(subject);
  set_secret_found(subject);
  set_target_found(subject);
  set_sidecar_injected(subject);
  if (cron_job.reason.empty()) {
    status.set(names::kCronJobCreated, "True", reasons::kCronJobCreated,
               fmt::format("CronJob {}/{} makes the sessions", configuration.metadata.ns,
                           cron_job_name(configuration.metadata.name)));
  } else {
    status.set(names::kCronJobCreated, "False", cron_job.reason, cron_job.message);
  }
  set_fields_honoured<api::BackupConfiguration>(status, world.configuration, world.remarks);
}

}  // namespace stash::controller
