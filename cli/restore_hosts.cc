#include "cli/restore_hosts.h"

#include <algorithm>
#include <utility>

#include "api/names.h"
#include "api/workload_kind.h"
#include "cli/object.h"
#include "controller/expected_hosts.h"
#include "controller/workload_facts.h"

namespace stash::cli {

namespace {

controller::ExpectedHosts expected_now(const api::TargetRef& target, const TargetFacts& facts) {
  const api::WorkloadKind* kind = api::workload_kind(target);
  controller::TargetWorld world;
  world.ref = target;
  world.pods.emplace();
  for (const Json& pod : facts.pods) world.pods->push_back(controller::pod_facts(pod, api::names::kInitContainer));
  if (kind != nullptr && facts.workload.is_object())
    world.workload = controller::workload_facts(*kind, facts.workload, api::names::kInitContainer);
  return controller::expected_hosts(world).value_or(controller::ExpectedHosts{});
}

std::vector<std::string> hosts_of_newest(const Json& sessions) {
  const Json* newest = nullptr;
  const auto age = [](const Json& session) {
    return std::pair(string_at(session, {"metadata", "creationTimestamp"}), name_of(session));
  };
  for (const Json& session : sessions) {
    if (array_at(session, {"status", "stats"}).empty()) continue;
    if (newest == nullptr || age(session) > age(*newest)) newest = &session;
  }
  std::vector<std::string> hosts;
  if (newest == nullptr) return hosts;
  for (const Json& host : array_at(*newest, {"status", "stats"})) hosts.push_back(string_at(host, {"hostname"}));
  return hosts;
}

}  // namespace

std::vector<std::string> hosts_of_target(const api::TargetRef& target, const TargetFacts& facts) {
  controller::ExpectedHosts expected = expected_now(target, facts);
  std::vector<std::string>& hosts = expected.names;
  if (!hosts.empty() && expected.unnamed == 0) return hosts;
  for (const std::string& host : hosts_of_newest(facts.sessions)) {
    if (std::ranges::find(hosts, host) == hosts.end()) hosts.push_back(host);
  }
  return hosts;
}

}  // namespace stash::cli
