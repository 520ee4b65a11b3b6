#pragma once
#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "sidecar/claim.h"

/// Which session is worked on next, by a container that serves one or several BackupConfigurations one after another.
namespace stash::sidecar {

struct NextSession {
  std::string name, uid;
  HostEntry entry;
  bool resume = false;  ///< the entry is ours already: this container was restarted
  std::string configuration{};
  TimePoint created{};
  bool beside = false;  ///< the entry is in the host's own object
  bool upkeep = false;  ///< it is that of the upkeep of the repository, of a session whose hosts have ended
  friend bool operator==(const NextSession&, const NextSession&) = default;
};

/// Unfinished sessions of `configuration`, oldest first.
std::vector<const Json*> sessions_of(const std::vector<const Json*>& sessions, std::string_view configuration);

/// It ends early for a restore: what its pods give back is for nobody else.
bool makes_way(const Json& session);

/// Those of them whose `host` is Pending, unless the session makes way, or Running in our hands; oldest first.
std::vector<NextSession> waiting_sessions(const std::vector<const Json*>& sessions, std::string_view configuration,
                                          std::string_view host, const PodIdentity& pod);

/// The order over all configurations: what is ours already, whose application may be frozen, before what is new; then
/// oldest first. But those of `tried` (UIDs) after all others, so that one that cannot be worked on keeps none waiting.
std::vector<NextSession> in_turn(std::vector<NextSession> waiting, const std::set<std::string>& tried);

/// How long this pod lets others go first when the watch shows such a session to all of them at once: a hundredth of a
/// second for each host at most, by its UID. An API server refuses (429) part of what hundreds ask in the same moment,
/// and whoever is refused asks for more. Zero for a session of few hosts and for its upkeep.
std::chrono::milliseconds stagger(const Json& session, std::string_view pod_uid);

}  // namespace stash::sidecar
