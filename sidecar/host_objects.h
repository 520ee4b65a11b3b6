#pragma once
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sidecar/context.h"
#include "sidecar/session_queue.h"

namespace stash::sidecar {

/// The work that waits for this pod in objects beside its sessions: its host of a session of many hosts, and the
/// upkeep of the repository after it (docs/decisions/0044). Remembers what is done, so that a session that changes all
/// the time costs no request.
class HostObjects {
 public:
  explicit HostObjects(Context& context) : context_(context) {}

  /// Asks nobody. `host` is nullopt while it is not known; then any may.
  bool may_wait(const Json& session, const std::optional<std::string>& host) const;

  /// As waiting_sessions, adding to `waiting`. The objects are read; but the host of a session that is `unseen` is
  /// taken to wait, or else its claim will fail.
  Result<void> add_waiting(const std::vector<const Json*>& sessions, const std::string& configuration,
                           const std::string& host, const std::function<bool(const std::string& uid)>& unseen,
                           std::vector<NextSession>& waiting);

  void note_done(const NextSession& done);
  void forget_all_but(const std::set<std::string>& uids);
  void forget(const std::string& uid);

 private:
  bool is_for_upkeep(const Json& session, const std::string& host) const;
  /// nullopt: there is none.
  Result<std::optional<HostEntry>> read(const Json& session, const std::string& host, bool upkeep);

  Context& context_;
  std::set<std::string> over_for_us_, upkept_;  ///< UIDs of sessions
};

}  // namespace stash::sidecar
