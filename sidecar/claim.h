#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/backup_session.h"
#include "base/json.h"
#include "base/time.h"

/// Who works on which host of a session (docs/decisions): a pod takes a host by a JSON patch on the status whose `test`
/// operations fail when another pod was faster. Everything here is the same for BackupSession and RestoreSession.
namespace stash::sidecar {

/// This pod, from POD_NAME, POD_UID, POD_NAMESPACE, NODE_NAME.
struct PodIdentity {
  std::string name, uid, ns, node;
  friend bool operator==(const PodIdentity&, const PodIdentity&) = default;
};

/// The restic host of this pod for a target of `kind` (contract 11.1): "host-0", "host-<ordinal>" or the node's name.
/// Error invalid when the pod's name has no ordinal or the node is unknown.
Result<std::string> host_of(std::string_view kind, const PodIdentity& pod);

/// Entry of `host` in status.stats, as it lies on the wire.
struct HostEntry {
  std::size_t index = 0;  ///< for JSON pointers
  std::string phase, pod, pod_uid;
  friend bool operator==(const HostEntry&, const HostEntry&) = default;
};
std::optional<HostEntry> host_entry(const Json& session, std::string_view host);

/// status.stats[] member names of the claim.
Json claim_json(const PodIdentity& pod, TimePoint now);

/// JSON patches (RFC 6902) for the status subresource. Each first tests that the entry is still `host`'s, and that it
/// is in the expected hands.
Json claim_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now);
Json heartbeat_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now);
Json result_operations(const HostEntry& entry, const PodIdentity& pod, const api::HostStats& result);
Json give_back_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod);

/// Whether the work on `session` may go on: it is not final, not being deleted, and its host still ours.
bool still_ours(const Json& session, std::string_view host, const PodIdentity& pod);

/// The session to work on next.
struct NextSession {
  std::string name, uid;
  HostEntry entry;
  bool resume = false;  ///< the entry is ours already: this container was restarted
  friend bool operator==(const NextSession&, const NextSession&) = default;
};
/// The oldest unfinished session of `configuration` whose `host` is Pending, or Running in our hands.
std::optional<NextSession> next_session(const std::vector<const Json*>& sessions, std::string_view configuration,
                                        std::string_view host, const PodIdentity& pod);

/// What a restoring pod does now.
enum class RestoreTurn {
  nothing_to_do,  ///< restored already, or the session is gone or going
  claim,          ///< Pending, or a failed try that may be repeated
  resume,         ///< ours already
  wait,           ///< another pod restores it, or the controller has not stamped the session yet
};
RestoreTurn restore_turn(const Json& session, std::string_view host, const PodIdentity& pod);

}  // namespace stash::sidecar
