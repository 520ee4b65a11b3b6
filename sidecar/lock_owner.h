#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/json.h"

/// Whose lock is in restic's way, and whether that one is proven to be dead (docs/decisions/0030). Host names are proof
/// only where no two pods can have the same: "web-0" is a pod of every StatefulSet web, in every namespace and cluster.
namespace stash::sidecar {

struct LockOwner {
  int pid = 0;
  std::string host, user;
  std::string lock;  ///< the beginning of the lock's id, at least 8 hexadecimal digits
  friend bool operator==(const LockOwner&, const LockOwner&) = default;
};

/// The one that restic named last, plainly or inside of a JSON message. nullopt when it named none.
std::optional<LockOwner> parse_lock_owner(std::string_view standard_error);

/// Pods that are gone, with all their processes: by their UIDs, which our restic has for its user name where the image
/// lets it, and by those of their names that no other pod ever has.
struct DeadOwners {
  std::set<std::string> users, hosts;
  friend bool operator==(const DeadOwners&, const DeadOwners&) = default;
};

/// Adds what the controller has found out while it looked after `session`: status.lostPods.
void add_lost_pods(DeadOwners& dead, const Json& session);

bool is_dead(const LockOwner& owner, const DeadOwners& dead);

}  // namespace stash::sidecar
