#include "sidecar/claim.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "api/codec.h"
#include "api/names.h"
#include "api/resource.h"
#include "sidecar/restore_attempts.h"

namespace stash::sidecar {

namespace {

constexpr std::string_view kPending = "Pending", kRunning = "Running", kSucceeded = "Succeeded", kFailed = "Failed";

std::string pointer(const HostEntry& entry, std::string_view rest) {
  return fmt::format("/status/stats/{}{}", entry.index, rest);
}
Json test(const HostEntry& entry, std::string_view member, std::string_view value) {
  return {{"op", "test"}, {"path", pointer(entry, member)}, {"value", value}};
}
Json put(const HostEntry& entry, std::string_view member, Json value) {
  return {{"op", "add"}, {"path", pointer(entry, member)}, {"value", std::move(value)}};
}
Json remove(const HostEntry& entry, std::string_view member) {
  return {{"op", "remove"}, {"path", pointer(entry, member)}};
}

/// With which every write of a pod that works begins.
Json tests_that_it_is_ours(const HostEntry& entry, std::string_view host, const PodIdentity& pod) {
  return Json::array(
      {test(entry, "/hostname", host), test(entry, "/claim/podUID", pod.uid), test(entry, "/phase", kRunning)});
}

Json sign_of_life(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now) {
  Json operations = tests_that_it_is_ours(entry, host, pod);
  operations.push_back(put(entry, "/claim/heartbeatTime", format_time(now)));
  return operations;
}

HookEntry hook_entry(const Json& host) {
  return {string_at(host, {"hook", "action"}), string_at(host, {"hook", "phase"}), string_at(host, {"hook", "error"}),
          string_at(host, {"hook", "requestTime"}), string_at(host, {"hook", "queuedTime"})};
}

std::vector<api::SnapshotStats> names_in(const Json& snapshots) {
  std::vector<api::SnapshotStats> named;
  for (const Json& snapshot : snapshots)
    named.push_back({.name = string_at(snapshot, {"name"}), .path = string_at(snapshot, {"path"})});
  return named;
}

std::vector<std::string> texts_in(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& text : list) {
    if (text.is_string()) texts.push_back(text.get<std::string>());
  }
  return texts;
}

}  // namespace

bool has_unique_name(std::string_view kind) { return kind != "StatefulSet"; }

Result<std::string> host_of(std::string_view kind, const PodIdentity& pod) {
  if (kind == "StatefulSet") {
    const auto dash = pod.name.rfind('-');
    const std::string ordinal = dash == std::string::npos ? "" : pod.name.substr(dash + 1);
    if (ordinal.empty() || !std::ranges::all_of(ordinal, [](unsigned char c) { return std::isdigit(c) != 0; })) {
      return fail(ErrorCode::invalid, fmt::format("the pod's name \"{}\" has no ordinal", pod.name));
    }
    return "host-" + ordinal;
  }
  if (kind == "DaemonSet") {
    if (pod.node.empty())
      return fail(ErrorCode::invalid, "NODE_NAME is not set, and it is the host of a DaemonSet's pod");
    return pod.node;
  }
  return std::string("host-0");
}

std::optional<HostEntry> host_entry(const Json& session, std::string_view host) {
  const Json& stats = array_at(session, {"status", "stats"});
  for (std::size_t i = 0; i < stats.size(); ++i) {
    if (string_at(stats[i], {"hostname"}) != host) continue;
    const Json& entry = stats[i];
    return HostEntry{i,
                     string_at(entry, {"phase"}),
                     string_at(entry, {"claim", "podName"}),
                     string_at(entry, {"claim", "podUID"}),
                     static_cast<int>(std::clamp<std::int64_t>(int_at(entry, {"attempts"}), 0, 1'000'000)),
                     hook_entry(entry),
                     at(entry, {"backedUp"}) != nullptr,
                     at(entry, {"progress"}) != nullptr,
                     texts_in(array_at(entry, {"incomplete"})),
                     string_at(entry, {"claim", "stop"}),
                     names_in(array_at(entry, {"snapshots"})),
                     static_cast<int>(std::clamp<std::int64_t>(int_at(entry, {"claim", "restarts"}), 0, 1'000'000))};
  }
  return std::nullopt;
}

Json claim_json(const PodIdentity& pod, TimePoint now) {
  return {{"podName", pod.name}, {"podUID", pod.uid}, {"heartbeatTime", format_time(now)}};
}

Json claim_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now,
                      Counted counted) {
  Json operations = Json::array({test(entry, "/hostname", host), test(entry, "/phase", entry.phase)});
  // A failed try of a restore is repeated by whoever comes first, so its claim is part of what must not have changed.
  if (!entry.pod_uid.empty()) operations.push_back(test(entry, "/claim/podUID", entry.pod_uid));
  operations.push_back(put(entry, "/phase", kRunning));
  operations.push_back(put(entry, "/claim", claim_json(pod, now)));
  // What another pod asked for must not be run in this one.
  if (!entry.hook.action.empty()) operations.push_back(remove(entry, "/hook"));
  if (entry.phase == kFailed) operations.push_back(put(entry, "/error", ""));
  // Of the pod before us; what it told is ours to tell.
  if (entry.told) operations.push_back(remove(entry, "/backedUp"));
  if (entry.progressed) operations.push_back(remove(entry, "/progress"));
  if (counted == Counted::yes) operations.push_back(put(entry, "/attempts", entry.attempts + 1));
  return operations;
}

