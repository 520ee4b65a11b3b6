#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "api/resource.h"
#include "cli/doctor_world.h"
#include "cli/install_command.h"
#include "cli/object.h"
#include "cli/program_deployment.h"
#include "cli/table.h"

/// Is the chart installed, and do its programs run?
namespace stash::cli {

namespace {

constexpr std::chrono::seconds kLeaseIsDead{60};

bool has_condition(const Json& object, std::string_view type, std::string_view status) {
  return std::ranges::any_of(array_at(object, {"status", "conditions"}), [&](const Json& condition) {
    return string_at(condition, {"type"}) == type && string_at(condition, {"status"}) == status;
  });
}

void check_program(const DoctorWorld& world, std::string_view program, Checks& checks) {
  constexpr std::string_view kArea = "programs";
  const auto deployments = program_deployments(list_of(world, "deployments"), program);
  if (deployments.empty()) {
    wrong(checks, Check::Level::problem, kArea, fmt::format("no Deployment runs {}", program), how_to_install());
    return;
  }
  if (deployments.size() > 1) {
    wrong(checks, Check::Level::warning, kArea,
          fmt::format("{} runs in {} Deployments, {} and {}", program, deployments.size(), ref_of(*deployments[0]),
                      ref_of(*deployments[1])),
          "keep one release of the chart: helm list -A");
  }
  for (const Json* deployment : deployments) {
    const auto wanted = int_at(*deployment, {"spec", "replicas"}, 1);
    const auto ready = int_at(*deployment, {"status", "readyReplicas"});
    const std::string said = fmt::format("Deployment {} has {} of {} pods ready", ref_of(*deployment), ready, wanted);
    if (ready >= wanted && ready > 0) {
      well(checks, kArea, said);
      continue;
    }
    wrong(checks, ready == 0 ? Check::Level::problem : Check::Level::warning, kArea, said,
          wanted == 0
              ? fmt::format("kubectl scale deployment {} -n {} --replicas=1", name_of(*deployment), ns_of(*deployment))
              : fmt::format("kubectl describe pods -n {} -l app.kubernetes.io/component={}; kubectl logs -n {} "
                            "deployment/{}",
                            ns_of(*deployment),
                            string_at(*deployment, {"metadata", "labels", api::names::kComponentLabel}),
                            ns_of(*deployment), name_of(*deployment)));
  }
}

}  // namespace

void check_crds(const DoctorWorld& world, Checks& checks) {
  constexpr std::string_view kArea = "crds";
  if (!readable(world, kArea, {"customresourcedefinitions"}, checks)) return;
  bool good = true;
  for (const api::Resource& resource : {api::kRepositories, api::kBackupConfigurations, api::kBackupSessions,
                                        api::kBackupSessionHosts, api::kRestoreSessions, api::kBackupBlueprints}) {
    const std::string name = fmt::format("{}.{}", resource.plural, resource.group);
    const Json* crd = find_named(list_of(world, "customresourcedefinitions"), name);
    if (crd == nullptr) {
      wrong(checks, Check::Level::problem, kArea, fmt::format("CustomResourceDefinition {} is missing", name),
            how_to_install());
      good = false;
      continue;
    }
    const Json& versions = array_at(*crd, {"spec", "versions"});
    const bool served = std::ranges::any_of(versions, [&](const Json& version) {
      return string_at(version, {"name"}) == resource.version && bool_at(version, {"served"});
    });
    if (served && has_condition(*crd, "Established", "True")) continue;
    good = false;
    wrong(checks, Check::Level::problem, kArea,
          fmt::format("CustomResourceDefinition {} does not serve {}", name, resource.version),
          "upgrade the chart with crds.install=true, and look at kubectl describe crd " + name);
  }
  if (good) well(checks, kArea, "all six CustomResourceDefinitions are served");
}

void check_programs(const DoctorWorld& world, Checks& checks) {
  if (!readable(world, "programs", {"deployments"}, checks)) return;
  check_program(world, kWebhookProgram, checks);
  check_program(world, kControllerProgram, checks);
  const auto webhooks = program_deployments(list_of(world, "deployments"), kWebhookProgram);
  const auto controllers = program_deployments(list_of(world, "deployments"), kControllerProgram);
  if (webhooks.size() != 1 || controllers.size() != 1) return;
  for (const char* flag : {"image", "injection-mode", "pushgateway-url"}) {
    const std::string left = argument_of(*webhooks[0], flag), right = argument_of(*controllers[0], flag);
    if (left == right) continue;
    wrong(checks, Check::Level::problem, "programs",
          fmt::format("webhook and controller differ in --{}: \"{}\" and \"{}\"", flag, left, right),
          "upgrade the chart, so that both come from the same values");
  }
}

void check_leader(const DoctorWorld& world, Checks& checks) {
  constexpr std::string_view kArea = "programs";
  const auto controllers = program_deployments(list_of(world, "deployments"), kControllerProgram);
  if (controllers.size() != 1 || !readable(world, kArea, {"leases"}, checks)) return;
  const std::string name = argument_of(*controllers[0], "leader-election-lease");
  if (name.empty()) return;
  const std::string ns = ns_of(*controllers[0]);
  const Json* lease = find_named(list_of(world, "leases"), name, ns);
  const auto renewed = parse_time(lease == nullptr ? "" : string_at(*lease, {"spec", "renewTime"}));
  if (renewed && world.now - *renewed < kLeaseIsDead) {
    well(checks, kArea, fmt::format("{} leads, Lease {}/{}", string_at(*lease, {"spec", "holderIdentity"}), ns, name));
    return;
  }
  wrong(checks, Check::Level::problem, kArea,
        renewed ? fmt::format("no controller has renewed Lease {}/{} for {}", ns, name, age(*renewed, world.now))
                : fmt::format("no controller holds Lease {}/{}", ns, name),
        fmt::format("kubectl logs -n {} deployment/{} -c controller", ns, name_of(*controllers[0])));
}

}  // namespace stash::cli
