#include "controller/hook_requests.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "api/backup_session_host.h"
#include "api/codec.h"
#include "api/names.h"
#include "api/silence.h"
#include "api/time_out.h"
#include "controller/hosts.h"
#include "inject/workload_view.h"

namespace stash::controller {
namespace {

/// An error is the refusal.
template <class T>
using OrRefusal = std::expected<T, std::string>;

std::unexpected<std::string> refuse(std::string why) { return std::unexpected(std::move(why)); }

std::vector<HookRequest> requests_of(const Json& session) {
  std::vector<HookRequest> requests;
  const api::ObjectMeta meta = api::meta_of(session);
  const bool apart = api::has_host_objects(session);
  const Json& stats = array_at(session, {"status", "stats"});
  for (std::size_t i = 0; i < stats.size(); ++i) {
    const Json& host = stats[i];
    if (string_at(host, {"hook", "action"}).empty() || string_at(host, {"claim", "podUID"}).empty()) continue;
    const std::string phase = string_at(host, {"phase"});
    const auto queued = parse_time(string_at(host, {"hook", "queuedTime"}));
    requests.push_back({.session = meta.ref(),
                        .session_uid = meta.uid,
                        .host = string_at(host, {"hostname"}),
                        .action = string_at(host, {"hook", "action"}),
                        .phase = string_at(host, {"hook", "phase"}),
                        .requested = string_at(host, {"hook", "requestTime"}),
                        .pod = string_at(host, {"claim", "podName"}),
                        .pod_uid = string_at(host, {"claim", "podUID"}),
                        .taken_by = string_at(host, {"hook", "takenBy"}),
                        .queued = queued ? std::optional(*queued) : std::nullopt,
                        .place = apart ? HostPlace{api::kBackupSessionHosts,
                                                   api::host_object_ref(session, string_at(host, {"hostname"})), "", 0}
                                       : HostPlace{.ref = meta.ref(), .index = i},
                        .host_ended = phase == kHostSucceeded || phase == kHostFailed});
  }
  return requests;
}

OrRefusal<const api::Hook*> hook_asked_for(const HookWorld& world, const HookRequest& request) {
  const auto& configuration = world.configuration;
  if (!configuration) return refuse("the BackupConfiguration does not exist any more");
  for (const Json& owner : array_at(world.session, {"metadata", "ownerReferences"})) {
    if (string_at(owner, {"kind"}) == api::kBackupConfigurations.kind &&
        string_at(owner, {"name"}) == configuration->metadata.name &&
        string_at(owner, {"uid"}) != configuration->metadata.uid)
      return refuse("the BackupConfiguration was deleted and made anew since");
  }
  if (!world.exec_hooks) return refuse("the administrator has turned exec hooks off (hooks.exec=false of the chart)");
  const auto& hook = request.action == kPreBackup ? configuration->spec.pre_backup : configuration->spec.post_backup;
  const bool known = request.action == kPreBackup || request.action == kPostBackup;
  if (!known || !hook || !hook->exec || hook->exec->command.empty())
    return refuse(fmt::format("the BackupConfiguration has no spec.hooks.{}.exec with a command", request.action));
  return &*hook;
}

OrRefusal<const Json*> pod_asked_for(const HookWorld& world, const HookRequest& request, const HookPod& found) {
  const Json& pod = found.pod;
  if (!is_pod_of(request, pod)) return refuse(fmt::format("pod {} is gone", request.pod));
  const bool is_of_target =
      !world.workload_uid.empty() && std::ranges::find(found.makers, world.workload_uid) != found.makers.end();
  const Json& containers = array_at(pod, {"spec", "containers"});
  const auto sidecar = std::ranges::find_if(containers, inject::is_sidecar);
  const std::vector<std::string> served =
      sidecar == containers.end() ? std::vector<std::string>() : inject::invokers_of(*sidecar);
  if (!is_of_target || std::ranges::find(served, world.configuration->metadata.name) == served.end()) {
    return refuse(
        fmt::format("pod {} is no pod of the target with a sidecar for this BackupConfiguration, so no "
                    "program is run in it",
                    request.pod));
  }
  return &pod;
}

OrRefusal<std::string> container_asked_for(const Json& pod, const api::Hook& hook) {
  std::vector<std::string> theirs;
  for (const Json& container : array_at(pod, {"spec", "containers"})) {
    if (const std::string name = string_at(container, {"name"}); name != api::names::kSidecar) theirs.push_back(name);
  }
  if (hook.container_name == api::names::kSidecar)
    return refuse("containerName is stash, which is Stash's own container; name one of the application's");
  if (theirs.empty()) return refuse("the pod has no container but Stash's");
  if (hook.container_name.empty()) return theirs.front();
  if (std::ranges::find(theirs, hook.container_name) != theirs.end()) return hook.container_name;
  return refuse(fmt::format("containerName: the pod has no container {}; it has: {}", hook.container_name,
                            fmt::join(theirs, ", ")));
}

/// `session_limit`: beyond it nobody waits for the program.
OrRefusal<HookCommand> command_of(const HookRequest& request, const Json& pod, const api::Hook& hook,
                                  std::chrono::seconds session_limit) {
  auto container = container_asked_for(pod, hook);
  if (!container) return refuse(std::move(container.error()));
  auto timeout = api::hook_timeout(hook.timeout, session_limit);
  if (!timeout)
    return refuse(fmt::format("timeout {:?} is no duration such as 30s or 5m, of at most 24h", hook.timeout));
  if (request.host_ended) timeout = std::min<std::chrono::milliseconds>(*timeout, kThawLimit);
  return HookCommand{{request.session.ns, request.pod}, *std::move(container), hook.exec->command, *timeout};
}

std::optional<HookCommand> thaw_after(const HookWorld& world, HookRequest request, const Json& pod) {
  const auto& thaw = world.configuration->spec.post_backup;
  const bool whatever_comes = thaw && (thaw->execution_policy.empty() || thaw->execution_policy == "Always");
  if (request.action != kPreBackup || !whatever_comes || !thaw->exec || thaw->exec->command.empty())
    return std::nullopt;
  request.host_ended = true;
  auto command = command_of(request, pod, *thaw, kThawLimit);
  return command ? std::optional(*std::move(command)) : std::nullopt;
}

OrRefusal<HookCommand> command_for(const HookWorld& world, const HookRequest& request, const HookPod& found) {
  const auto hook = hook_asked_for(world, request);
  if (!hook) return refuse(hook.error());
  const auto pod = pod_asked_for(world, request, found);
  if (!pod) return refuse(pod.error());
  if (request.phase == kHookRunning && request.action == kPreBackup && !world.is_taken_unbegun(request)) {
    return refuse("whether it ran to its end is not known, for the controller that ran it is gone");
  }
  const auto limit = api::time_out(world.configuration->spec.time_out).value_or(api::kSessionTimeOut);
  return command_of(request, **pod, **hook, limit);
}

std::string pointer(const HookRequest& request, std::string_view rest) {
  return fmt::format("/status/stats/{}{}", request.place.index, rest);
}
Json test(const HookRequest& request, std::string_view member, const std::string& value) {
  return {{"op", "test"}, {"path", pointer(request, member)}, {"value", value}};
}
Json put(const HookRequest& request, std::string_view member, std::string_view value) {
  return {{"op", "add"}, {"path", pointer(request, member)}, {"value", value}};
}

/// That it is still this request, in this phase.
Json tests_of(const HookRequest& request) {
  return Json::array({test(request, "/hostname", request.host), test(request, "/claim/podUID", request.pod_uid),
                      test(request, "/hook/action", request.action), test(request, "/hook/phase", request.phase),
                      test(request, "/hook/requestTime", request.requested)});
}

}  // namespace

std::vector<HookRequest> open_hooks(const Json& session) {
  if (api::is_final_phase(string_at(session, {"status", "phase"})) ||
      at(session, {"metadata", "deletionTimestamp"}) != nullptr)
    return {};
  std::vector<HookRequest> open = requests_of(session);
  std::erase_if(open, [](const HookRequest& request) {
    const bool is_open =
        request.phase == kHookRequested || request.phase == kHookQueued || request.phase == kHookRunning;
    // What should come before a backup is of no use after it.
    return !is_open || (request.host_ended && request.action != kPostBackup);
  });
  return open;
}

std::optional<HookRequest> hook_now(const Json& object, const HookRequest& request) {
  for (HookRequest& now : requests_of(object)) {
    if (now.host != request.host) continue;
    // The object of a host is not its session.
    if (request.place.resource != api::kBackupSessions) {
      now.session = request.session;
      now.session_uid = string_at(object, {"spec", "backupSession", "uid"});
      now.place = request.place;
    }
    return std::move(now);
  }
  return std::nullopt;
}

bool is_same_request(const HookRequest& a, const HookRequest& b) {
  return a.session_uid == b.session_uid && a.host == b.host && a.action == b.action && a.requested == b.requested &&
         a.pod_uid == b.pod_uid;
}

HookTurns take_turns(std::vector<HookRequest> open, HookRoom room) {
  HookTurns turns;
  for (HookRequest& request : open) {
    std::size_t& places = request.action == kPostBackup ? room.post_backup : room.pre_backup;
    auto& those = places > 0 ? turns.begin : turns.wait;
    if (places > 0) --places;
    those.push_back(std::move(request));
  }
  return turns;
}

bool is_sign_due(const HookRequest& request, TimePoint now) {
  if (request.phase == kHookRunning) return false;
  // One from the future is of a clock that was set back, and would keep us silent.
  return request.phase != kHookQueued || !request.queued || *request.queued > now ||
         now - *request.queued >= api::kQueueSign;
}

bool is_pod_of(const HookRequest& request, const Json& pod) {
  const std::string phase = string_at(pod, {"status", "phase"});
  return string_at(pod, {"metadata", "uid"}) == request.pod_uid && phase != "Succeeded" && phase != "Failed";
}

std::vector<HookStep> plan_hooks(const HookWorld& world) {
  std::vector<HookStep> steps;
  for (HookRequest& request : open_hooks(world.session)) {
    const auto pod = world.pods.find(request.pod);
    if (pod == world.pods.end() || world.is_in_hand(request)) continue;
    auto command = command_for(world, request, pod->second);
    if (command) {
      auto thaw = thaw_after(world, request, pod->second.pod);
      steps.push_back({std::move(request), *std::move(command), "", std::move(thaw)});
    } else {
      steps.push_back({std::move(request), std::nullopt, std::move(command.error())});
    }
  }
  return steps;
}

Json queue_operations(const HookRequest& request, TimePoint now) {
  Json operations = tests_of(request);
  operations.push_back(put(request, "/hook/phase", kHookQueued));
  operations.push_back(put(request, "/hook/queuedTime", format_time(now)));
  return operations;
}

Json take_operations(const HookRequest& request, const std::string& taker) {
  Json operations = tests_of(request);
  if (!request.taken_by.empty()) operations.push_back(test(request, "/hook/takenBy", request.taken_by));
  operations.push_back(put(request, "/hook/phase", kHookRunning));
  operations.push_back(put(request, "/hook/takenBy", taker));
  return operations;
}

Json outcome_operations(const HookRequest& request, const std::string& error) {
  Json operations = tests_of(request);
  operations.push_back(put(request, "/hook/phase", error.empty() ? kHookSucceeded : kHookFailed));
  operations.push_back(put(request, "/hook/error", error));
  return operations;
}

}  // namespace stash::controller
