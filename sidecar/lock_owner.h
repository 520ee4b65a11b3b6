#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/time.h"

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

/// Why the age of a lock cannot be told here: our clock and the API server's differ by more than two minutes, or nobody
/// knows. nullopt: it can.
std::optional<std::string> clock_doubt(std::optional<Nanoseconds> skew);

/// What can be known of our clock by the API server's time some while ago, when this Job was made: 0 where it is not so
/// far ahead that a living lock could look stale to restic, however much of the difference is that while.
Nanoseconds skew_since(TimePoint server_time, TimePoint now);

/// A lock as it is in the repository.
struct RepositoryLock {
  LockOwner owner;  ///< `owner.lock` is the whole id
  TimePoint time{};
  bool exclusive = false;
  friend bool operator==(const RepositoryLock&, const RepositoryLock&) = default;
};
/// The output of `cat lock`. Error invalid.
Result<RepositoryLock> parse_lock(std::string_view id, std::string_view output);

/// Why a lock is still there, and what becomes of it. `name_is_unique`: no other pod can have our `host_name`, so that
/// `restic unlock` has been run; where another can, it could take a living lock of that one (docs/decisions/0030).
std::string why_left(const RepositoryLock& lock, std::string_view host_name, bool name_is_unique, TimePoint now);

}  // namespace stash::sidecar
