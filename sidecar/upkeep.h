#pragma once
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sidecar/other_hosts.h"

/// The upkeep of a repository is what one session does to it once, however many hosts it has: check, forget with prune,
/// and measure. It falls to the host whose snapshots come out last: each tells so in the session's status, and the API
/// server puts these writes in an order (docs/decisions/0029).
namespace stash::sidecar {

struct Upkeep {
  enum class Turn { unknown, ours, others };
  Turn turn = Turn::unknown;
  bool alone = true;           ///< the session has no other host, so nothing need be told
  int looks = 0, waits = 0;    ///< at the others, and in between
  std::set<std::string> done;  ///< of the others, at the first look
  OtherHosts others;           ///< at the last look
  friend bool operator==(const Upkeep&, const Upkeep&) = default;
};

/// Hosts that no pod has taken are waited for as long as this: 8 times 15 s. Then they are given up, and should a pod
/// come for one later, it is the last and does the upkeep once more.
inline constexpr int kUpkeepLooks = 9;
inline constexpr std::chrono::seconds kUpkeepWait{15};

/// What the answer to our telling says. nullopt: the telling was not kept (CRDs of an older release), so every host
/// does the upkeep as long as its own backup is good.
void note_others(Upkeep& upkeep, const std::optional<OtherHosts>& others);
inline void note_wait(Upkeep& upkeep) { ++upkeep.waits; }

/// Whether any host's snapshots are there to which a retention policy could be applied.
bool any_backed_up(const Upkeep& upkeep, bool ours);

/// The only hosts whose older snapshots may be forgotten, sorted: those that are backed up. nullopt when that is every
/// host of the session; then the policy is for the whole repository, as in Stash.
std::optional<std::vector<std::string>> hosts_to_forget(const Upkeep& upkeep, const std::string& host, bool backed_up);

/// "host-1 failed; host-2 has not been backed up yet": why the others' snapshots are left alone; "" when there are
/// none.
std::string hosts_left_alone(const Upkeep& upkeep, const std::string& host, bool backed_up);

}  // namespace stash::sidecar
