#include "inject/injector.h"

#include <algorithm>

#include "api/names.h"
#include "inject/applied.h"
#include "inject/covers.h"
#include "inject/patch.h"
#include "inject/pod_plan.h"
#include "inject/pod_policy.h"
#include "inject/resources.h"
#include "inject/restore_place.h"
#include "inject/volumes.h"
#include "inject/workload_view.h"

namespace stash::inject {
namespace {

namespace names = api::names;
using Fate = ContainerPlan::Fate;

/// Where one of our two containers and its annotations are.
struct Place {
  Patch::Path list;
  bool (*is_ours)(const Json& container);
  ContainerPlan PodPlan::* plan;
  bool PlannedVolume::* mounted_by;
  Patch::Path applied;    ///< on the workload, as what follows
  Patch::Path hash, uid;  ///< on the template, as what follows; empty for none
  std::vector<Patch::Path> legacy, legacy_on_template;
};

Patch::Path on_workload(std::string_view key) { return {"metadata", "annotations", std::string(key)}; }
Patch::Path on_template(std::string_view key) {
  return {"spec", "template", "metadata", "annotations", std::string(key)};
}

const std::vector<Place>& places() {
  static const std::vector<Place> all = {
      {{"spec", "template", "spec", "containers"},
       is_sidecar,
       &PodPlan::sidecar,
       &PlannedVolume::sidecar,
       on_workload(names::kAppliedBackup),
       on_template(names::kAppliedBackupHash),
       {},
       {on_workload(names::kAppliedInvoker), on_workload(names::kAppliedInvokerKind)},
       {on_template(names::kAppliedInvokerHash)}},
      {{"spec", "template", "spec", "initContainers"},
       is_init_container,
       &PodPlan::init_container,
       &PlannedVolume::init_container,
       on_workload(names::kAppliedRestore),
       on_template(names::kAppliedRestoreHash),
       on_template(names::kAppliedRestoreUid),
       {},
       {}},
  };
  return all;
}

const Patch::Path kVolumes = {"spec", "template", "spec", "volumes"};
const Patch::Path kPullSecrets = {"spec", "template", "spec", "imagePullSecrets"};

const Json& list_of(const PodTemplate& pod, const Patch::Path& path) {
  return array_at(pod_spec(pod), {path.keys().back()});
}

const Json* live_container(const PodTemplate& pod, const Place& place) {
  const Json& list = list_of(pod, place.list);
  const auto found = std::ranges::find_if(list, place.is_ours);
  return found == list.end() ? nullptr : &*found;
}

std::string_view hash_on(const PodTemplate& pod, const Place& place) {
  return text_at(*pod.workload, {"spec", "template", "metadata", "annotations", place.hash.keys().back()});
}

/// What an upgrade of ours changes. It restarts nobody's pods for that: it waits until they restart anyway.
struct Upgradable {
  std::string image;
  Json resources = Json::object();
};

/// Is the container what the plan wants, all that is Upgradable aside? Then it is not touched.
bool is_current(const PodTemplate& pod, const Place& place, const ContainerPlan& plan) {
  const Json* live = live_container(pod, place);
  return live != nullptr && hash_on(pod, place) == plan.hash && covers(*live, plan.made->asked) &&
         (plan.uid.empty() || restore_uid_of(*pod.workload) == plan.uid);
}

/// Brings a workload in line with a plan.
class Edit {
 public:
  Edit(const Json& workload, const PodPlan& plan) : pod_(workload), plan_(plan), patch_(workload) {
    for (const Place& place : places()) {
      const ContainerPlan& wanted = plan.*place.plan;
      current_.push_back(wanted.fate == Fate::wanted && is_current(pod_, place, wanted));
    }
  }

  Patch run(const std::vector<Upgradable>& upgradable, bool drop_stray_hashes) {
    for (std::size_t i = 0; i < places().size(); ++i) container(i, upgradable[i]);
    volumes();
    const std::vector<std::string> added = pull_secrets();
    for (const Place& place : places()) annotations(place, added, drop_stray_hashes);
    return std::move(patch_);
  }

