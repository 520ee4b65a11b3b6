#include "inject/decision.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "api/workload_kind.h"
#include "inject/backend_objection.h"
#include "inject/configuration_rules.h"
#include "inject/repository_sharing.h"
#include "inject/restore_place.h"
#include "inject/restore_rules.h"
#include "inject/withdrawal.h"
#include "inject/workload_view.h"

namespace stash::inject {
namespace {

namespace names = api::names;

struct ReasonCode {
  Reason reason;
  std::string_view code;
};
constexpr ReasonCode kReasonCodes[] = {
    {Reason::repository_missing, "RepositoryMissing"},
    {Reason::secret_name_missing, "SecretNameMissing"},
    {Reason::secret_missing, "SecretMissing"},
    {Reason::backend_unsupported, "BackendUnsupported"},
    {Reason::driver_unsupported, "DriverUnsupported"},
    {Reason::container_name_taken, "ContainerNameTaken"},
    {Reason::pod_security, "PodSecurity"},
    {Reason::volume_missing, "VolumeMissing"},
    {Reason::mount_path_taken, "MountPathTaken"},
    {Reason::too_large, "TooLarge"},
    {Reason::namespace_not_opted_in, "NamespaceNotOptedIn"},
    {Reason::target_is_job_model, "TargetIsJobModel"},
    {Reason::malformed, "Malformed"},
    {Reason::workload_being_deleted, "WorkloadBeingDeleted"},
    {Reason::superseded, "Superseded"},
    {Reason::volume_name_taken, "VolumeNameTaken"},
    {Reason::windows_pod, "WindowsPod"},
    {Reason::managed_by_owner, "ManagedByOwner"},
    {Reason::shared_sidecar, "SharedSidecar"},
    {Reason::repository_not_durable, "RepositoryNotDurable"},
    {Reason::volume_not_shared, "VolumeNotShared"},
    {Reason::invalid, "Invalid"},
    {Reason::claim_missing, "ClaimMissing"},
    {Reason::host_path_not_allowed, "HostPathNotAllowed"},
    {Reason::pods_refused, "PodsRefused"},
    {Reason::image_pull_failed, "ImagePullFailed"},
    {Reason::volume_mount_failed, "VolumeMountFailed"},
    {Reason::pods_unschedulable, "PodsUnschedulable"},
    {Reason::workload_refused, "WorkloadRefused"},
    {Reason::sidecar_start_failed, "SidecarStartFailed"},
    {Reason::volume_is_device, "VolumeIsDevice"},
};

Finding withdrawal_finding(const api::Withdrawal& withdrawal, const std::string& object) {
  const std::string again = withdrawal.phase == names::kRetrying
                                ? "it is being tried again"
                                : fmt::format(
                                      "it is tried again at {}, or when the BackupConfiguration, its Repository or the "
                                      "chart's settings change",
                                      format_time(withdrawal.retry_at.value_or(TimePoint{})));
  const auto found = std::ranges::find(kReasonCodes, withdrawal.reason, &ReasonCode::code);
  return {found == std::end(kReasonCodes) ? Reason::pods_refused : found->reason, object,
          fmt::format("{}; {}", withdrawal.message, again)};
}

std::string label_of(const api::BackupConfiguration& configuration, const std::string& ns) {
  return "BackupConfiguration " + to_string(api::ObjectRef{ns, configuration.metadata.name});
}
std::string label_of(const api::RestoreSession& session, const std::string& ns) {
  return "RestoreSession " + to_string(api::ObjectRef{ns, session.metadata.name});
}

template <class Kind, class Held>
std::vector<const Held*> matching(const World& world, const std::vector<Held>& objects) {
  const std::string name = string_at(*world.workload, {"metadata", "name"});
  std::vector<const Held*> found;
  for (const Held& held : objects) {
    const Kind& object = held;
    if (object.metadata.being_deleted || !object.spec.target) continue;
    if (!object.metadata.ns.empty() && object.metadata.ns != world.ns) continue;
    if (names_workload(object.spec.target->ref, world.group, world.kind, name)) found.push_back(&held);
  }
  return found;
}

bool uses_restic(const std::string& driver) { return driver.empty() || driver == "Restic"; }

std::string driver_message(const std::string& driver) {
  return fmt::format("spec.driver {} is not supported; use Restic", driver);
}

std::string not_opted_in_message(const World& world, const Settings& settings) {
  if (std::ranges::find(settings.excluded_namespaces, world.ns) != settings.excluded_namespaces.end()) {
    return fmt::format("Stash never injects into namespace {}", world.ns);
  }
  if (settings.opt_in) {
    return fmt::format("namespace {0} has not asked for backups: kubectl label namespace {0} {1}=enabled", world.ns,
                       names::kInjectionLabel);
  }
  return fmt::format("namespace {} is labelled {}=disabled; remove the label", world.ns, names::kInjectionLabel);
}

/// What the controller found out about this very generation of the Repository.
bool is_known_missing(const api::Repository& repository, std::string_view condition) {
  const api::Condition* found = find_condition(repository.status.conditions, condition);
  return found != nullptr && found->status == "False" && found->observed_generation == repository.metadata.generation;
}

std::optional<Finding> secret_finding(const api::Repository& repository, const std::string& repository_label,
                                      const std::string& object) {
  if (repository.spec.backend.storage_secret_name.empty()) {
    return Finding{Reason::secret_name_missing, object,
                   repository_label + " names no Secret; set spec.backend.storageSecretName"};
  }
  if (is_known_missing(repository, names::kBackendSecretFound)) {
    return Finding{Reason::secret_missing, object,
                   fmt::format("Secret {} of {} does not exist; create it with RESTIC_PASSWORD in it",
                               repository.spec.backend.storage_secret_name, repository_label)};
  }
  return std::nullopt;
}

std::optional<Finding> claim_finding(const api::Repository& repository, const std::string& repository_label,
                                     const std::string& object) {
  const std::string claim = api::claim_name(repository.spec.backend);
  if (claim.empty() || !is_known_missing(repository, names::kBackendClaimFound)) return std::nullopt;
  return Finding{Reason::claim_missing, object,
                 fmt::format("PersistentVolumeClaim {} of {} does not exist; create it, and injection follows", claim,
                             repository_label)};
}

struct Usable {
  SharedRepository repository;
  std::shared_ptr<const RepositoryVolumes> volumes;
};

/// `volumes` gives those of a Repository.
Usable usable_repository(const World& world, const std::string& name, const std::string& object,
                         const Settings& settings, std::vector<Finding>& findings, const auto& volumes) {
  const std::string label = "Repository " + to_string(api::ObjectRef{world.ns, name});
  SharedRepository repository = world.repository ? world.repository(name) : nullptr;
  if (!repository) {
    const std::string message = name.empty() ? "spec.repository.name is missing; name a Repository"
                                             : label + " does not exist; create it, and injection follows";
    findings.push_back({Reason::repository_missing, object, message});
    return {};
  }
  std::optional<Finding> problem = secret_finding(*repository, label, object);
  if (!problem) problem = claim_finding(*repository, label, object);
  if (!problem) {
    auto its_volumes = volumes(repository);
    const auto objection = backend_objection(repository->spec.backend, *its_volumes, settings);
    if (!objection) return {std::move(repository), std::move(its_volumes)};
    problem = Finding{objection->reason, object, label + ": " + objection->message};
  }
  findings.push_back(*std::move(problem));
  return {};
}

void remark_on_repository(const World& world, const api::Repository& repository, const std::string& object,
                          Desired& desired) {
  const api::WorkloadKind* kind = api::workload_kind(world.group, world.kind);
  const std::string label = fmt::format("Repository {}/{}", world.ns, repository.metadata.name);
  std::string remark =
      lost_with_pods(label, repository.spec.backend, kind == nullptr ? api::HostScheme::single : kind->hosts);
  if (!remark.empty()) desired.remarks.push_back({Reason::repository_not_durable, object, std::move(remark)});
}

void decide_backup(const World& world, const Settings& settings, Desired& desired) {
  std::vector<SharedConfiguration> candidates;
  for (const SharedConfiguration* configuration : matching<api::BackupConfiguration>(world, world.configurations)) {
    const api::BackupConfiguration& candidate = *configuration;
    if (uses_restic(candidate.spec.driver)) {
      candidates.push_back(*configuration);
    } else {
      desired.findings.push_back(
          {Reason::driver_unsupported, label_of(candidate, world.ns), driver_message(candidate.spec.driver)});
    }
  }
  std::ranges::sort(candidates, [](const SharedConfiguration& left, const SharedConfiguration& right) {
    return std::tie(left->metadata.created, left->metadata.name) <
           std::tie(right->metadata.created, right->metadata.name);
  });
  for (const SharedConfiguration& configuration : candidates) {
    const std::string object = label_of(*configuration, world.ns);
    if (std::string why = unusable(*configuration, settings.exec_hooks); !why.empty()) {
      desired.findings.push_back({Reason::invalid, object, std::move(why)});
      desired.backups.push_back({.configuration = configuration});
      continue;
    }
    const std::size_t known = desired.findings.size();
    auto [repository, volumes] =
        usable_repository(world, configuration->spec.repository, object, settings, desired.findings,
                          [&](const SharedRepository& found) { return configuration.volumes(found); });
    bool must_go = desired.findings.size() > known && desired.findings.back().reason == Reason::claim_missing;
    bool held_back = false;
    if (repository) {
      const auto& withdrawal = configuration->status.withdrawal;
      switch (withdrawal_of(withdrawal, configuration->metadata, *repository, settings, world.nudge)) {
        case WithdrawalState::none:
          break;
        case WithdrawalState::renewable:
          desired.renew = true;
          break;
        case WithdrawalState::withdrawn:
          must_go = true;
          [[fallthrough]];
        case WithdrawalState::held_back:
          held_back = !must_go;
          desired.findings.push_back(withdrawal_finding(*withdrawal, object));
          repository.reset();
          volumes.reset();
      }
    }
    if (repository) remark_on_repository(world, *repository, object, desired);
    desired.backups.push_back({configuration, std::move(repository), std::move(volumes), must_go, held_back});
  }
}

/// One that works or has ended was accepted once, by whichever rules.
bool is_usable(const api::RestoreSession& session, const std::string& object, Desired& desired) {
  const bool accepted = session.status.phase == "Running" || session.status.phase == "Succeeded" || has_failed(session);
  if (accepted || was_tried(session)) return true;
  std::string why = unusable(session, {});
  if (why.empty()) return true;
  desired.findings.push_back({Reason::invalid, object, std::move(why)});
  return false;
}

std::vector<const api::RestoreSession*> restore_candidates(const World& world, Desired& desired) {
  std::vector<const api::RestoreSession*> candidates;
  for (const api::RestoreSession* session : matching<api::RestoreSession>(world, world.restores)) {
    const std::string object = label_of(*session, world.ns);
    if (session->spec.target->has_jobs) {
      desired.findings.push_back({Reason::target_is_job_model, object,
                                  "spec.target.replicas or volumeClaimTemplates ask for restore jobs, which this "
                                  "version does not run; leave them out to restore into the workload"});
    } else if (!uses_restic(session->spec.driver)) {
      desired.findings.push_back({Reason::driver_unsupported, object, driver_message(session->spec.driver)});
    } else if (session->status.phase != "Invalid" && is_usable(*session, object, desired)) {
      candidates.push_back(session);
    }
  }
  std::ranges::sort(candidates, [](const auto* left, const auto* right) {
    if (left->metadata.created != right->metadata.created) return left->metadata.created > right->metadata.created;
    return left->metadata.name < right->metadata.name;
  });
  return candidates;
}

/// Of the volumes that each pod has for itself, the data is where the restoring pod is, and goes with it.
void remark_on_volumes(const World& world, Desired& desired) {
  const api::RestoreSession& session = *desired.restore;
  const api::WorkloadKind* kind = api::workload_kind(world.group, world.kind);
  if (is_over(session) || kind == nullptr || kind->hosts == api::HostScheme::ordinals) return;
  for (const api::VolumeMount& mount : session.spec.target->volume_mounts) {
    const Json* volume = named(volumes_of(*world.workload), mount.name);
    if (volume == nullptr || !(volume->contains("emptyDir") || volume->contains("ephemeral"))) continue;
    desired.remarks.push_back(
        {Reason::volume_not_shared, label_of(session, world.ns),
         fmt::format("volume {} is an {} volume, so each pod has its own: {}a pod that takes the place of another "
                     "starts empty",
                     mount.name, volume->contains("emptyDir") ? "emptyDir" : "ephemeral",
                     kind->hosts == api::HostScheme::single ? "only the first pod gets the data, and " : "")});
  }
}

void decide_restore(const World& world, const Settings& settings, Desired& desired) {
  const auto candidates = restore_candidates(world, desired);
  if (candidates.empty()) return;
  const api::RestoreSession& newest = *candidates.front();
  for (const api::RestoreSession* other : candidates) {
    if (other == &newest || is_over(*other)) continue;
    desired.findings.push_back(
        {Reason::superseded, label_of(*other, world.ns),
         fmt::format("{} restores the same workload and is newer; delete this one", label_of(newest, world.ns))});
  }
  const auto found = std::ranges::find_if(
      candidates, [&](const api::RestoreSession* session) { return is_injected(*world.workload, *session); });
  const api::RestoreSession* injected = found == candidates.end() ? nullptr : *found;
  desired.restore_at_work = injected != nullptr && !is_over(*injected);

  // A restore that failed before it reached the pod must not begin with some later update of the workload, over data
  // that is newer than its snapshot.
  const bool may_begin = &newest == injected || !has_failed(newest);
  if (!is_over(newest) && may_begin) {
    const std::string object = label_of(newest, world.ns);
    auto [repository, volumes] =
        usable_repository(world, newest.spec.repository, object, settings, desired.findings,
                          [](const SharedRepository& found) { return volumes_of(found->spec.backend); });
    const auto& withdrawal = newest.status.withdrawal;
    if (repository &&
        withdrawal_of(withdrawal, newest.metadata, *repository, settings, world.nudge) == WithdrawalState::held_back) {
      desired.findings.push_back({Reason::workload_refused, object,
                                  withdrawal->message + "; it is tried again while this RestoreSession waits"});
      repository.reset();
      volumes.reset();
      // Nor does what an older one left go: that would restart the pods, and help nobody.
      if (injected != nullptr) {
        desired.restore = *injected;
        return;
      }
    }
    const bool accepted = newest.status.phase == "Pending" || newest.status.phase == "Running";
    if (!desired.restore_at_work || &newest == injected || (accepted && repository)) {
      desired.restore = newest;
      desired.restore_repository = std::move(repository);
      desired.restore_volumes = std::move(volumes);
      return;
    }
  }
  if (injected != nullptr) desired.restore = *injected;
}

void refuse_all(const World& world, Reason reason, const std::string& message, Desired& desired) {
  for (const auto* configuration : matching<api::BackupConfiguration>(world, world.configurations)) {
    desired.findings.push_back({reason, label_of(**configuration, world.ns), message});
  }
  for (const auto* session : matching<api::RestoreSession>(world, world.restores)) {
    desired.findings.push_back({reason, label_of(*session, world.ns), message});
  }
}

}  // namespace

std::string_view code_of(Reason reason) {
  const auto found = std::ranges::find(kReasonCodes, reason, &ReasonCode::reason);
  return found == std::end(kReasonCodes) ? "Unknown" : found->code;
}

bool names_workload(const api::TargetRef& ref, std::string_view group, std::string_view kind, std::string_view name) {
  if (name.empty() || ref.name != name || ref.kind != kind) return false;
  return api::workload_group(ref.api_version) == (group == "extensions" ? "apps" : group);
}

Desired decide(const World& world, const Settings& settings) {
  Desired desired;
  if (world.workload == nullptr) return desired;
  if (!namespace_wants_injection(settings, world.ns, world.namespace_labels)) {
    refuse_all(world, Reason::namespace_not_opted_in, not_opted_in_message(world, settings), desired);
    return desired;
  }
  const Json* deleted_at = at(*world.workload, {"metadata", "deletionTimestamp"});
  if (deleted_at != nullptr && !deleted_at->is_null()) {
    refuse_all(world, Reason::workload_being_deleted, "the workload is being deleted", desired);
    return desired;
  }
  if (const std::string owner = template_owner(*world.workload, world.kind); !owner.empty()) {
    refuse_all(world, Reason::managed_by_owner,
               fmt::format("{} {} belongs to {}, which writes its pod template; name that one in spec.target.ref",
                           world.kind, string_at(*world.workload, {"metadata", "name"}), owner),
               desired);
    return desired;
  }
  decide_backup(world, settings, desired);
  decide_restore(world, settings, desired);
  if (desired.restore) remark_on_volumes(world, desired);
  return desired;
}

}  // namespace stash::inject
