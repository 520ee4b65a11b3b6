#pragma once
#include <functional>
#include <optional>
#include <string>

#include "inject/decision.h"
#include "webhook/review.h"

namespace stash::webhook {

/// What the warnings may look at besides the object itself.
struct WarnWorld {
  std::function<std::optional<Json>(const std::string& ns)> namespace_labels;  ///< nullopt when not known
  std::function<inject::SharedRepository(const std::string& ns, const std::string& name)> repository;
  bool synced = true;  ///< false: nothing is known about other objects, so nothing is said about them
};

/// The answer for an object of our own kinds: always admitted as it is, with what its author should know at once:
/// wrong types, fields that this version does not act on, a schedule that no CronJob takes, a missing Repository.
Answer warn(const Review& review, const inject::Settings& settings, const WarnWorld& world);

}  // namespace stash::webhook
