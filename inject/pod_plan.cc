#include "inject/pod_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "api/names.h"
#include "base/hash.h"
#include "inject/applied.h"
#include "inject/containers.h"
#include "inject/pod_policy.h"
#include "inject/runtime_settings.h"
#include "inject/workload_view.h"

namespace stash::inject {
namespace {

namespace names = api::names;

/// A BackupConfiguration or a RestoreSession, seen as one.
struct Request {
  std::string object;  ///< "BackupConfiguration demo/web"
  std::string name;    ///< of that object
  std::string_view container_name;
  const Json* live;                   ///< our container in the workload; nullptr: none
  const api::Repository* repository;  ///< nullptr: leave alone what is there
  const api::RuntimeSettings& runtime;
  const api::TempDir& temp_dir;
  const std::vector<api::VolumeMount>& mounts;
  MountedBy mounted_by;
  ContainerPlan& plan;
  Json applied;
  std::function<Json(const ContainerInputs&)> build;
};

Request backup_request(const World& world, const Desired& desired, PodPlan& plan) {
  const api::BackupConfiguration& backup = *desired.backup;
  const api::Repository* repository = desired.backup_repository ? &*desired.backup_repository : nullptr;
  return {.object = "BackupConfiguration " + to_string(api::ObjectRef{world.ns, backup.metadata.name}),
          .name = backup.metadata.name,
          .container_name = names::kSidecar,
          .live = sidecar_of(*world.workload),
          .repository = repository,
          .runtime = backup.spec.runtime_settings,
          .temp_dir = backup.spec.temp_dir,
          .mounts = backup.spec.target->volume_mounts,
          .mounted_by = &PlannedVolume::sidecar,
          .plan = plan.sidecar,
          .applied = applied_object(backup),
          .build = [&backup, repository](const ContainerInputs& inputs) {
            return sidecar_container(backup, *repository, inputs);
          }};
}

Request restore_request(const World& world, const Desired& desired, PodPlan& plan) {
  const api::RestoreSession& restore = *desired.restore;
  const api::Repository* repository = desired.restore_repository ? &*desired.restore_repository : nullptr;
  return {.object = "RestoreSession " + to_string(api::ObjectRef{world.ns, restore.metadata.name}),
          .name = restore.metadata.name,
          .container_name = names::kInitContainer,
          .live = init_container_of(*world.workload),
          .repository = repository,
          .runtime = restore.spec.runtime_settings,
          .temp_dir = restore.spec.temp_dir,
          .mounts = restore.spec.target->volume_mounts,
          .mounted_by = &PlannedVolume::init_container,
          .plan = plan.init_container,
          .applied = applied_object(restore),
          .build = [&restore, repository](const ContainerInputs& inputs) {
            return init_container(restore, *repository, inputs);
          }};
}

class PodPlanner {
 public:
  PodPlanner(const World& world, const Settings& settings, const Desired& desired)
      : world_(world), settings_(settings), level_(pod_security_of(world.namespace_labels)), volumes_(*world.workload) {
    plan_.findings = desired.findings;
    if (desired.backup) requests_.push_back(backup_request(world, desired, plan_));
    if (desired.restore) requests_.push_back(restore_request(world, desired, plan_));
  }
  PodPlanner(const PodPlanner&) = delete;
  PodPlanner& operator=(const PodPlanner&) = delete;

  PodPlan plan() && {
    // What stays as it is goes first: its volumes are not to be had for the other.
    std::vector<std::optional<ContainerSettings>> settings;
    settings.reserve(requests_.size());
    for (const Request& request : requests_) settings.push_back(settings_for(request));
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if (!settings[i]) leave_alone(requests_[i]);
    }
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if (settings[i] && !want(requests_[i], *settings[i])) leave_alone(requests_[i]);
    }
    plan_.volumes = volumes_.volumes();
    return std::move(plan_);
  }

 private:
  const Json& workload() const { return *world_.workload; }

  void report(const Request& request, Reason reason, const std::string& message) {
    Finding finding{reason, request.object, message};
    if (std::ranges::find(plan_.findings, finding) == plan_.findings.end()) {
      plan_.findings.push_back(std::move(finding));
    }
  }

  std::optional<ContainerSettings> settings_for(const Request& request) {
    if (request.repository == nullptr) return std::nullopt;
    Result<ContainerSettings> settings = container_settings(request.runtime);
    if (settings) return *std::move(settings);
    report(request, Reason::malformed, settings.error().message);
    return std::nullopt;
  }

