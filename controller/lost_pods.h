#pragma once
#include "base/json.h"
#include "controller/obstacle.h"

namespace stash::controller {

/// Adds the claims of pods that are gone to status.lostPods, for sidecars that meet the locks of these pods: nobody
/// else can tell them, since they may not look at pods. The name only where no other pod ever has it, which is not so
/// of pods that are numbered. The last twenty.
void record_lost_pods(Json& status, const Json& claims, const api::TargetRef& target);

}  // namespace stash::controller
