#pragma once
#include <functional>
#include <optional>
#include <string_view>

#include "inject/injector.h"
#include "webhook/review.h"

namespace stash::webhook {

/// Which workload is asked about.
struct WorkloadKey {
  std::string ns, group, kind, name;
};

/// What is known about a workload: a World without `workload`, its configurations and restores narrowed to those that
/// name it. nullopt while the caches are not complete.
using Gather = std::function<std::optional<inject::World>(const WorkloadKey& key)>;

/// The answer for a workload: the injector's patch, its findings as warnings. Every doubt admits the object unchanged.
/// Deterministic and without side effects, so a dry run, a retry and a reinvocation need no care.
Answer admit(const Review& review, const inject::Settings& settings, const Gather& gather);

}  // namespace stash::webhook
