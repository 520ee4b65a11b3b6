#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/backup_configuration.h"
#include "api/resource.h"
#include "base/json.h"
#include "base/result.h"

/// Which exec hooks of a session are to be run, and how. A pod asks for one in status.stats[].hook, which everybody may
/// write who may write the status, any pod of the namespace with a sidecar among them. So a request says *that*
/// something is to be run; *what* comes from the BackupConfiguration's spec, and *where* is checked against the
/// cluster.
namespace stash::controller {

inline constexpr std::string_view kPreBackup = "preBackup", kPostBackup = "postBackup";
inline constexpr std::string_view kHookRequested = "Requested", kHookQueued = "Queued", kHookRunning = "Running",
                                  kHookSucceeded = "Succeeded", kHookFailed = "Failed";
inline bool has_hook_ended(std::string_view phase) { return phase == kHookSucceeded || phase == kHookFailed; }

/// How long a postBackup may take whose host has ended already: its session waits for it.
inline constexpr std::chrono::seconds kThawLimit{50};

/// Where the entry of a host is: in its session, or in an object of its own.
struct HostPlace {
  api::Resource resource = api::kBackupSessions;
  api::ObjectRef ref{};
  std::string_view subresource = "status";
  std::size_t index = 0;  ///< in status.stats, for JSON pointers
  friend bool operator==(const HostPlace&, const HostPlace&) = default;
};

/// What status.stats[].hook and the claim beside it say.
struct HookRequest {
  api::ObjectRef session;
  std::string session_uid, host, action, phase;
  std::string requested;  ///< requestTime as it was written: tells two requests for the same hook apart
  std::string pod, pod_uid;
  std::string taken_by;               ///< which process made it Running; "" for none, or an older one
  std::optional<TimePoint> queued{};  ///< when a controller last said that it waits for its turn
  HostPlace place{};
  bool host_ended = false;  ///< the host has its result
  friend bool operator==(const HookRequest&, const HookRequest&) = default;
};
/// `session` is raw, or as with_host_objects gives it. Those that have not ended, of hosts that a pod holds or has
/// ended; none of a session that is over.
std::vector<HookRequest> open_hooks(const Json& session);
/// The same host's request as it stands in `object` now, which was read from the request's place, whatever its phase;
/// nullopt when there is none.
std::optional<HookRequest> hook_now(const Json& object, const HookRequest& request);
/// Is it the same request, wherever it stands in the list and however far it is?
bool is_same_request(const HookRequest& a, const HookRequest& b);
/// Is `pod` the one that asked, and do its containers still run? Another one can have its name by now.
bool is_pod_of(const HookRequest& request, const Json& pod);

/// How many more may begin now.
struct HookRoom {
  std::size_t pre_backup = 0, post_backup = 0;
};
struct HookTurns {
  std::vector<HookRequest> begin, wait;
};
/// The first of `open` get their turn.
HookTurns take_turns(std::vector<HookRequest> open, HookRoom room);
/// Whether the pod whose request waits is to be told so, for the first time or once more. It gives up otherwise.
bool is_sign_due(const HookRequest& request, TimePoint now);

struct HookPod {
  Json pod;                         ///< live; null when there is none of that name
  std::vector<std::string> makers;  ///< UIDs of the controller that made it and of the one that made that
};

struct HookWorld {
  Json session;
  std::optional<api::BackupConfiguration> configuration;
  bool exec_hooks = true;               ///< the chart's hooks.exec
  std::string workload_uid;             ///< of the target; "" when there is none
  std::map<std::string, HookPod> pods;  ///< by name; one that is missing was not looked at
  std::function<bool(const HookRequest&)> is_in_hand = [](const HookRequest&) {
    return false;
  };  ///< this process runs it
  std::function<bool(const HookRequest&)> is_taken_unbegun = [](const HookRequest&) {
    return false;
  };  ///< this process made it Running, was not told so, and has run nothing
};

struct HookCommand {
  api::ObjectRef pod;
  std::string container;
  std::vector<std::string> command;
  std::chrono::milliseconds timeout{30'000};
  friend bool operator==(const HookCommand&, const HookCommand&) = default;
};

struct HookStep {
  HookRequest request;
  std::optional<HookCommand> run;  ///< nullopt: it is refused
  std::string refusal;             ///< the sentence for its error
  /// Of a preBackup: the program that undoes it whatever comes, should nobody be left who could ask.
  std::optional<HookCommand> thaw{};
  friend bool operator==(const HookStep&, const HookStep&) = default;
};

/// Pure and total. A preBackup that is Running in nobody's hands has failed, for how far it came is not known, unless
/// it is known that nothing has been run; such a postBackup is run again, for thawing twice is better than staying
/// frozen.
std::vector<HookStep> plan_hooks(const HookWorld& world);

/// JSON patches (RFC 6902) of the session's status that fail when the request is another one by now.
/// `taker` names the process that will run it.
Json queue_operations(const HookRequest& request, TimePoint now);
Json take_operations(const HookRequest& request, const std::string& taker);
Json outcome_operations(const HookRequest& request, const std::string& error);  ///< "" for success

}  // namespace stash::controller
