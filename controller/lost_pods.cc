#include "controller/lost_pods.h"

#include <algorithm>

#include "api/workload_kind.h"

namespace stash::controller {

namespace {

constexpr std::size_t kKept = 20;

}  // namespace

void record_lost_pods(Json& status, const Json& claims, const api::TargetRef& target) {
  if (claims.empty()) return;
  const api::WorkloadKind* kind = api::workload_kind(target);
  const bool numbered = kind == nullptr || kind->hosts == api::HostScheme::ordinals;
  Json pods = array_at(status, {"lostPods"});
  for (Json pod : claims) {
    if (!pod.is_object()) continue;
    const std::string uid = string_at(pod, {"podUID"});
    const auto same = [&](const Json& other) { return string_at(other, {"podUID"}) == uid; };
    if (uid.empty() || std::any_of(pods.begin(), pods.end(), same)) continue;
    if (numbered) pod.erase("podName");
    pods.push_back(std::move(pod));
  }
  while (pods.size() > kKept) pods.erase(0);
  status["lostPods"] = std::move(pods);
}

}  // namespace stash::controller
