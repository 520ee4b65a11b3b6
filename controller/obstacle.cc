#include "controller/obstacle.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/backend_check.h"
#include "api/names.h"
#include "controller/kind_name.h"
#include "controller/reasons.h"

namespace stash::controller {
namespace {

using Found = std::optional<Obstacle>;

Obstacle obstacle(std::string_view reason, std::string message, bool hopeless = false) {
  return {std::string(reason), std::move(message), "", hopeless};
}

std::string workload_name(const TargetWorld& world) { return world.ref.kind + " " + world.ns + "/" + world.ref.name; }

/// The spec of a RestoreSession cannot be changed.
std::string or_correct(const TargetWorld& world, std::string_view field) {
  if (world.owner.starts_with(api::kRestoreSessions.kind)) return "";
  return fmt::format(", or correct {} of {}", field, world.owner);
}

Found repository_is_missing(const TargetWorld& world) {
  if (world.repository_found) return std::nullopt;
  if (world.repository.empty()) {
    return obstacle(reasons::kRepositoryNotAvailable, world.owner + " names no Repository; set spec.repository.name",
                    true);
  }
  return obstacle(reasons::kRepositoryNotAvailable,
                  fmt::format("Repository {}/{} does not exist; create it{}", world.ns, world.repository,
                              or_correct(world, "spec.repository.name")),
                  true);
}

Found backend_is_unusable(const TargetWorld& world) {
  const auto fault = api::backend_fault(world.repository_found->spec.backend);
  if (!fault) return std::nullopt;
  return obstacle(reasons::kInvalid, fmt::format("Repository {}/{}: {}", world.ns, world.repository, to_string(*fault)),
                  true);
}

Found secret_is_missing(const TargetWorld& world) {
  const std::string& name = world.repository_found->spec.backend.storage_secret_name;
  const std::string repository = fmt::format("Repository {}/{}", world.ns, world.repository);
  if (name.empty()) {
    return obstacle(reasons::kSecretNotAvailable,
                    repository + " names no Secret; set spec.backend.storageSecretName to one with RESTIC_PASSWORD",
                    true);
  }
  if (world.secret != Presence::absent) return std::nullopt;
  return obstacle(reasons::kSecretNotAvailable,
                  fmt::format("Secret {}/{} of {} does not exist; create it with the key RESTIC_PASSWORD", world.ns,
                              name, repository),
                  true);
}

Found namespace_has_not_opted_in(const TargetWorld& world) {
  // Containers that are there already go on working after an opt-out.
  if (world.not_opted_in.empty() || (world.workload && world.workload->has_container)) return std::nullopt;
  return obstacle(reasons::kNotOptedIn, world.not_opted_in);
}

Found target_is_missing(const TargetWorld& world) {
  if (world.workload) return std::nullopt;
  return obstacle(reasons::kTargetNotAvailable, fmt::format("{} does not exist; create it{}", workload_name(world),
                                                            or_correct(world, "spec.target.ref")));
}

Found injector_refuses(const TargetWorld& world) {
  if (world.findings.empty()) return std::nullopt;
  const inject::Finding& first = world.findings.front();
  return obstacle(inject::code_of(first.reason), first.message);
}

Found container_is_not_injected(const TargetWorld& world) {
  if (world.workload->has_container) return std::nullopt;
  return obstacle(
      reasons::kInjectionMissing,
      fmt::format("the container {} is not in the pod template of {} yet; it is put there by stash-webhook: "
                  "check that its pods are ready",
                  world.container, workload_name(world)));
}

Found target_is_scaled_to_zero(const TargetWorld& world) {
  const api::WorkloadKind* kind = api::workload_kind(world.ref);
  if (kind != nullptr && kind->hosts == api::HostScheme::nodes) {
    if (world.workload->wanted_nodes > 0) return std::nullopt;
    return obstacle(reasons::kScaledToZero, fmt::format("no node shall run a pod of {}; see its nodeSelector, affinity "
                                                        "and the nodes' taints",
                                                        workload_name(world)));
  }
  if (world.workload->replicas > 0) return std::nullopt;
  return obstacle(reasons::kScaledToZero, fmt::format("{} is scaled to 0; only a running pod can reach its volumes, so "
                                                      "scale it up",
                                                      workload_name(world)));
}

Found no_pod_runs_it(const TargetWorld& world) {
  if (!world.pods) return std::nullopt;
  const auto& pods = *world.pods;
  if (std::none_of(pods.begin(), pods.end(), is_alive)) {
    return obstacle(reasons::kNoPod,
                    fmt::format("{} has no pod; see its events with kubectl -n {} describe {}/{}", workload_name(world),
                                world.ns, singular(world.ref.kind), world.ref.name));
  }
  if (std::any_of(pods.begin(), pods.end(), [](const PodFacts& pod) { return pod.runs_container; }))
    return std::nullopt;
  std::string message = fmt::format("no pod of {} runs the container {}", workload_name(world), world.container);
  if (!world.workload->held_back.empty()) message += ": " + world.workload->held_back;
  Obstacle found = obstacle(reasons::kNoRunningPod, std::move(message));
  for (const PodFacts& pod : pods) {
    if (!is_alive(pod)) continue;
    found.detail = fmt::format("pod {} is {}{}{}", pod.name, pod.phase, pod.trouble.empty() ? "" : ", ", pod.trouble);
    if (!pod.trouble.empty()) break;
  }
  return found;
}

// The first one that speaks decides, so the order is the specification: causes before their consequences.
using Check = Found (*)(const TargetWorld&);
constexpr Check kChecks[] = {repository_is_missing,      backend_is_unusable,      secret_is_missing,
                             namespace_has_not_opted_in, target_is_missing,        injector_refuses,
                             container_is_not_injected,  target_is_scaled_to_zero, no_pod_runs_it};

}  // namespace

std::optional<Obstacle> find_obstacle(const TargetWorld& world) {
  for (const Check check : kChecks) {
    if (Found found = check(world)) return found;
  }
  return std::nullopt;
}

std::string reason_not_opted_in(const inject::Settings& settings, const std::string& ns, const Json& labels) {
  if (inject::namespace_wants_injection(settings, ns, labels)) return "";
  const std::string_view label = api::names::kInjectionLabel;
  const bool labelled = labels.is_object() && labels.contains(label);
  if (std::ranges::find(settings.excluded_namespaces, ns) != settings.excluded_namespaces.end()) {
    return fmt::format("namespace {} belongs to the cluster or to Stash itself, so nothing is injected there", ns);
  }
  if (!settings.opt_in) {
    return fmt::format(
        "namespace {0} has opted out, so nothing is injected there; run: kubectl label namespace {0} {1}-", ns, label);
  }
  return fmt::format(
      "namespace {0} has not opted in, so nothing is injected there; run: kubectl label namespace {0} {1}=enabled{2}",
      ns, label, labelled ? " --overwrite" : "");
}

}  // namespace stash::controller
