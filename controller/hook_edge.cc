#include "controller/hook_edge.h"

#include "controller/gather.h"
#include "controller/hook_requests.h"

namespace stash::controller {
namespace {

/// A Deployment's pods are made by its ReplicaSets, so two steps are enough for all kinds.
std::vector<std::string> makers_of(const Caches& caches, const Json& pod) {
  const std::string maker = controller_uid(pod);
  std::vector<std::string> makers{maker};
  for (const Json& owner : array_at(pod, {"metadata", "ownerReferences"})) {
    const auto* kind =
        api::workload_kind(api::workload_group(string_at(owner, {"apiVersion"})), string_at(owner, {"kind"}));
    if (kind == nullptr || string_at(owner, {"uid"}) != maker) continue;
    const auto object =
        caches.workload({kind, {string_at(pod, {"metadata", "namespace"}), string_at(owner, {"name"})}});
    // One that was made anew under the name has made other pods.
    if (object && string_at(*object, {"metadata", "uid"}) == maker) makers.push_back(controller_uid(*object));
  }
  return makers;
}

std::string workload_uid(const Caches& caches, const std::string& ns, const api::BackupConfiguration& configuration) {
  if (!configuration.spec.target) return "";
  const api::TargetRef& target = configuration.spec.target->ref;
  const auto* kind = api::workload_kind(target);
  const auto workload = kind == nullptr ? nullptr : caches.workload({kind, {ns, target.name}});
  return workload ? string_at(*workload, {"metadata", "uid"}) : "";
}

}  // namespace

Result<void> start_hooks(Cluster& cluster, kube::Api& api, const Json& session,
                         const std::optional<api::BackupConfiguration>& configuration) {
  HookWorld world;
  world.is_in_hand = [&cluster](const HookRequest& request) { return cluster.hooks.is_in_hand(request); };
  world.is_taken_unbegun = [&cluster](const HookRequest& request) { return cluster.hooks.is_taken_unbegun(request); };
  for (const HookRequest& request : open_hooks(session)) {
    if (world.is_in_hand(request) || world.pods.contains(request.pod)) continue;
    TRY(Json pod, live_object(api, api::kPods, {request.session.ns, request.pod}));
    std::vector<std::string> makers = makers_of(cluster.caches, pod);
    world.pods[request.pod] = {std::move(pod), std::move(makers)};
  }
  if (world.pods.empty()) return {};
  world.session = session;
  world.configuration = configuration;
  world.exec_hooks = cluster.settings.exec_hooks;
  if (configuration)
    world.workload_uid = workload_uid(cluster.caches, string_at(session, {"metadata", "namespace"}), *configuration);
  for (HookStep& step : plan_hooks(world)) cluster.hooks.start(std::move(step));
  return {};
}

}  // namespace stash::controller