  // A container that works for this very object stays, unless it would make the pod one that cannot be created.
  void leave_alone(const Request& request) {
    if (request.live == nullptr || invoker_of(*request.live) != request.name) return;
    if (!has_its_volumes(workload(), *request.live)) return;
    VolumePlan volumes = volumes_;
    volumes.keep(*request.live, request.mounted_by);
    const auto obstacle = pod_security_obstacle(level_, world_.ns, *request.live, volumes.mounted(request.mounted_by));
    if (obstacle) return report(request, obstacle->reason, obstacle->message);
    volumes_ = volumes;
    request.plan.fate = ContainerPlan::Fate::untouched;
    for (const std::string& secret : recorded_pull_secrets(workload())) add_pull_secret(secret);
  }

  bool want(const Request& request, const ContainerSettings& runtime) {
    if (!is_bearable(request)) return false;
    VolumePlan volumes = volumes_;
    Json sources = Json::array();
    const auto choice = choose_volumes(request, volumes, sources);
    if (!choice) return false;
    Json container = request.build({workload(), settings_, runtime, *choice, level_});
    const auto obstacle = pod_security_obstacle(level_, world_.ns, container, volumes.mounted(request.mounted_by));
    if (obstacle) {
      report(request, obstacle->reason, obstacle->message);
      return false;
    }
    volumes_ = volumes;
    const Json hashed = {{"container", container}, {"volumes", std::move(sources)}};
    request.plan = {.fate = ContainerPlan::Fate::wanted,
                    .container = std::move(container),
                    .hash = std::to_string(fnv1a(dump_json(hashed))),
                    .applied = request.applied};
    for (const std::string& secret : pull_secrets_of(request.runtime)) add_pull_secret(secret);
    for (const std::string& secret : settings_.image_pull_secrets) add_pull_secret(secret);
    return true;
  }

  bool is_bearable(const Request& request) {
    if (is_windows(workload())) {
      report(request, Reason::windows_pod, "its pods run on Windows, where Stash's image does not run");
      return false;
    }
    if (name_is_taken(workload(), request.container_name)) {
      report(request, Reason::container_name_taken,
             fmt::format("the pod template has a container named {} that is not Stash's; rename it",
                         request.container_name));
      return false;
    }
    const auto obstacle = mount_obstacle(workload(), request.mounts, *request.repository->spec.backend.local);
    if (obstacle) report(request, obstacle->reason, obstacle->message);
    return !obstacle;
  }

  std::optional<VolumeChoice> choose_volumes(const Request& request, VolumePlan& volumes, Json& sources) {
    const Result<Json> tmp = tmp_source(request.temp_dir);
    const Result<Json> local = local_source(*request.repository->spec.backend.local);
    if (!tmp || !local) {
      report(request, Reason::malformed, (tmp ? local : tmp).error().message);
      return std::nullopt;
    }
    const Json podinfo = podinfo_source();
    const Json secret = secret_source(request.repository->spec.backend.storage_secret_name);
    const MountedBy by = request.mounted_by;
    const auto taken = [&](const VolumeNames& candidates, const std::optional<std::string>& name) {
      if (!name) {
        report(request, Reason::volume_name_taken,
               fmt::format("the pod template has a volume named {} that is not Stash's; rename it", candidates.back()));
      }
      return name.value_or("");
    };
    // Both containers use one tmp volume: the backup's, which is asked for first.
    const VolumeChoice choice = {
        .tmp = taken(tmp_volume_names(), volumes.share_or_choose(tmp_volume_names(), *tmp, by)),
        .podinfo = taken(podinfo_volume_names(), volumes.choose(podinfo_volume_names(), podinfo, by)),
        .secret = taken(secret_volume_names(), volumes.choose(secret_volume_names(), secret, by)),
        .local = taken(local_volume_names(), volumes.choose(local_volume_names(), *local, by))};
    // As asked for, not as found: what the API server adds must not change the hash.
    sources = Json::array({*tmp, podinfo, secret, *local});
    const bool complete =
        !choice.tmp.empty() && !choice.podinfo.empty() && !choice.secret.empty() && !choice.local.empty();
    return complete ? std::optional(choice) : std::nullopt;
  }

  void add_pull_secret(const std::string& name) {
    if (!name.empty() && std::ranges::find(plan_.pull_secrets, name) == plan_.pull_secrets.end()) {
      plan_.pull_secrets.push_back(name);
    }
  }

  const World& world_;
  const Settings& settings_;
  PodSecurity level_;
  PodPlan plan_;
  VolumePlan volumes_;
  std::vector<Request> requests_;
};

}  // namespace

PodPlan plan_pod(const World& world, const Settings& settings, const Desired& desired) {
  return PodPlanner(world, settings, desired).plan();
}

}  // namespace stash::inject