 private:
  void container(std::size_t which, const Upgradable& upgradable) {
    const Place& place = places()[which];
    const ContainerPlan& wanted = plan_.*place.plan;
    if (wanted.fate == Fate::untouched) return;
    const Json& list = list_of(pod_, place.list);
    bool served = wanted.fate == Fate::absent;
    for (std::size_t i = list.size(); i-- > 0;) {
      if (!place.is_ours(list[i])) continue;
      const bool first = std::ranges::find_if(list, place.is_ours) - list.begin() == static_cast<std::ptrdiff_t>(i);
      if (served || !first) {
        patch_.erase(place.list, i);
        continue;
      }
      served = true;
      if (current_[which]) {
        patch_.replace_member(place.list, i, "image", upgradable.image);
        if (!same_resources(object_at(list[i], {"resources"}), upgradable.resources)) {
          patch_.replace_member(place.list, i, "resources", upgradable.resources);
        }
      } else {
        patch_.replace(place.list, i, complete_with(upgradable, wanted));
      }
    }
    if (!served) patch_.append(place.list, complete_with(upgradable, wanted));
  }

  static std::shared_ptr<const Value> complete_with(const Upgradable& upgradable, const ContainerPlan& wanted) {
    const ContainerInputs& inputs = wanted.made->inputs;
    if (upgradable.image == inputs.image && upgradable.resources == inputs.resources) {
      return {wanted.made, &wanted.made->complete};
    }
    return std::make_shared<const Value>(complete(wanted.made->asked, upgradable.image, upgradable.resources));
  }

  // A container that changes takes its volumes along, lest a field that is no longer wanted stays.
  bool is_fresh(const PlannedVolume& volume) const {
    for (std::size_t i = 0; i < places().size(); ++i) {
      const Place& place = places()[i];
      if (volume.*place.mounted_by && (plan_.*place.plan).fate == Fate::wanted && !current_[i]) return true;
    }
    return false;
  }

  void volumes() {
    const Json& list = list_of(pod_, kVolumes);
    const std::vector<std::size_t> stray = stray_volumes(list);
    std::vector<std::shared_ptr<const Value>> added;
    for (const PlannedVolume& wanted : plan_.volumes) {  // no two have the same name
      const Json* live = named(list, text_at(wanted.volume->json, {"name"}));
      if (live == nullptr) {
        added.push_back(wanted.volume);
      } else if (wanted.replaceable && (is_fresh(wanted) || !covers(*live, wanted.volume->json))) {
        patch_.replace(kVolumes, static_cast<std::size_t>(live - &list.front()), wanted.volume);
      }
    }
    patch_.append(kVolumes, std::move(added));
    for (const std::size_t i : stray) patch_.erase(kVolumes, i);
  }

  /// Ours that are in no plan any more, the last one first.
  std::vector<std::size_t> stray_volumes(const Json& list) const {
    std::vector<std::size_t> stray;
    for (std::size_t i = list.size(); i-- > 0;) {
      const std::string_view name = text_at(list[i], {"name"});
      const bool named_like_ours = std::ranges::find(all_volume_names(), name) != all_volume_names().end();
      if (named_like_ours && !is_planned(name) && owner_of(pod_, name) == VolumeOwner::ours) stray.push_back(i);
    }
    return stray;
  }

  bool is_planned(std::string_view name) const {
    return std::ranges::any_of(
        plan_.volumes, [&](const PlannedVolume& volume) { return text_at(volume.volume->json, {"name"}) == name; });
  }

