#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace stash::controller {

/// How the injection into a workload stands.
struct InjectionFacts {
  bool asked_in_vain = false;  ///< the workload was written for the webhook's sake and came back without the container
  std::string error;           ///< that write was refused, for none of ours: the API server's sentence
  bool up_to_date = false;     ///< injecting the live workload would change nothing
  std::vector<std::string>
      blamed;           ///< objects for whose part of the change that write was refused ("RestoreSession demo/x")
  std::string refusal;  ///< the API server's sentence then
  std::chrono::seconds refused_for{0};  ///< how long ago that was
};

}  // namespace stash::controller