bool is_ended_thaw(const HookEntry& hook) {
  return hook.action == "postBackup" && (hook.phase == kSucceeded || hook.phase == kFailed);
}

Json resume_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now,
                       Counted counted) {
  Json operations = sign_of_life(entry, host, pod, now);
  if (counted == Counted::yes) operations.push_back(put(entry, "/claim/restarts", entry.restarts + 1));
  if (is_ended_thaw(entry.hook)) operations.push_back(remove(entry, "/hook"));
  return operations;
}

Json heartbeat_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now,
                          const std::optional<api::Progress>& progress, const std::vector<std::string>& incomplete) {
  Json operations = sign_of_life(entry, host, pod, now);
  if (progress) operations.push_back(put(entry, "/progress", api::encode_progress(*progress)));
  if (!incomplete.empty()) operations.push_back(put(entry, "/incomplete", incomplete));
  return operations;
}

Json result_operations(const HostEntry& entry, const PodIdentity& pod, const api::HostStats& result) {
  Json operations = tests_that_it_is_ours(entry, result.hostname, pod);
  operations.push_back({{"op", "replace"}, {"path", pointer(entry, "")}, {"value", api::encode_host(result)}});
  return operations;
}

Json told_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now,
                     bool backed_up) {
  Json operations = sign_of_life(entry, host, pod, now);
  operations.push_back(put(entry, "/backedUp", backed_up));
  return operations;
}

Json chosen_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now,
                       const std::vector<api::SnapshotStats>& chosen) {
  api::HostStats told;
  told.snapshots = chosen;
  Json operations = sign_of_life(entry, host, pod, now);
  operations.push_back(put(entry, "/snapshots", array_at(api::encode_host(told), {"snapshots"})));
  return operations;
}

Json give_back_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod,
                          const std::vector<std::string>& incomplete) {
  Json operations = tests_that_it_is_ours(entry, host, pod);
  operations.push_back(put(entry, "/phase", kPending));
  operations.push_back(remove(entry, "/claim"));
  if (entry.attempts > 0) operations.push_back(put(entry, "/attempts", entry.attempts - 1));
  // Whoever claims it without having read it must not find our request.
  if (!entry.hook.action.empty()) operations.push_back(remove(entry, "/hook"));
  if (entry.told) operations.push_back(remove(entry, "/backedUp"));
  if (entry.progressed) operations.push_back(remove(entry, "/progress"));
  if (!incomplete.empty()) operations.push_back(put(entry, "/incomplete", incomplete));
  return operations;
}

Json hook_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, std::string_view action,
                     const std::string& requested) {
  Json operations = tests_that_it_is_ours(entry, host, pod);
  operations.push_back(put(entry, "/hook", {{"action", action}, {"phase", "Requested"}, {"requestTime", requested}}));
  return operations;
}

std::optional<api::HookStatus> unanswered(const HookEntry& hook) {
  const auto requested = parse_time(hook.requested);
  if (hook.action != "postBackup" || is_ended_thaw(hook) || !requested) return std::nullopt;
  return api::HookStatus{hook.action, hook.phase, hook.error, *requested};
}

std::optional<api::HookStatus> owed_thaw(const HookEntry& hook, TimePoint now) {
  if (hook.action == "postBackup") return unanswered(hook);
  return api::HookStatus{"postBackup", "Requested", "", now};
}

bool is_pending(const HostEntry& entry) { return entry.phase == kPending; }

bool is_held_by(const HostEntry& entry, const PodIdentity& pod) {
  return entry.phase == kRunning && entry.pod_uid == pod.uid && !pod.uid.empty();
}

bool is_over(const Json& session) {
  return api::is_final_phase(string_at(session, {"status", "phase"})) ||
         !string_at(session, {"metadata", "deletionTimestamp"}).empty();
}

bool still_ours(const Json& session, std::string_view host, const PodIdentity& pod) {
  const bool being_deleted = !string_at(session, {"metadata", "deletionTimestamp"}).empty();
  const bool tried_again = string_at(session, {"kind"}) == api::kRestoreSessions.kind &&
                           string_at(session, {"status", "phase"}) == kFailed && !being_deleted;
  if (is_over(session) && !tried_again) return false;
  const auto entry = host_entry(session, host);
  return entry && is_held_by(*entry, pod);
}

RestoreTurn restore_turn(const Json& session, std::string_view host, const PodIdentity& pod) {
  if (string_at(session, {"status", "phase"}) == kSucceeded) return RestoreTurn::nothing_to_do;
  if (!string_at(session, {"metadata", "deletionTimestamp"}).empty()) return RestoreTurn::nothing_to_do;
  const auto entry = host_entry(session, host);
  if (!entry) return RestoreTurn::wait;
  if (entry->phase == kSucceeded) return RestoreTurn::nothing_to_do;
  const bool held = is_held_by(*entry, pod);
  if (!held && entry->phase == kRunning) return RestoreTurn::wait;
  // What the newer one restores must not be written over.
  if (!held && string_at(session, {"status", "reason"}) == api::names::kSuperseded) return RestoreTurn::exhausted;
  if (entry->attempts >= kRestoreAttempts) {
    return entry->phase == kFailed ? RestoreTurn::exhausted : RestoreTurn::give_up;
  }
  return held ? RestoreTurn::resume : RestoreTurn::claim;
}

}  // namespace stash::sidecar