  // Returns those that are in the workload because of us.
  std::vector<std::string> pull_secrets() {
    const std::vector<std::string> recorded = recorded_pull_secrets(pod_);
    const auto contains = [](const auto& list, const std::string& name) {
      return std::ranges::find(list, name) != list.end();
    };
    std::vector<std::string> added;
    for (const std::string& name : plan_.pull_secrets) {
      const bool is_there = named(list_of(pod_, kPullSecrets), name) != nullptr;
      if (!is_there) patch_.append(kPullSecrets, std::make_shared<const Value>(Json{{"name", name}}));
      if (!is_there || contains(recorded, name)) added.push_back(name);
    }
    const Json& list = list_of(pod_, kPullSecrets);
    for (std::size_t i = list.size(); i-- > 0;) {
      const std::string name = string_at(list[i], {"name"});
      if (contains(recorded, name) && !contains(plan_.pull_secrets, name)) patch_.erase(kPullSecrets, i);
    }
    return added;
  }

  void annotations(const Place& place, const std::vector<std::string>& added, bool drop_stray_hashes) {
    const ContainerPlan& wanted = plan_.*place.plan;
    if (wanted.fate == Fate::untouched) return;
    for (const Patch::Path& path : place.legacy) patch_.unset(path);
    // A stray annotation on the template is not worth a restart of somebody's pods.
    const bool goes = live_container(pod_, place) != nullptr || drop_stray_hashes || wanted.fate == Fate::wanted;
    if (goes) {
      for (const Patch::Path& path : place.legacy_on_template) patch_.unset(path);
    }
    if (wanted.fate == Fate::wanted) {
      patch_.set(place.applied, applied_annotation(wanted.applied, wanted.made->inputs.objects, added));
      patch_.set(place.hash, wanted.hash);
      if (!wanted.uid.empty()) patch_.set(place.uid, wanted.uid);
    } else {
      patch_.unset(place.applied);
      if (goes) patch_.unset(place.hash);
      if (goes && !place.uid.keys().empty()) patch_.unset(place.uid);
    }
  }

