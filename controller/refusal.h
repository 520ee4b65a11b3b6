#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"

/// Pods that the API server refuses to make: a quota, a LimitRange, Pod Security, an admission policy.
namespace stash::controller {

/// The API server's own sentence, and since when it has been saying so.
struct Refusal {
  std::string sentence;
  TimePoint since{};
};

/// By the workload's condition ReplicaFailure, else by the newest of its FailedCreate events that is not older than
/// `not_before`. nullopt: none is known.
std::optional<Refusal> refusal_of(const Json& workload, const std::vector<Json>& events, TimePoint not_before);

/// A foreign sentence as a status has room for it: a policy may write a page.
std::string cut(const std::string& sentence);

/// Whose fault a refusal is, as far as its sentence tells.
enum class Blame {
  ours,      ///< without the sidecar the pod would be made
  not_ours,  ///< it would be refused without the sidecar as well
  unclear,
};
/// A quota's sentence has all figures, and one that misses values names the containers; `sidecar` is our container in
/// the template. https://kubernetes.io/docs/concepts/policy/resource-quotas/
Blame blame_for(const std::string& sentence, const Json& sidecar);

}  // namespace stash::controller
