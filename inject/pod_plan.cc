#include "inject/pod_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "api/names.h"
#include "base/hash.h"
#include "inject/applied.h"
#include "inject/container_draft.h"
#include "inject/resources.h"
#include "inject/restore_place.h"
#include "inject/workload_view.h"

namespace stash::inject {
namespace {

namespace names = api::names;

/// One of our two containers, and the objects that it shall work for.
struct Request {
  std::string_view container_name;
  const Json* live;  ///< our container in the workload; nullptr: none
  std::vector<Share> shares;
  bool keep_whatever = false;  ///< what is there stays unless another takes its place
  std::string uid = {};        ///< to be stated on the template
  MountedBy mounted_by;
  ContainerPlan& plan;
  decltype(&sidecar_identity) identity;
  std::function<std::shared_ptr<const MadeContainer>(ContainerInputs)> make;
  std::function<std::shared_ptr<const Value>(const std::string& first)> applied;  ///< of the first of the objects
};

std::vector<std::string> names_of(const std::vector<const Share*>& shares) {
  std::vector<std::string> found;
  found.reserve(shares.size());
  for (const Share* share : shares) found.push_back(share->name);
  return found;
}

const SharedConfiguration& named_by(const Desired& desired, const std::string& name) {
  return std::ranges::find(desired.backups, name, [](const Served& each) { return each.configuration->metadata.name; })
      ->configuration;
}

Request backup_request(const World& world, const PodTemplate& pod, const Desired& desired, PodPlan& plan) {
  Request request{.container_name = names::kSidecar,
                  .live = sidecar_of(pod),
                  .shares = {},
                  .mounted_by = &PlannedVolume::sidecar,
                  .plan = plan.sidecar,
                  .identity = sidecar_identity,
                  .make =
                      [&desired](ContainerInputs inputs) {
                        const SharedConfiguration& last = named_by(desired, inputs.objects.back());
                        return last.sidecar(std::move(inputs));
                      },
                  .applied = [&desired](const std::string& first) { return named_by(desired, first).applied(); }};
  for (const Served& served : desired.backups) {
    const api::BackupConfiguration& backup = *served.configuration;
    request.shares.push_back(
        {.object = "BackupConfiguration " + to_string(api::ObjectRef{world.ns, backup.metadata.name}),
         .name = backup.metadata.name,
         .repository = served.repository.get(),
         .volumes = served.volumes,
         .must_go = served.must_go,
         .held_back = served.held_back,
         .runtime = &backup.spec.runtime_settings,
         .temp_dir = &backup.spec.temp_dir,
         .wishes = served.configuration.wishes(),
         .mounts = &backup.spec.target->volume_mounts});
  }
  return request;
}

Request restore_request(const World& world, const PodTemplate& pod, const Desired& desired, PodPlan& plan) {
  const api::RestoreSession& restore = *desired.restore;
  return {.container_name = names::kInitContainer,
          .live = init_container_of(pod),
          .shares = {{.object = "RestoreSession " + to_string(api::ObjectRef{world.ns, restore.metadata.name}),
                      .name = restore.metadata.name,
                      .repository = desired.restore_repository.get(),
                      .volumes = desired.restore_volumes,
                      .runtime = &restore.spec.runtime_settings,
                      .temp_dir = &restore.spec.temp_dir,
                      .wishes = wishes_of(restore.spec.runtime_settings, restore.spec.temp_dir),
                      .mounts = &restore.spec.target->volume_mounts}},
          .keep_whatever = desired.restore_at_work,
          .uid = uid_to_state(*world.workload, restore),
          .mounted_by = &PlannedVolume::init_container,
          .plan = plan.init_container,
          .identity = init_container_identity,
          .make = make_init_container,
          .applied = [&restore](const std::string&) { return applied(restore); }};
}

class PodPlanner {
 public:
  PodPlanner(const World& world, const Settings& settings, const Desired& desired)
      : world_(world),
        settings_(settings),
        level_(pod_security_of(world.namespace_labels)),
        pod_(*world.workload),
        volumes_(pod_) {
    plan_.findings = desired.findings;
    plan_.remarks = desired.remarks;
    plan_.renew = desired.renew || world.upgrade;
    if (!desired.backups.empty()) requests_.push_back(backup_request(world, pod_, desired, plan_));
    if (desired.restore) requests_.push_back(restore_request(world, pod_, desired, plan_));
  }
  PodPlanner(const PodPlanner&) = delete;
  PodPlanner& operator=(const PodPlanner&) = delete;

