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

/// Those that find no room. Else their pods take the controller for dead, and their backups fail.
Result<void> tell_to_wait(Cluster& cluster, kube::Api& api, const std::vector<HookRequest>& waiting) {
  if (waiting.empty()) return {};
  cluster.hooks.wake_for_room(waiting.front().session);
  const TimePoint now = cluster.clock.now();
  for (const HookRequest& request : waiting) {
    if (!is_sign_due(request, now)) continue;
    const HostPlace& place = request.place;
    const auto told = api.json_patch(place.resource, place.ref, queue_operations(request, now), place.subresource);
    // Refused tests: the request is another one by now.
    const bool is_current = told || told.error().code == ErrorCode::conflict ||
                            told.error().code == ErrorCode::invalid || told.error().code == ErrorCode::not_found;
    if (!is_current) return std::unexpected(told.error());
  }
  return {};
}

}  // namespace

Result<void> start_hooks(Cluster& cluster, kube::Api& api, const Json& session,
                         const std::optional<api::BackupConfiguration>& configuration) {
  HookWorld world;
  world.is_in_hand = [&cluster](const HookRequest& request) { return cluster.hooks.is_in_hand(request); };
  world.is_taken_unbegun = [&cluster](const HookRequest& request) { return cluster.hooks.is_taken_unbegun(request); };
  std::vector<HookRequest> open = open_hooks(session);
  std::erase_if(open, world.is_in_hand);
  const std::string ns = string_at(session, {"metadata", "namespace"});
  const HookTurns turns = take_turns(std::move(open), cluster.hooks.room(ns));
  for (const HookRequest& request : turns.begin) {
    if (world.pods.contains(request.pod)) continue;
    TRY(Json pod, live_object(api, api::kPods, {ns, request.pod}));
    std::vector<std::string> makers = makers_of(cluster.caches, pod);
    world.pods[request.pod] = {std::move(pod), std::move(makers)};
  }
  world.session = session;
  world.configuration = configuration;
  world.exec_hooks = cluster.settings.exec_hooks;
  if (configuration) world.workload_uid = workload_uid(cluster.caches, ns, *configuration);
  for (HookStep& step : plan_hooks(world)) cluster.hooks.start(std::move(step));
  return tell_to_wait(cluster, api, turns.wait);
}

}  // namespace stash::controller
