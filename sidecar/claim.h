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

/// Whether no other pod, in whatever namespace or cluster, has the name of a pod of such a target: it is made up by
/// chance. Pods of a StatefulSet are numbered.
bool has_unique_name(std::string_view kind);

/// The hook that the controller runs for a host; all empty when there is none.
struct HookEntry {
  std::string action, phase, error, requested;
  std::string queued{};  ///< the controller's last sign that it waits for its turn
  friend bool operator==(const HookEntry&, const HookEntry&) = default;
};

/// Entry of `host` in status.stats, as it lies on the wire.
struct HostEntry {
  std::size_t index = 0;  ///< for JSON pointers
  std::string phase, pod, pod_uid;
  int attempts = 0;  ///< of a restore
  HookEntry hook{};
  bool told = false;                         ///< it says how the snapshots came out
  bool progressed = false;                   ///< it says how far the work has come
  std::vector<std::string> incomplete{};     ///< snapshots of this host and session that lack files
  std::string stop{};                        ///< why whoever holds it is to end the work and to give it back, if so
  std::vector<api::SnapshotStats> chosen{};  ///< name and path of what a restore takes, once it has begun to write
  int restarts = 0;                          ///< of the container that backs up, since the claim
  friend bool operator==(const HostEntry&, const HostEntry&) = default;
};
std::optional<HostEntry> host_entry(const Json& session, std::string_view host);

/// status.stats[] member names of the claim.
Json claim_json(const PodIdentity& pod, TimePoint now);

/// JSON patches (RFC 6902) for the status subresource. Each first tests that the entry is still `host`'s, and that it
/// is in the expected hands.
enum class Counted { no, yes };  ///< whether this is an attempt more, as of a restore
Json claim_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now,
                      Counted counted = Counted::no);
/// A postBackup that the controller has ended, well or not.
bool is_ended_thaw(const HookEntry& hook);
/// In place of the claim. `counted`: as of a container that was started anew. What is_ended_thaw() goes: it says
/// nothing of what is frozen from now on.
Json resume_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now,
                       Counted counted);
Json heartbeat_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now,
                          const std::optional<api::Progress>& progress = std::nullopt,
                          const std::vector<std::string>& incomplete = {});
Json result_operations(const HostEntry& entry, const PodIdentity& pod, const api::HostStats& result);
/// Tells how the snapshots came out, while the host stays Running; a sign of life too. The answer is the session after
/// this write and after none that follows it.
Json told_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now,
                     bool backed_up);
/// Tells which snapshots a restore takes; a sign of life too.
Json chosen_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, TimePoint now,
                       const std::vector<api::SnapshotStats>& chosen);
/// Asks the controller for the exec hook `action`, in place of what an earlier request came to.
Json hook_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod, std::string_view action,
                     const std::string& requested);
/// A postBackup that the controller has not ended: it stays in the host's result, so that the application is thawed all
/// the same once the controller is back.
std::optional<api::HookStatus> unanswered(const HookEntry& hook);
/// The same of a host that ends after its farewell hook did not come through: also where even the request did not.
/// nullopt: the controller has run it.
std::optional<api::HookStatus> owed_thaw(const HookEntry& hook, TimePoint now);
/// An attempt that was given back does not count. What is known of incomplete snapshots stays, for the next pod.
Json give_back_operations(const HostEntry& entry, std::string_view host, const PodIdentity& pod,
                          const std::vector<std::string>& incomplete = {});

/// Nobody has it.
bool is_pending(const HostEntry& entry);
/// This pod works on it, or did until its container was restarted.
bool is_held_by(const HostEntry& entry, const PodIdentity& pod);
/// It is final, or being deleted.
bool is_over(const Json& session);

/// Whether the work on `session` may go on: it is not final (a Failed restore is not, while it is tried again), not
/// being deleted, and its host still ours.
bool still_ours(const Json& session, std::string_view host, const PodIdentity& pod);

/// What a restoring pod does now.
enum class RestoreTurn {
  nothing_to_do,  ///< restored already, or the session is gone or going
  claim,          ///< Pending, or a failed try that may be repeated
  resume,         ///< ours already, from before this container was restarted
  give_up,        ///< as `claim` or `resume`, but the last attempt has been used up without a result
  exhausted,      ///< the last attempt has failed, or a newer RestoreSession has taken this one's place
  wait,           ///< another pod restores it, or the controller has not stamped the session yet
};
RestoreTurn restore_turn(const Json& session, std::string_view host, const PodIdentity& pod);

}  // namespace stash::sidecar