  PodPlan plan() && {
    // What stays as it is goes first: its volumes are not to be had for the other.
    const auto is_hopeless = [](const Request& request) {
      return std::ranges::none_of(request.shares, [](const Share& share) { return share.repository != nullptr; });
    };
    for (const Request& request : requests_) {
      if (is_hopeless(request)) leave_alone(request);
    }
    for (const Request& request : requests_) {
      if (!is_hopeless(request) && !want(request)) leave_alone(request);
    }
    if (refused_for_a_restore_) {
      for (const Request* request : let_go_) keep(*request);
    }
    plan_.volumes = std::move(volumes_).volumes();
    return std::move(plan_);
  }

 private:
  void report(const Share& share, Reason reason, const std::string& message) {
    Finding finding{reason, share.object, message};
    if (std::ranges::find(plan_.findings, finding) == plan_.findings.end()) {
      plan_.findings.push_back(std::move(finding));
    }
  }
  void report_all(const Request& request, Reason reason, const std::string& message) {
    for (const Share& share : request.shares) report(share, reason, message);
  }

  static bool is_served(const Request& request, const Share& share) {
    if (request.live == nullptr) return false;
    const std::vector<std::string> served = invokers_of(*request.live);
    return std::ranges::find(served, share.name) != served.end();
  }

  /// Its backups go on, and would not without it.
  static const Share* served_and_held_back(const Request& request) {
    const auto found = std::ranges::find_if(
        request.shares, [&](const Share& share) { return share.held_back && is_served(request, share); });
    return found == request.shares.end() ? nullptr : &*found;
  }
  static std::string waits_for(const Share& held) {
    return fmt::format(
        "the sidecar stays as it is, for it backs up for {}, of which a change is refused: see its condition "
        "StashSidecarInjected, and correct it or the policy",
        held.object);
  }

  // A container that works for one of these objects stays, unless it would make the pod one that cannot be created.
  // That of a restore at work stays even then: better no pod than an application on half-restored data.
  void leave_alone(const Request& request) {
    if (request.live == nullptr) return;
    const bool must_go = std::ranges::any_of(
        request.shares, [&](const Share& share) { return share.must_go && is_served(request, share); });
    if (must_go) return;
    const bool known =
        std::ranges::any_of(request.shares, [&](const Share& share) { return is_served(request, share); });
    if (!(known || request.keep_whatever) || !has_its_volumes(pod_, *request.live)) return;
    VolumePlan volumes = volumes_;
    volumes.keep(*request.live, request.mounted_by);
    const auto obstacle = pod_security_obstacle(level_, world_.ns, *request.live, volumes.mounted(request.mounted_by));
    if (obstacle) {
      report_all(request, obstacle->reason, obstacle->message);
      if (!request.keep_whatever) return let_go_.push_back(&request);
      refused_for_a_restore_ = true;
    }
    keep(request);
  }

  void keep(const Request& request) {
    volumes_.keep(*request.live, request.mounted_by);
    request.plan.fate = ContainerPlan::Fate::untouched;
    for (const std::string& secret : recorded_pull_secrets(pod_)) add_pull_secret(secret);
  }

