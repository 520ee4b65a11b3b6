#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "controller/workload_facts.h"

/// The host entries (status.stats[]) of a session: who holds which, who lost it. Works on the raw entries, so that
/// fields of newer sidecars survive. Shared by backups and restores.
namespace stash::controller {

inline constexpr std::string_view kHostPending = "Pending";
inline constexpr std::string_view kHostRunning = "Running";
inline constexpr std::string_view kHostSucceeded = "Succeeded";
inline constexpr std::string_view kHostFailed = "Failed";

/// Adds a Pending entry for every expected host that has none.
void add_missing_hosts(Json& stats, const std::vector<std::string>& expected);

struct Tally {
  int total = 0, pending = 0, running = 0, succeeded = 0, failed = 0;
  friend bool operator==(const Tally&, const Tally&) = default;
};
Tally tally(const Json& stats);

/// "host-0, host-2": those in this phase, in order; of many the first ten, "and 490 more".
std::string hosts_in(const Json& stats, std::string_view phase);

/// "host-0: wrong password; host-1: ..." of the Failed ones; of many the first ten.
std::string errors_of(const Json& stats);

/// Makes Pending again what a vanished or ended pod had claimed; does nothing when the pods are not known. Returns a
/// sentence per host, and adds the claims to `lost`.
std::vector<std::string> give_back(Json& stats, const std::optional<std::vector<PodFacts>>& pods, Json& lost);

/// Fails claimed hosts without a sign of progress for `limit`; their claim goes, so that a late write of that pod is
/// refused. Returns a sentence per host.
std::vector<std::string> fail_stalled(Json& stats, const std::map<std::string, std::chrono::seconds>& silent_for,
                                      std::chrono::seconds limit);

/// Fails every host that is in `phase`. Returns a sentence per host.
std::vector<std::string> fail_hosts(Json& stats, std::string_view phase, const std::string& error);
/// Fails those in `phase` for which `error` has a sentence. Returns a sentence per host.
std::vector<std::string> fail_hosts(Json& stats, std::string_view phase,
                                    const std::function<std::string(const std::string& host)>& error);

/// Is one of them in the hands of a pod that reads or writes volumes? One that has told its snapshots does not any
/// more.
bool uses_volumes(const Json& stats);
/// Or may one of them be, at any moment?
bool may_use_volumes(const Json& stats);

/// Asks the pods of those that use_volumes to end their work; they give their hosts back, each when its restic has
/// ended.
void ask_to_stop(Json& stats, const std::string& why);

/// What readers of rc.3 and later expect in targets[].stats: finished hosts only, for they take any entry for a result,
/// without what pods and controller tell one another.
Json finished_hosts(const Json& stats);

}  // namespace stash::controller
