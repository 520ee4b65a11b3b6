#include "controller/session_upkeep.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "api/codec.h"
#include "api/last_sign.h"
#include "api/names.h"
#include "api/time_out.h"
#include "controller/hosts.h"
#include "controller/lost_pods.h"
#include "controller/reasons.h"

namespace stash::controller {
namespace {

namespace names = api::names;

/// Pods that are not known are taken to be there: one that is gone shows at the next look.
bool has_living_pod(const SessionDecision& decision, const Json& entry) {
  const auto& pods = decision.world.target.pods;
  const std::string uid = string_at(entry, {"claim", "podUID"});
  if (!pods) return !uid.empty();
  return std::ranges::any_of(*pods, [&uid](const PodFacts& pod) { return pod.uid == uid && is_alive(pod); });
}

/// One that has succeeded: its pod got that far, so it can reach the repository.
bool may_take(const SessionDecision& decision, const Json& entry) {
  return string_at(entry, {"phase"}) == kHostSucceeded && has_living_pod(decision, entry);
}

/// The other session that its pod works for; "" for none.
std::string busy_with(const SessionDecision& decision, const Json& entry) {
  const auto& busy = decision.world.target.busy;
  const auto other = busy.find(string_at(entry, {"claim", "podUID"}));
  return other == busy.end() ? "" : other->second;
}

/// The entry of the host that was `asked` if that will do, else of the first that will; those whose pods have other
/// work come last. nullptr for none.
const Json* entry_for_upkeep(const SessionDecision& decision, const std::string& asked) {
  std::vector<const Json*> entries;
  for (const Json& entry : decision.stats) entries.push_back(&entry);
  std::ranges::stable_partition(entries, [&](const Json* entry) { return string_at(*entry, {"hostname"}) == asked; });
  const Json* busy = nullptr;
  for (const Json* entry : entries) {
    if (!may_take(decision, *entry)) continue;
    if (busy_with(decision, *entry).empty()) return entry;
    if (busy == nullptr) busy = entry;
  }
  return busy;
}

Json hosts_of_upkeep(const SessionDecision& decision) {
  Json backed_up = Json::array(), left_alone = Json::array();
  for (const Json& entry : decision.stats)
    (string_at(entry, {"phase"}) == kHostSucceeded ? backed_up : left_alone).push_back(string_at(entry, {"hostname"}));
  Json upkeep = {{"backedUp", std::move(backed_up)}, {"leftAlone", std::move(left_alone)}};
  if (decision.unnamed > 0) upkeep["unnamed"] = decision.unnamed;
  return {{"upkeep", std::move(upkeep)}};
}

Json pending(const std::string& host) { return {{"hostname", host}, {"phase", kHostPending}}; }

/// How long the host has been asked and could have begun; a controller that was away does not know.
std::chrono::seconds waited(const SessionDecision& decision) {
  const api::Condition* said = api::find_condition(decision.status.conditions(), names::kCompleted);
  const bool begun = said != nullptr && said->status == "False" && said->reason == reasons::kUpkeepOffered;
  if (!begun) return std::chrono::seconds(0);
  return std::min(age(said->last_transition, decision.world.now), decision.world.watched_for);
}

std::chrono::seconds deadline(const SessionDecision& decision) {
  return api::time_out(decision.world.configuration->spec.time_out).value_or(decision.world.limits.deadline);
}

/// The condition dates from when this host came to be waited for in this way.
void wait_for(SessionDecision& decision, const std::string& host, std::string_view reason, const std::string& message) {
  StatusDraft& status = decision.status;
  const api::Condition* said = api::find_condition(status.conditions(), names::kCompleted);
  if (said == nullptr || said->reason != reason || string_at(status.json, {"upkeepHost"}) != host) {
    status.set_now(names::kCompleted, "False", reason, message);
  } else {
    status.set(names::kCompleted, "False", reason, message);
  }
  status.json["upkeepHost"] = host;
  status.json["phase"] = "Running";
  write(decision);
  look_again(decision.plan, decision.world.limits.look_again);
}

void give_to(SessionDecision& decision, const Json* object, const std::string& host) {
  if (object == nullptr) {
    create_object(decision.plan, api::kBackupSessionHosts,
                  host_object(decision.world.session, "", hosts_of_upkeep(decision), pending(host)));
  } else {
    write_patch(decision.plan, api::kBackupSessionHosts, *object,
                {{"status", {{"stats", Json::array({pending(host)})}}}});
  }
}

bool give_up(SessionDecision& decision, const std::string& why) {
  decision.status.set(names::kRetentionPolicyApplied, "False", reasons::kRetentionNotApplied,
                      fmt::format("{}; the next session does it", why));
  return false;
}

}  // namespace

std::optional<api::HostStats> upkeep_entry(const HostObjects& objects) {
  const Json* object = upkeep_object(objects);
  if (object == nullptr) return std::nullopt;
  auto decoded = api::decode<api::BackupSessionHost>(*object);
  if (!decoded || decoded->status.stats.empty()) return std::nullopt;
  return std::move(decoded->status.stats.front());
}

bool waits_for_upkeep(SessionDecision& decision, bool late) {
  if (!decision.has_host_objects() || !decision.world.configuration || tally(decision.stats).succeeded == 0)
    return false;
  const Json* object = upkeep_object(decision.world.host_objects);
  const Json& entry = object != nullptr ? entry_in(*object) : pending("");
  const std::string phase = string_at(entry, {"phase"}), host = string_at(entry, {"hostname"});
  if (phase == kHostSucceeded) return false;
  if (phase == kHostFailed) return give_up(decision, fmt::format("{}: {}", host, string_at(entry, {"error"})));
  if (late || decision.age() >= deadline(decision))
    return give_up(decision, "the time of the session was over before the upkeep of the repository");

  const bool taken = phase == kHostRunning;
  if (taken && decision.world.upkeep_silent_for >= decision.world.limits.stall)
    return give_up(decision, fmt::format("{} showed no progress with the upkeep of the repository", host));
  if (taken && has_living_pod(decision, entry)) {
    const std::string step = string_at(entry, {"progress", "step"});
    wait_for(decision, host, reasons::kUpkeep,
             fmt::format("all hosts have ended; {} does the upkeep of the repository{}{}", host,
                         step.empty() ? "" : ": ", step));
    return true;
  }
  if (taken)
    record_lost_pods(decision.status.json, Json::array({object_at(entry, {"claim"})}), decision.world.target.ref);
  if (const std::string& why = decision.world.objects_refused; object == nullptr && !why.empty())
    return give_up(decision, "the upkeep of the repository could not be given to a pod: " + why);
  const Json* found = entry_for_upkeep(decision, host);
  if (found == nullptr) return give_up(decision, "no pod was left for the upkeep of the repository");
  const std::string next = string_at(*found, {"hostname"}), other_work = busy_with(decision, *found);
  if (object == nullptr || taken || next != host) {
    give_to(decision, object, next);
  } else if (other_work.empty() && waited(decision) >= decision.world.limits.claim) {
    return give_up(decision, "no pod took the upkeep of the repository");
  }
  if (other_work.empty()) {
    wait_for(decision, next, reasons::kUpkeepOffered,
             fmt::format("all hosts have ended; waiting for {} to do the upkeep of the repository", next));
  } else {
    wait_for(decision, next, api::kPodBusy,
             fmt::format("all hosts have ended; {} does the upkeep of the repository when its pod is done with session "
                         "{}",
                         next, other_work));
  }
  return true;
}

}  // namespace stash::controller
