#include "controller/configuration_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "api/names.h"
#include "controller/configuration_conditions.h"
#include "controller/configuration_ready.h"
#include "controller/cron_job.h"
#include "controller/cron_job_health.h"
#include "controller/invoker_labels.h"
#include "controller/owned_object.h"
#include "controller/reasons.h"
#include "inject/configuration_rules.h"
#include "inject/runtime_settings.h"

namespace stash::controller {
namespace {

namespace names = api::names;
using api::BackupConfiguration;

const Json* existing(const Json& live) { return live.is_object() ? &live : nullptr; }

/// Why there must be no CronJob: its sessions could never run.
CronJobOutcome unwanted(const ConfigurationWorld& world, const BackupConfiguration& configuration, bool exec_hooks) {
  if (const std::string why = inject::unusable(configuration, exec_hooks); !why.empty())
    return {std::string(reasons::kInvalid), why};
  if (configuration.spec.schedule.empty()) {
    return {std::string(reasons::kInvalid), "no schedule; set spec.schedule, five fields as in \"0 3 * * *\""};
  }
  if (!world.not_opted_in.empty()) return {std::string(reasons::kNotOptedIn), world.not_opted_in};
  return {};
}

void drop_all(Plan& plan, const ConfigurationWorld& world) {
  const Json owners = Json::array({owner_reference(api::kBackupConfigurations, api::meta_of(world.configuration))});
  drop_owned(plan, api::kCronJobs, existing(world.cron_job), owners);
  drop_owned(plan, api::kRoleBindings, existing(world.role_binding), owners);
  drop_owned(plan, api::kRoles, existing(world.role), owners);
  drop_owned(plan, api::kServiceAccounts, existing(world.service_account), owners);
}

CronJobOutcome plan_cron_job(Plan& plan, const ConfigurationWorld& world, const CronJobObjects& wanted) {
  struct Part {
    const api::Resource& resource;
    const Json& wanted;
    const Json& live;
  };
  // The CronJob comes last: its pods need the others.
  const Part parts[] = {{api::kServiceAccounts, wanted.service_account, world.service_account},
                        {api::kRoles, wanted.role, world.role},
                        {api::kRoleBindings, wanted.role_binding, world.role_binding},
                        {api::kCronJobs, wanted.cron_job, world.cron_job}};
  Plan writes;
  for (const Part& part : parts) {
    if (part.wanted.is_null()) continue;
    if (plan_owned(writes, part.resource, part.wanted, existing(part.live)) != Owned::taken) continue;
    const std::string owner = other_owner_of(part.live, array_at(part.wanted, {"metadata", "ownerReferences"}));
    return {std::string(reasons::kNameTaken),
            fmt::format("{} {}/{} exists already and is {}, so it is left alone; rename {}", part.resource.kind,
                        string_at(part.wanted, {"metadata", "namespace"}), string_at(part.wanted, {"metadata", "name"}),
                        owner.empty() ? "not Stash's" : "that of " + owner,
                        owner.empty() ? "it, or the BackupConfiguration" : "one of the two BackupConfigurations")};
  }
  std::move(writes.writes.begin(), writes.writes.end(), std::back_inserter(plan.writes));
  return {};
}

/// A CronJob that is there may still bring no backup about.
void set_cron_job_healthy(Plan& plan, StatusDraft& status, const ConfigurationWorld& world,
                          const BackupConfiguration& configuration, bool wanted) {
  const CronJobHealth health =
      wanted ? health_of(configuration, world.cron_job, world.last_session, world.now) : CronJobHealth();
  if (health.look_again_in) look_again(plan, *health.look_again_in);
  const auto look_at = [&](std::string_view kind) {
    return fmt::format("; see: kubectl -n {} describe {} -l {}={}", configuration.metadata.ns, kind,
                       names::kInvokerNameLabel, api::configuration_label(configuration.metadata.name));
  };
  switch (health.state) {
    case CronJobHealth::State::open:
      if (api::find_condition(status.conditions(), names::kCronJobHealthy)) return;
      [[fallthrough]];
    case CronJobHealth::State::good:
      return status.set(names::kCronJobHealthy, "True", reasons::kAllGood, "no Job of the CronJob has failed lately");
    case CronJobHealth::State::missed:
      return status.set(
          names::kCronJobHealthy, "False", reasons::kJobMissed,
          "the schedule was due, but no Job of the CronJob was made, so no backup was begun; perhaps a quota or "
          "policy refuses it (event FailedCreate), or kube-controller-manager is away" +
              look_at("cronjobs"));
    case CronJobHealth::State::failed:
      return status.set(names::kCronJobHealthy, "False", reasons::kJobFailed,
                        "the last Job of the CronJob failed, so no backup was begun" + look_at("jobs,pods"));
    case CronJobHealth::State::stuck:
      return status.set(names::kCronJobHealthy, "False", reasons::kJobStuck,
                        "a Job of the CronJob does not end, so no backup was begun" + look_at("jobs,pods"));
  }
}

/// A condition that is False, or a sidecar that is there and with which pods are refused all the same.
bool is_bad_news(const api::Condition& condition) {
  return condition.status == "False" || condition.reason == inject::code_of(inject::Reason::pods_refused);
}

/// An event for each condition that became bad news, or for another reason. Ready mostly repeats one of the others.
void warn_of_transitions(Plan& plan, const std::vector<api::Condition>& before, const StatusDraft& status) {
  for (const api::Condition& condition : status.conditions()) {
    if (!is_bad_news(condition)) continue;
    if (condition.type == names::kReady && !speaks_for_itself(condition)) continue;
    const api::Condition* old = api::find_condition(before, condition.type);
    if (old && old->status == condition.status && old->reason == condition.reason) continue;
    // One cause, one event: without the opt-in neither sidecar nor CronJob can be.
    const bool repeated = std::any_of(plan.notes.begin(), plan.notes.end(),
                                      [&](const Note& note) { return note.message == condition.message; });
    if (!repeated) warn(plan, condition.reason, condition.message);
  }
}

/// What /metrics counts from, kept here so that it outlives sessions and controllers.
void set_times(StatusDraft& status, const ConfigurationWorld& world, const BackupConfiguration& configuration) {
  status.json["observedGeneration"] = configuration.metadata.generation;
  if (configuration.status.observed_generation != configuration.metadata.generation) {
    status.json["generationObservedTime"] = format_time(world.now);
  }
  const auto& known = configuration.status.last_success;
  if (world.last_success && (!known || *known < *world.last_success)) {
    status.json["lastSuccessfulTime"] = format_time(*world.last_success);
  }
}

/// The injector reads it with the next look at the workload, which this write wakes.
void set_withdrawal(Plan& plan, StatusDraft& status, const ConfigurationWorld& world,
                    const BackupConfiguration& configuration) {
  const auto& target = configuration.spec.target;
  if (!world.workload || !target) return;
  const auto withdrawal = plan_withdrawal(
      {.configuration = configuration,
       .repository_generation = world.repository ? world.repository->metadata.generation : 0,
       .workload = fmt::format("{} {}/{}", target->ref.kind, configuration.metadata.ns, target->ref.name),
       .rollout = world.rollout,
       .refused =
           refused_for(world.injection, "BackupConfiguration " + to_string(configuration.metadata.ref()), world.now),
       .up_to_date = world.injection.up_to_date,
       .now = world.now});
  if (withdrawal) {
    status.json["withdrawal"] =
        api::encode_status(api::BackupConfigurationStatus{.withdrawal = withdrawal})["withdrawal"];
  } else {
    status.json.erase("withdrawal");
  }
  const auto look =
      look_at_rollout_in(withdrawal, world.rollout, sidecar_known_since(status.conditions(), world.now), world.now);
  if (look) look_again(plan, *look);
}

void say_unreadable(Plan& plan, const ConfigurationWorld& world, const Error& error) {
  if (already_says(world.configuration, error.message)) return;
  StatusDraft status(world.configuration, {}, world.now);
  status.json["phase"] = "Invalid";
  status.json["observedGeneration"] = int_at(world.configuration, {"metadata", "generation"});
  status.set(names::kReady, "False", reasons::kInvalid, error.message);
  write_status(plan, api::kBackupConfigurations, world.configuration, status.finish());
  warn(plan, reasons::kInvalid, error.message);
}

}  // namespace

Plan plan_configuration(const ConfigurationWorld& world, const inject::Settings& settings) {
  Plan plan;
  // First: it need not be readable for that, and whoever deletes it, or its namespace, waits.
  if (api::meta_of(world.configuration).being_deleted) {
    release_legacy_finalizers(plan, api::kBackupConfigurations, world.configuration);
    // Somebody's finalizer may hold it for long, and its workload has no sidecar any more: no slot is to fire.
    drop_all(plan, world);
    return plan;
  }
  for (const api::ObjectMeta& other : world.other_cron_jobs) remove_object(plan, api::kCronJobs, other);
  for (const api::ObjectMeta& other : world.other_service_accounts) remove_object(plan, api::kServiceAccounts, other);
  const auto configuration = api::decode<BackupConfiguration>(world.configuration);
  if (!configuration) {
    // Their sessions would fail one by one, and none would remove them.
    drop_all(plan, world);
    say_unreadable(plan, world, configuration.error());
    return plan;
  }

  // What cannot be is left as it is: the schedule may have changed all the same.
  const auto placement = inject::pod_placement(configuration->spec.runtime_settings);
  const CronJobObjects wanted = cron_job_objects(*configuration, settings, world.job_resources,
                                                 placement ? *placement : placement_of(world.cron_job));
  CronJobOutcome outcome = unwanted(world, *configuration, settings.exec_hooks);
  if (!outcome.reason.empty()) {
    drop_all(plan, world);
  } else if (!world.refused.empty()) {
    outcome = {std::string(reasons::kCronJobNotCreated), world.refused};
  } else {
    outcome = plan_cron_job(plan, world, wanted);
    if (outcome.reason.empty() && !placement) {
      outcome = {std::string(reasons::kCronJobNotCreated),
                 placement.error().message + "; its pods are placed as they were before, or as if it said nothing"};
    }
  }

  StatusDraft status(world.configuration, configuration->status.conditions, world.now);
  set_configuration_conditions(status, world, *configuration, outcome);
  set_cron_job_healthy(plan, status, world, *configuration, outcome.reason.empty());
  set_ready(status, *configuration, world.repository, inject::unusable(*configuration, settings.exec_hooks));
  set_times(status, world, *configuration);
  set_withdrawal(plan, status, world, *configuration);
  warn_of_transitions(plan, configuration->status.conditions, status);
  write_status(plan, api::kBackupConfigurations, world.configuration, status.finish());
  return plan;
}

}  // namespace stash::controller
