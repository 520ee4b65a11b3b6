#pragma once
#include <chrono>

/// What a pod that works on a host and the controller that watches it hold each other to.
namespace stash::api {

/// A living pod that has shown no sign of life for this long is taken for stalled: the controller fails its host, and
/// the next session may give the host to another pod.
inline constexpr std::chrono::minutes kStall{15};

/// So a pod whose signs of life reach nobody ends its work after this long, by its own steady clock. It must stay below
/// kStall by what the end may take: until the next sign of life fails (one is due every 30 s, and a call to the API
/// server may hang for as long), and until restic has gone.
inline constexpr std::chrono::minutes kCutOff{10};
static_assert(kCutOff + std::chrono::minutes(3) <= kStall);

/// While an exec hook waits for its turn, the controller says so as often as this, and a pod that does not hear of it
/// for kQueueSilence takes it for dead. A change of leaders and a session's looks lie between.
inline constexpr std::chrono::minutes kQueueSign{3}, kQueueSilence{10};

}  // namespace stash::api
