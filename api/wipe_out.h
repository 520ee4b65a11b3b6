#pragma once
#include <string_view>

namespace stash::api {

/// Of the Job that removes the data of a Repository, which has no runtimeSettings: what is told when memory was short,
/// by its program when that outlives restic, else by the controller.
inline constexpr std::string_view kWipeOutOutOfMemory =
    "the Job was killed, most likely for lack of memory: raise wipeOut.resources.limits.memory in the values of "
    "Stash's chart";

}  // namespace stash::api
