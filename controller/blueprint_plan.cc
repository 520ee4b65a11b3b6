#include "controller/blueprint_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/backend_place.h"
#include "api/codec.h"
#include "api/names.h"
#include "base/hash.h"
#include "controller/blueprint_request.h"
#include "controller/blueprint_template.h"
#include "controller/invoker_labels.h"
#include "controller/kind_name.h"
#include "controller/owned_object.h"
#include "controller/reasons.h"
#include "inject/covers.h"

namespace stash::controller {
namespace {

namespace names = api::names;

constexpr std::size_t kLongestName = 253;
constexpr std::chrono::seconds kLookAgain{30};  ///< at what ends soon; mostly its end is seen before

struct Complaint {
  std::string_view reason;
  std::string message;
};

api::ObjectRef made_ref(const BlueprintWorld& world) { return {world.ref.ref.ns, blueprint_object_name(world.ref)}; }

std::string label_value(const std::string& blueprint) { return api::configuration_label(blueprint); }

bool is_going(const Json& object) { return !string_at(object, {"metadata", "deletionTimestamp"}).empty(); }

const Json* existing(const Json& live) { return live.is_object() ? &live : nullptr; }

Json owner_of(const BlueprintWorld& world) {
  Json owner = owner_reference(world.ref.kind->resource, api::meta_of(world.workload));
  owner["controller"] = true;
  return owner;
}

enum class Owner { this_one, its_predecessor, another, nobody };

/// Whom the object goes with. A workload of the same name that is gone takes it along in a moment.
Owner owner_among(const Json& object, const Json& wanted) {
  const Json& owners = array_at(object, {"metadata", "ownerReferences"});
  const auto is_wanted = [&](const Json& owner) { return string_at(owner, {"uid"}) == string_at(wanted, {"uid"}); };
  if (std::ranges::any_of(owners, is_wanted)) return Owner::this_one;
  for (const Json& owner : owners) {
    if (!bool_at(owner, {"controller"})) continue;
    const bool same_name = string_at(owner, {"kind"}) == string_at(wanted, {"kind"}) &&
                           string_at(owner, {"name"}) == string_at(wanted, {"name"});
    return same_name ? Owner::its_predecessor : Owner::another;
  }
  return Owner::nobody;
}

std::map<std::string, std::string> labels_of(const std::string& blueprint) {
  return {{std::string(names::kManagedByLabel), std::string(names::kManagedBy)},
          {std::string(names::kComponentLabel), std::string(names::kBlueprintComponent)},
          {std::string(names::kBlueprintLabel), label_value(blueprint)}};
}

Json wanted_repository(const BlueprintWorld& world, const std::string& blueprint, const Json& spec) {
  const api::ObjectRef ref = made_ref(world);
  return {{"apiVersion", api::kRepositories.api_version()},
          {"kind", api::kRepositories.kind},
          {"metadata", {{"namespace", ref.ns}, {"name", ref.name}, {"labels", labels_of(blueprint)}}},
          {"spec", spec}};
}

Json wanted_configuration(const BlueprintWorld& world, const BlueprintRequest& request, const Json& spec) {
  const api::ObjectRef ref = made_ref(world);
  const api::Resource& resource = world.ref.kind->resource;
  Json mounts = Json::array();
  for (const api::VolumeMount& mount : request.mounts) {
    Json json{{"name", mount.name}, {"mountPath", mount.mount_path}};
    if (!mount.sub_path.empty()) json["subPath"] = mount.sub_path;
    mounts.push_back(std::move(json));
  }
  Json object{{"apiVersion", api::kBackupConfigurations.api_version()},
              {"kind", api::kBackupConfigurations.kind},
              {"metadata", owned_metadata(ref.ns, ref.name, labels_of(request.blueprint), owner_of(world))},
              {"spec", spec}};
  if (!request.schedule.empty()) object["spec"]["schedule"] = request.schedule;
  object["spec"]["repository"] = {{"name", ref.name}};
  object["spec"]["target"] = {
      {"ref", {{"apiVersion", resource.api_version()}, {"kind", resource.kind}, {"name", world.ref.ref.name}}},
      {"paths", request.paths},
      {"volumeMounts", std::move(mounts)}};
  return object;
}

/// Something was backed up to it, or is going to be at this moment.
bool is_in_use(const api::RepositoryStatus& status, bool backup_running) {
  return backup_running || status.first_backup_time || status.first_snapshot_time || status.last_backup_time ||
         status.snapshot_count > 0 || status.initialisation || !status.total_size.empty();
}

bool same_place(const api::Backend& one, const api::Backend& other) {
  const std::string place = api::place_of(one);
  if (!place.empty() || !one.local) return place == api::place_of(other);
  return one.local == other.local;
}

Complaint repository_taken(const BlueprintWorld& world, const std::string& blueprint) {
  return {
      reasons::kNameTaken,
      fmt::format("Repository {} exists already, was not made from a BackupBlueprint and differs from what {} says, "
                  "so it is left alone; delete it, or keep it and write a BackupConfiguration of your own instead of "
                  "the annotation",
                  to_string(made_ref(world)), blueprint)};
}

/// Plans the Repository; what it returns stands in the way of the BackupConfiguration. `kept` is set when the place of
/// the Repository differs from what the blueprint says and stays.
std::optional<Complaint> plan_repository(const BlueprintWorld& world, const std::string& blueprint, const Json& spec,
                                         Plan& plan, std::string& kept) {
  const api::ObjectRef ref = made_ref(world);
  const Json* live = existing(world.repository);
  Json wanted = wanted_repository(world, blueprint, spec);
  if (live != nullptr && is_going(*live)) {
    look_again(plan, kLookAgain);
    return Complaint{reasons::kBeingDeleted,
                     fmt::format("Repository {} is being deleted; a new one is made when it is gone", to_string(ref))};
  }
  if (live != nullptr && !is_from_blueprint(*live)) {
    // What the blueprint would make is there already.
    if (inject::covers(object_at(*live, {"spec"}), wanted["spec"])) return std::nullopt;
    return repository_taken(world, blueprint);
  }
  if (live != nullptr) {
    const auto is = api::decode<api::Repository>(*live);
    const auto will_be = api::decode<api::Repository>(wanted);
    if (!is || !will_be) {
      return Complaint{reasons::kInvalid, !is ? is.error().message : will_be.error().message};
    }
    if (is_in_use(is->status, world.backup_running)) {
      if (!same_place(is->spec.backend, will_be->spec.backend)) {
        if (world.backup_running) look_again(plan, kLookAgain);
        kept = fmt::format(
            "Repository {0} stays where its backups are, although BackupBlueprint {1} names another place by now; to "
            "leave them there and begin anew, take the annotation away, delete the Repository (set spec.wipeOut to "
            "false first) and annotate again",
            to_string(ref), blueprint);
        return std::nullopt;
      }
      // Deleting it would take more along than on the day when it was made: its owner's decision.
      if (!is->spec.wipe_out) wanted["spec"].erase("wipeOut");
    }
  }
  const Owned owned = plan_owned(plan, api::kRepositories, std::move(wanted), live);
  if (owned == Owned::taken) return repository_taken(world, blueprint);
  return std::nullopt;
}

std::optional<Complaint> plan_configuration(const BlueprintWorld& world, Json wanted, Plan& plan) {
  const std::string name = to_string(made_ref(world));
  const Json* live = existing(world.configuration);
  const Owner owner = live == nullptr ? Owner::this_one : owner_among(*live, wanted["metadata"]["ownerReferences"][0]);
  const bool going = live != nullptr && is_going(*live);
  // One without our label that belongs to this very workload is AppsCode's, made by the same annotation.
  const bool ours =
      live == nullptr || owner == Owner::this_one ||
      (is_from_blueprint(*live) && owner != Owner::another && is_ours(*live, wanted["metadata"]["ownerReferences"]));
  if (going || (ours && owner == Owner::its_predecessor)) {
    look_again(plan, kLookAgain);
    return Complaint{reasons::kBeingDeleted,
                     fmt::format("BackupConfiguration {} is being deleted; a new one is made when it is gone", name)};
  }
  if (!ours) {
    return Complaint{
        reasons::kNameTaken,
        fmt::format("BackupConfiguration {} exists already and was not made from a BackupBlueprint for this "
                    "workload, so it is left alone; delete or rename it, or take the annotation away",
                    name)};
  }
  plan_owned(plan, api::kBackupConfigurations, std::move(wanted), live);
  return std::nullopt;
}

/// Fills `result.plan`; nullopt when nothing is wrong.
std::optional<Complaint> plan_wanted(const BlueprintWorld& world, const inject::Settings& settings,
                                     BlueprintPlan& result) {
  if (!world.not_opted_in.empty()) return Complaint{reasons::kNotOptedIn, world.not_opted_in};
  const auto request = blueprint_request(world.workload);
  if (!request) return Complaint{reasons::kAnnotationInvalid, request.error().message};
  if (!world.blueprint.is_object()) {
    return Complaint{reasons::kBlueprintMissing,
                     fmt::format("BackupBlueprint {} does not exist; create it, or correct the annotation {}",
                                 result.blueprint, names::kBlueprintAnnotation)};
  }
  const auto filled = fill_in(world.blueprint, variables_of(world.ref), settings);
  if (!filled) {
    return Complaint{reasons::kBlueprintInvalid,
                     fmt::format("BackupBlueprint {} cannot be used: {}", result.blueprint, filled.error().message)};
  }
  if (!world.refused.empty()) return Complaint{reasons::kRefused, world.refused};
  Plan plan;
  std::string kept;
  auto in_the_way = plan_repository(world, result.blueprint, filled->repository, plan, kept);
  if (!in_the_way) {
    in_the_way = plan_configuration(world, wanted_configuration(world, *request, filled->configuration), plan);
  }
  if (in_the_way) {
    plan.writes.clear();
    result.plan = std::move(plan);
    return in_the_way;
  }
  std::string written;
  for (const Write& write : plan.writes) {
    written += fmt::format("{}{} {}", written.empty() ? "" : " and ", write.resource.kind, to_string(write.ref));
  }
  if (!written.empty()) {
    note(plan, reasons::kBlueprintApplied,
         fmt::format("{} made as BackupBlueprint {} says", written, result.blueprint));
  }
  result.plan = std::move(plan);
  if (!kept.empty()) return Complaint{reasons::kRepositoryKept, kept};
  return std::nullopt;
}

/// The annotation is gone, so what it brought about goes, but for the Repository: there may be backups in it.
void plan_unwanted(const BlueprintWorld& world, Plan& plan) {
  const Json* live = existing(world.configuration);
  if (live == nullptr || is_going(*live) || !is_from_blueprint(*live) || !world.not_opted_in.empty()) return;
  if (owner_among(*live, owner_of(world)) != Owner::this_one) return;
  remove_object(plan, api::kBackupConfigurations, api::meta_of(*live));
  note(plan, reasons::kBlueprintWithdrawn,
       fmt::format(
           "BackupConfiguration {0} deleted, for the annotation {1} is gone; Repository {0} stays with its backups",
           to_string(made_ref(world)), names::kBlueprintAnnotation));
}

}  // namespace

std::string blueprint_object_name(const api::WorkloadRef& workload) {
  return shorten_name(fmt::format("{}-{}", singular(workload.kind->resource.kind), workload.ref.name), kLongestName);
}

bool is_from_blueprint(const Json& object) {
  return object_at(object, {"metadata", "labels"}).contains(std::string(names::kBlueprintLabel));
}

BlueprintPlan plan_blueprint(const BlueprintWorld& world, const inject::Settings& settings) {
  BlueprintPlan result;
  if (is_going(world.workload)) return result;
  result.blueprint = blueprint_of(world.workload);
  if (result.blueprint.empty()) {
    plan_unwanted(world, result.plan);
    return result;
  }
  if (const auto complaint = plan_wanted(world, settings, result)) {
    result.reason = complaint->reason;
    result.complaint = complaint->message;
    if (result.complaint != world.told) warn(result.plan, result.reason, result.complaint);
  }
  return result;
}

}  // namespace stash::controller