  bool want(const Request& request) {
    if (!is_bearable(request)) return false;
    ContainerDraft draft(pod_, volumes_, request.mounted_by, request.shares);
    std::vector<const Share*> in;
    std::shared_ptr<const MadeContainer> made;  // for all that are in
    bool one_is_lost = false;                   // the container that is there serves it, and the new one would not
    for (const Share& share : request.shares) {
      const bool fits = share.repository != nullptr && add(request, share, draft, in, made);
      if (!fits && !share.must_go) one_is_lost = one_is_lost || is_served(request, share);
    }
    if (in.empty()) return false;
    const bool nothing_new = std::ranges::all_of(in, [&](const Share* share) { return is_served(request, *share); });
    if (one_is_lost && nothing_new) return false;  // restarting the pods would help nobody
    if (const Share* held = served_and_held_back(request)) {
      for (const Share* share : in) report(*share, Reason::workload_refused, waits_for(*held));
      return false;
    }

    const std::uint64_t hash = fnv1a("]}", fnv1a(draft.sources(), fnv1a(R"(,"volumes":[)", made->hash)));
    request.plan = {.fate = ContainerPlan::Fate::wanted,
                    .made = made,
                    .hash = std::to_string(hash),
                    .applied = request.applied(in.front()->name),
                    .uid = request.uid};
    for (const Share* share : in) {
      for (const std::string& secret : pull_secrets_of(*share->runtime)) add_pull_secret(secret);
      if (draft.disregards(*share)) remark_on_settings(*share);
    }
    volumes_ = std::move(draft).volumes();
    for (const std::string& secret : settings_.image_pull_secrets) add_pull_secret(secret);
    return true;
  }

  /// Adds one object to the container if the pod can be created with it then.
  bool add(const Request& request, const Share& share, ContainerDraft& draft, std::vector<const Share*>& in,
           std::shared_ptr<const MadeContainer>& made) {
    ContainerDraft next = draft;
    auto obstacle = next.add(share);
    if (!obstacle) {
      std::vector<const Share*> all = in;
      all.push_back(&share);
      auto with_it = request.make(inputs(request, all, next));
      obstacle = pod_security_obstacle(level_, world_.ns, with_it->asked, next.volumes().mounted(request.mounted_by));
      if (!obstacle) {
        made = std::move(with_it);
        draft = std::move(next);
        in = std::move(all);
        return true;
      }
    }
    report(share, obstacle->reason, obstacle->message);
    return false;
  }

  ContainerInputs inputs(const Request& request, const std::vector<const Share*>& shares, const ContainerDraft& draft) {
    ContainerInputs inputs = draft.inputs();
    const ContainerSettings& wished = *inputs.runtime;
    inputs.objects = names_of(shares);
    inputs.image = settings_.image;
    inputs.resources = container_resources(pod_, settings_.resources, wished.resources);
    inputs.pushgateway_url = settings_.pushgateway_url;
    inputs.identity = request.identity(pod_, inputs.mounts, level_, wished.security_context);
    return inputs;
  }

  void remark_on_settings(const Share& share) {
    plan_.remarks.push_back({Reason::shared_sidecar, share.object,
                             "one sidecar serves all BackupConfigurations of this workload, with "
                             "spec.runtimeSettings.container and spec.tempDir of an older one; those of this one have "
                             "no effect"});
  }

  bool is_bearable(const Request& request) {
    if (is_windows(pod_)) {
      report_all(request, Reason::windows_pod, "its pods run on Windows, where Stash's image does not run");
      return false;
    }
    if (name_is_taken(pod_, request.container_name)) {
      report_all(request, Reason::container_name_taken,
                 fmt::format("the pod template has a container named {} that is not Stash's; rename it",
                             request.container_name));
      return false;
    }
    return true;
  }

  void add_pull_secret(const std::string& name) {
    if (!name.empty() && std::ranges::find(plan_.pull_secrets, name) == plan_.pull_secrets.end()) {
      plan_.pull_secrets.push_back(name);
    }
  }

  const World& world_;
  const Settings& settings_;
  PodSecurity level_;
  PodTemplate pod_;
  PodPlan plan_;
  VolumePlan volumes_;
  std::vector<Request> requests_;
  /// Pod Security forbids these containers. Where it refuses the pods for the sake of a restore at work anyway, a
  /// change of the template would only stop the restore in the pods that still run.
  std::vector<const Request*> let_go_;
  bool refused_for_a_restore_ = false;
};

}  // namespace

PodPlan plan_pod(const World& world, const Settings& settings, const Desired& desired) {
  return PodPlanner(world, settings, desired).plan();
}

}  // namespace stash::inject