  PodTemplate pod_;  ///< as it was
  const PodPlan& plan_;
  std::vector<bool> current_;  ///< of each place: the container is there as wanted
  Patch patch_;
};

/// The template as its author has it.
Json template_without_ours(const Json& workload) {
  PodPlan nothing;
  return Edit(workload, nothing).run(std::vector<Upgradable>(places().size()), true).edited({"spec", "template"});
}

/// Would the pods stay as they are if only what is Upgradable did?
bool restarts_for_the_upgrade_only(const Json& workload, const Json& before, const PodPlan& plan) {
  if (!is_well_formed(before)) return false;
  for (const Place& place : places()) {
    const ContainerPlan& wanted = plan.*place.plan;
    const Json* live_before = live_container(before, place);
    const Json* live = live_container(workload, place);
    const bool same = wanted.fate == Fate::absent   ? live_before == nullptr
                      : wanted.fate == Fate::wanted ? is_current(before, place, wanted)
                                                    : live_before != nullptr && *live_before == *live;
    if (!same) return false;
  }
  const bool same_volumes = std::ranges::all_of(plan.volumes, [&](const PlannedVolume& wanted) {
    const Json* live = named(volumes_of(before), string_at(wanted.volume->json, {"name"}));
    return live != nullptr && covers(*live, wanted.volume->json);
  });
  if (!same_volumes) return false;
  return object_at(workload, {"spec", "template"}) == object_at(before, {"spec", "template"}) ||
         template_without_ours(workload) == template_without_ours(before);
}

/// What each of places() is to have.
struct Upgradables {
  std::vector<Upgradable> given;
  bool waits = false;  ///< some of it is older than what is to be had
};

Upgradables upgradables_for(const Json& workload, const Json* before, const PodPlan& plan, const Settings& settings) {
  Upgradables all;
  for (const Place& place : places()) {
    const ContainerPlan& wanted = plan.*place.plan;
    all.given.push_back({settings.image, wanted.made ? wanted.made->inputs.resources : Json::object()});
  }
  if (plan.renew || before == nullptr || !restarts_for_the_upgrade_only(workload, *before, plan)) return all;
  for (std::size_t i = 0; i < places().size(); ++i) {
    const Json* live = live_container(*before, places()[i]);
    const std::string image = live == nullptr ? "" : string_at(*live, {"image"});
    if (image.empty()) continue;
    Upgradable kept{image, object_at(*live, {"resources"})};
    all.waits |= (plan.*places()[i].plan).fate == Fate::wanted &&
                 (kept.image != settings.image || !same_resources(kept.resources, all.given[i].resources));
    all.given[i] = std::move(kept);
  }
  return all;
}

void report_each(const Desired& desired, const World& world, Reason reason, const std::string& message,
                 std::vector<Finding>& findings) {
  const auto label = [&](std::string_view kind, const api::ObjectMeta& meta) {
    return std::string(kind) + " " + to_string(api::ObjectRef{world.ns, meta.name});
  };
  for (const Served& served : desired.backups) {
    findings.push_back({reason, label("BackupConfiguration", served.configuration->metadata), message});
  }
  if (desired.restore) findings.push_back({reason, label("RestoreSession", desired.restore->metadata), message});
}

/// What must be in a pod that can bear nothing of ours: the restore at work, as it is.
Desired least_of(const Desired& desired) {
  Desired least;
  if (!desired.restore_at_work) return least;
  least.restore = desired.restore;
  least.restore_at_work = true;
  return least;
}

Injection leave_alone(const Json& workload, std::vector<Finding> findings) {
  Injection injection;
  injection.findings = std::move(findings);
  injection.has_sidecar = has_sidecar(workload);
  injection.has_init_container = has_init_container(workload);
  return injection;
}

bool may_be_changed(const World& world, const Settings& settings) {
  const Json* deleted_at = at(*world.workload, {"metadata", "deletionTimestamp"});
  return namespace_wants_injection(settings, world.ns, world.namespace_labels) &&
         (deleted_at == nullptr || deleted_at->is_null()) && template_owner(*world.workload, world.kind).empty();
}

}  // namespace

Injection inject(const World& world, const Settings& settings, const Json* before) {
  if (world.workload == nullptr) return {};
  const Json& workload = *world.workload;
  const Desired desired = decide(world, settings);
  if (!may_be_changed(world, settings)) return leave_alone(workload, desired.findings);
  if (!is_well_formed(workload)) {
    std::vector<Finding> findings = desired.findings;
    report_each(desired, world, Reason::malformed, "spec.template is not a pod template that Stash understands",
                findings);
    return leave_alone(workload, std::move(findings));
  }

  PodPlan plan = plan_pod(world, settings, desired);
  bool upgrade_waits = false;
  const auto edit = [&] {
    const Upgradables upgradables = upgradables_for(workload, before, plan, settings);
    upgrade_waits = upgradables.waits;
    return Edit(workload, plan).run(upgradables.given, /*drop_stray_hashes=*/before == nullptr);
  };
  Patch patch = edit();
  const bool adds = plan.sidecar.fate == Fate::wanted || plan.init_container.fate == Fate::wanted;
  const bool may_be_too_large = adds && may_exceed_limits(workload, world.part_of, patch.operations());
  if (may_be_too_large && world.part_of > 0) return {.needs_whole = true};
  if (const auto obstacle = may_be_too_large ? size_obstacle(patch.edited({})) : std::nullopt) {
    std::vector<Finding> findings = std::move(plan.findings);
    plan = plan_pod(world, settings, least_of(desired));
    plan.findings = std::move(findings);
    report_each(desired, world, obstacle->reason, obstacle->message, plan.findings);
    patch = edit();
  }
  Injection injection{.patch = {},
                      .findings = std::move(plan.findings),
                      .remarks = std::move(plan.remarks),
                      .has_sidecar = plan.sidecar.fate != Fate::absent,
                      .has_init_container = plan.init_container.fate != Fate::absent,
                      .upgrade_waits = upgrade_waits};
  injection.patch = std::move(patch).operations();
  return injection;
}

bool has_sidecar(const Json& workload) { return sidecar_of(workload) != nullptr; }
bool has_init_container(const Json& workload) { return init_container_of(workload) != nullptr; }

}  // namespace stash::inject
