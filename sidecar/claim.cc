#include "sidecar/claim.h"

#include <algorithm>
#include <cctype>

#include "api/codec.h"
#include "api/meta.h"

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

bool is_over(const Json& session) {
  return api::is_final_phase(string_at(session, {"status", "phase"})) ||
         !string_at(session, {"metadata", "deletionTimestamp"}).empty();
}

bool belongs_to(const Json& session, std::string_view configuration) {
  const auto decoded = api::decode<api::BackupSession>(session);
  if (!decoded) return false;
  const auto name = api::configuration_of(*decoded);
  return name && *name == configuration;
}

}  // namespace

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
    return HostEntry{i, string_at(stats[i], {"phase"}), string_at(stats[i], {"claim", "podName"}),
                     string_at(stats[i], {"claim", "podUID"})};
  }
  return std::nullopt;
}

Json claim_json(const PodIdentity& pod, TimePoint now) {
  return {{"podName", pod.name}, {"podUID", pod.uid}, {"heartbeatTime", format_time(now)}};
}

Json claim_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now) {
  Json operations = Json::array({test(entry, "/hostname", host), test(entry, "/phase", entry.phase)});
  // A failed try of a restore is repeated by whoever comes first, so its claim is part of what must not have changed.
  if (!entry.pod_uid.empty()) operations.push_back(test(entry, "/claim/podUID", entry.pod_uid));
  operations.push_back(put(entry, "/phase", kRunning));
  operations.push_back(put(entry, "/claim", claim_json(pod, now)));
  if (entry.phase == kFailed) operations.push_back(put(entry, "/error", ""));
  return operations;
}

Json heartbeat_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now) {
  return Json::array({test(entry, "/hostname", host), test(entry, "/claim/podUID", pod.uid),
                      test(entry, "/phase", kRunning), put(entry, "/claim/heartbeatTime", format_time(now))});
}

Json result_operations(const HostEntry& entry, const PodIdentity& pod, const api::HostStats& result) {
  return Json::array({test(entry, "/hostname", result.hostname),
                      test(entry, "/claim/podUID", pod.uid),
                      test(entry, "/phase", kRunning),
                      {{"op", "replace"}, {"path", pointer(entry, "")}, {"value", api::encode_host(result)}}});
}

Json give_back_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod) {
  return Json::array({test(entry, "/hostname", host), test(entry, "/claim/podUID", pod.uid),
                      test(entry, "/phase", kRunning), put(entry, "/phase", kPending), remove(entry, "/claim")});
}

bool still_ours(const Json& session, std::string_view host, const PodIdentity& pod) {
  if (is_over(session)) return false;
  const auto entry = host_entry(session, host);
  return entry && entry->phase == kRunning && entry->pod_uid == pod.uid;
}

std::optional<NextSession> next_session(const std::vector<const Json*>& sessions, std::string_view configuration,
                                        std::string_view host, const PodIdentity& pod) {
  std::optional<NextSession> next;
  TimePoint oldest{};
  for (const Json* session : sessions) {
    if (is_over(*session)) continue;
    const auto entry = host_entry(*session, host);
    if (!entry) continue;
    const bool mine = entry->phase == kRunning && entry->pod_uid == pod.uid && !pod.uid.empty();
    if (entry->phase != kPending && !mine) continue;
    if (!belongs_to(*session, configuration)) continue;
    const api::ObjectMeta meta = api::meta_of(*session);
    if (next && std::tie(meta.created, meta.name) >= std::tie(oldest, next->name)) continue;
    next = NextSession{meta.name, meta.uid, *entry, mine};
    oldest = meta.created;
  }
  return next;
}

RestoreTurn restore_turn(const Json& session, std::string_view host, const PodIdentity& pod) {
  if (string_at(session, {"status", "phase"}) == kSucceeded) return RestoreTurn::nothing_to_do;
  if (!string_at(session, {"metadata", "deletionTimestamp"}).empty()) return RestoreTurn::nothing_to_do;
  const auto entry = host_entry(session, host);
  if (!entry) return RestoreTurn::wait;
  if (entry->phase == kSucceeded) return RestoreTurn::nothing_to_do;
  if (entry->phase == kPending || entry->phase == kFailed) return RestoreTurn::claim;
  if (entry->phase == kRunning && entry->pod_uid == pod.uid && !pod.uid.empty()) return RestoreTurn::resume;
  return RestoreTurn::wait;
}

}  // namespace stash::sidecar
