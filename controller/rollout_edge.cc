#include "controller/rollout_edge.h"

#include <algorithm>

#include "api/names.h"
#include "controller/gather.h"
#include "controller/refusal.h"
#include "controller/rollout.h"
#include "controller/trimmed_pod.h"
#include "inject/withdrawal.h"

namespace stash::controller {
namespace {

/// Empty when we may not list them.
Result<std::vector<Json>> allowed(Result<std::vector<Json>> found) {
  if (!found && found.error().code == ErrorCode::denied) return std::vector<Json>();
  return found;
}

Result<std::vector<Json>> events_of(kube::Api& api, const std::string& ns, const Json& object,
                                    std::string_view reason) {
  const std::string selector =
      "involvedObject.uid=" + string_at(object, {"metadata", "uid"}) + ",reason=" + std::string(reason);
  TRY(Json list, api.list(api::kEvents, ns, {.field_selector = selector}));
  Json& items = list["items"];
  return std::vector<Json>(std::make_move_iterator(items.begin()), std::make_move_iterator(items.end()));
}

Result<void> gather_evidence(kube::Api& api, const std::string& ns, PodTroubleWorld& world) {
  TRY(world.pods, allowed(pods_of(api, world.workload, false)));
  // The others tell it by a condition.
  if (world.kind.hosts != api::HostScheme::single) {
    TRY(world.events, allowed(events_of(api, ns, world.workload, "FailedCreate")));
  }
  if (const Json* pod = pod_that_waits_for_volumes(world)) {
    TRY(const std::vector<Json> mounts, allowed(events_of(api, ns, *pod, "FailedMount")));
    world.events.insert(world.events.end(), mounts.begin(), mounts.end());
  }
  return {};
}

}  // namespace

Result<std::vector<Json>> pods_of(kube::Api& api, const Json& workload, bool fresh) {
  std::vector<Json> pods;
  const auto take = [&pods](const Json& pod) { pods.push_back(trimmed_pod(pod)); };
  TRY_VOID(for_each_pod(api, string_at(workload, {"metadata", "namespace"}), workload, take, fresh));
  return pods;
}

Result<RolloutFacts> gather_rollout(Cluster& cluster, kube::Api& api, const WorkloadWorld& world,
                                    const api::BackupConfiguration& configuration, bool injected) {
  const api::WorkloadKind& kind = *world.kind;
  const Json& workload = *world.inject.workload;
  const std::string& ns = world.inject.ns;
  const auto& withdrawal = configuration.status.withdrawal;
  RolloutFacts facts{
      .injected = injected, .settled = is_settled(kind, workload), .settings = inject::fingerprint(cluster.settings)};
  PodTroubleWorld pods{.kind = kind,
                       .workload = workload,
                       .injected = sidecar_known_since(configuration.status.conditions, cluster.clock.now()),
                       .now = cluster.clock.now()};
  if (!facts.injected) {
    const bool due = withdrawal && pods.now >= withdrawal->retry_at;
    if (!due || withdrawal->phase != api::names::kWithdrawn) return facts;
    TRY_VOID(gather_evidence(api, ns, pods));
    const auto refusal = refusal_of(workload, pods.events, withdrawal->since.value_or(pods.now));
    if (refusal) facts.refused_without = refusal->sentence;
    return facts;
  }
  if (facts.settled && kind.rolls_out) return facts;
  TRY_VOID(gather_evidence(api, ns, pods));
  facts.settled = facts.settled && all_pods_follow(pods);
  facts.trouble = pod_trouble(pods);
  facts.unclear_refusal = unclear_refusal(pods);
  facts.outdated = (facts.trouble || withdrawal) && !inject::inject(world.inject, cluster.settings).patch.empty();
  return facts;
}

}  // namespace stash::controller
