#include "controller/expected_hosts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "controller/hosts.h"

namespace stash::controller {
namespace {

using api::HostScheme;

constexpr std::string_view kHostPrefix = "host-";

std::optional<int> ordinal_of(std::string_view host) {
  if (!host.starts_with(kHostPrefix)) return std::nullopt;
  host.remove_prefix(kHostPrefix.size());
  int ordinal = 0;
  const auto [end, error] = std::from_chars(host.data(), host.data() + host.size(), ordinal);
  return error == std::errc{} && end == host.data() + host.size() ? std::optional(ordinal) : std::nullopt;
}

bool is_its_own(const TargetWorld& target, const PodFacts& pod) {
  return is_alive(pod) && pod.owner_uid == target.workload->uid;
}

/// Nodes that have a pod of the DaemonSet, or had one a moment ago: one that is being replaced comes back.
std::set<std::string> nodes_with_pods(const TargetWorld& target) {
  std::set<std::string> nodes;
  for (const PodFacts& pod : *target.pods) {
    if (is_its_own(target, pod) && !pod.node.empty()) nodes.insert(pod.node);
  }
  return nodes;
}

ExpectedHosts hosts_by_ordinal(const WorkloadFacts& workload) {
  ExpectedHosts hosts;
  for (int i = 0; i < workload.replicas; ++i) {
    hosts.names.push_back(fmt::format("{}{}", kHostPrefix, workload.first_ordinal + i));
  }
  return hosts;
}

std::optional<ExpectedHosts> hosts_by_node(const TargetWorld& target) {
  if (!target.pods) return std::nullopt;
  const std::set<std::string> nodes = nodes_with_pods(target);
  ExpectedHosts hosts{{nodes.begin(), nodes.end()}, 0};
  hosts.unnamed = std::max(0, target.workload->wanted_nodes - static_cast<int>(nodes.size()));
  return hosts;
}

std::string why_ordinal_gone(const TargetWorld& target, const std::string& host) {
  const auto ordinal = ordinal_of(host);
  const auto& [first, replicas] = std::pair(target.workload->first_ordinal, target.workload->replicas);
  if (!ordinal || (*ordinal >= first && *ordinal < first + replicas)) return "";
  return fmt::format("StatefulSet {} was scaled to {} while this session waited, so no pod has this host's volumes",
                     target.ref.name, replicas);
}

}  // namespace

std::optional<ExpectedHosts> expected_hosts(const TargetWorld& target) {
  const api::WorkloadKind* kind = api::workload_kind(target.ref);
  if (kind == nullptr) return std::nullopt;
  if (kind->hosts == HostScheme::single) return ExpectedHosts{{"host-0"}, 0};
  if (!target.workload) return std::nullopt;
  return kind->hosts == HostScheme::ordinals ? hosts_by_ordinal(*target.workload) : hosts_by_node(target);
}

int unnamed_hosts(const Json& session, const Json& stats) {
  const auto known = static_cast<std::int64_t>(stats.size());
  return static_cast<int>(std::max<std::int64_t>(0, int_at(session, {"status", "totalHosts"}) - known));
}

int name_hosts(const Json& session, const TargetWorld& target, Json& stats, bool interrupted) {
  const int before = unnamed_hosts(session, stats);
  if (!interrupted && !stats.empty() && before == 0) return 0;
  const auto expected = expected_hosts(target);
  // Whoever was interrupted has told nobody how many more there are.
  if (!expected) return std::max(before, interrupted ? 1 : 0);
  add_missing_hosts(stats, expected->names);
  return expected->unnamed;
}

void name_later_ordinals(const TargetWorld& target, Json& stats) {
  const api::WorkloadKind* kind = api::workload_kind(target.ref);
  if (kind == nullptr || kind->hosts != HostScheme::ordinals) return;
  if (const auto expected = expected_hosts(target)) add_missing_hosts(stats, expected->names);
}

std::function<std::string(const std::string& host)> why_gone(const TargetWorld& target) {
  const api::WorkloadKind* kind = api::workload_kind(target.ref);
  const bool known = kind != nullptr && target.workload;
  if (known && kind->hosts == HostScheme::ordinals) {
    return [&target](const std::string& host) { return why_ordinal_gone(target, host); };
  }
  if (known && kind->hosts == HostScheme::nodes && target.pods) {
    return [&target, nodes = nodes_with_pods(target)](const std::string& host) -> std::string {
      // While a node waits for its pod, it may be this one.
      if (nodes.contains(host) || static_cast<int>(nodes.size()) < target.workload->wanted_nodes) return "";
      return fmt::format("DaemonSet {} no longer runs a pod on this node", target.ref.name);
    };
  }
  return [](const std::string&) { return std::string(); };
}

const PodFacts* pod_of_host(const TargetWorld& target, const std::string& host) {
  const api::WorkloadKind* kind = api::workload_kind(target.ref);
  if (kind == nullptr || !target.workload || !target.pods || kind->hosts == HostScheme::single) return nullptr;
  const bool by_node = kind->hosts == HostScheme::nodes;
  const auto ordinal = ordinal_of(host);
  if (!by_node && !ordinal) return nullptr;
  const std::string name = by_node ? "" : fmt::format("{}-{}", target.ref.name, *ordinal);
  const auto found = std::ranges::find_if(*target.pods, [&](const PodFacts& pod) {
    return (by_node ? pod.node == host : pod.name == name) && is_its_own(target, pod);
  });
  return found == target.pods->end() ? nullptr : &*found;
}

}  // namespace stash::controller
