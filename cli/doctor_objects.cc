#include <fmt/format.h>

#include <algorithm>

#include "api/mass_deletion.h"
#include "api/names.h"
#include "api/resource.h"
#include "base/text.h"
#include "cli/complaints.h"
#include "cli/doctor_world.h"
#include "cli/install_command.h"
#include "cli/object.h"
#include "cli/program_deployment.h"

/// Are the objects of users as they should be?
namespace stash::cli {

namespace {

/// "1 Repository", "2 Repositories"
std::string counted(std::size_t count, std::string_view noun) {
  if (count == 1) return fmt::format("1 {}", noun);
  if (noun.ends_with('y')) return fmt::format("{} {}ies", count, noun.substr(0, noun.size() - 1));
  return fmt::format("{} {}s", count, noun);
}

/// nullopt: it depends on the mode of injection, and no webhook is seen that would tell.
std::optional<bool> wants_injection(const DoctorWorld& world, const Json& ns) {
  const std::string label = string_at(ns, {"metadata", "labels", api::names::kInjectionLabel});
  if (label == "enabled" || label == "disabled") return label == "enabled";
  const auto webhooks = program_deployments(list_of(world, "deployments"), kWebhookProgram);
  if (webhooks.empty()) return std::nullopt;
  return argument_of(*webhooks[0], "injection-mode") == "opt-out";
}

/// True when there are none. The messages name the remedy.
bool pass_on_complaints(const Json& object, std::string_view area, std::string_view kind, Checks& checks) {
  const auto complaints = complaints_of(object);
  for (const Complaint& complaint : complaints) {
    wrong(checks, complaint.grave ? Check::Level::problem : Check::Level::warning, area,
          fmt::format("{} {}: {}", kind, ref_of(object), complaint.message),
          fmt::format("kubectl describe {} {}{}", lower_case(kind), name_of(object),
                      ns_of(object).empty() ? "" : " -n " + ns_of(object)));
  }
  return complaints.empty();
}

bool check_integrity(const Json& repository, std::string_view area, Checks& checks) {
  const Json* integrity = at(repository, {"status", "integrity"});
  if (integrity == nullptr || *integrity != false) return true;
  wrong(checks, Check::Level::problem, area,
        fmt::format("Repository {}: the last check of restic found damage", ref_of(repository)),
        "pause its BackupConfigurations (kubectl stash pause), so that nothing is forgotten meanwhile, and copy it "
        "before restic's `repair`: docs/runbooks/StashRepositoryDamaged.md");
  return false;
}

}  // namespace

void check_labels(const DoctorWorld& world, Checks& checks) {
  constexpr std::string_view kArea = "labels";
  if (!readable(world, kArea, {"namespaces", "backupconfigurations"}, checks)) return;
  std::map<std::string, std::size_t> users;
  for (const Json& configuration : list_of(world, "backupconfigurations")) ++users[ns_of(configuration)];
  bool good = true;
  for (const auto& [name, count] : users) {
    const Json* ns = find_named(list_of(world, "namespaces"), name);
    const auto wanted = ns == nullptr ? true : wants_injection(world, *ns);
    if (wanted == true) continue;
    good = false;
    if (!wanted) {
      wrong(checks, Check::Level::warning, kArea,
            fmt::format("namespace {} has {} and no label {}; whether it needs one is not known, for no Deployment of "
                        "{} is seen",
                        name, counted(count, api::kBackupConfigurations.kind), api::names::kInjectionLabel,
                        kWebhookProgram),
            world.unreadable.contains("deployments") ? "run doctor with an account that may list deployments"
                                                     : how_to_install());
      continue;
    }
    wrong(checks, Check::Level::problem, kArea,
          fmt::format("namespace {} has {} but has not asked for injection", name,
                      counted(count, api::kBackupConfigurations.kind)),
          fmt::format("kubectl label namespace {} {}=enabled --overwrite", name, api::names::kInjectionLabel));
  }
  if (good)
    well(checks, kArea, fmt::format("injection is asked for in {} with backups", counted(users.size(), "namespace")));
}

void check_backups(const DoctorWorld& world, Checks& checks) {
  constexpr std::string_view kArea = "backups";
  if (!readable(world, kArea, {"backupconfigurations"}, checks)) return;
  const Json& configurations = list_of(world, "backupconfigurations");
  bool good = true;
  for (const Json& configuration : configurations)
    good = pass_on_complaints(configuration, kArea, api::kBackupConfigurations.kind, checks) && good;
  if (good)
    well(checks, kArea, counted(configurations.size(), api::kBackupConfigurations.kind) + " without complaints");
}

void check_backends(const DoctorWorld& world, Checks& checks) {
  constexpr std::string_view kArea = "backends";
  if (!readable(world, kArea, {"repositories"}, checks)) return;
  const Json& repositories = list_of(world, "repositories");
  const auto held =
      std::ranges::count_if(repositories, [](const Json& repository) { return api::is_held(repository); });
  bool good = true;
  for (const Json& repository : repositories) {
    if (api::is_held(repository)) {
      good = false;
      wrong(checks, Check::Level::problem, kArea,
            fmt::format("Repository {} was deleted together with many others, {} of which wait for somebody's word",
                        ref_of(repository), held),
            api::ways_out_of_hold(repository));
      continue;
    }
    good = pass_on_complaints(repository, kArea, api::kRepositories.kind, checks) && good;
    good = check_integrity(repository, kArea, checks) && good;
  }
  if (good) well(checks, kArea, counted(repositories.size(), api::kRepositories.kind) + " without complaints");
}

void check_blueprints(const DoctorWorld& world, Checks& checks) {
  constexpr std::string_view kArea = "blueprints";
  if (!readable(world, kArea, {"backupblueprints"}, checks)) return;
  const Json& blueprints = list_of(world, "backupblueprints");
  bool good = true;
  for (const Json& blueprint : blueprints)
    good = pass_on_complaints(blueprint, kArea, api::kBackupBlueprints.kind, checks) && good;
  if (good) well(checks, kArea, counted(blueprints.size(), api::kBackupBlueprints.kind) + " without complaints");
}

}  // namespace stash::cli
