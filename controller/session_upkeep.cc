#include "controller/session_upkeep.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "api/codec.h"
#include "api/names.h"
#include "api/time_out.h"
#include "controller/hosts.h"
#include "controller/lost_pods.h"
#include "controller/reasons.h"

namespace stash::controller {
namespace {

namespace names = api::names;

const Json& entry_in(const Json& object) {
  static const Json none = Json::object();
  const Json& stats = array_at(object, {"status", "stats"});
  return stats.empty() ? none : stats.front();
}

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
bool may_take(const SessionDecision& decision, const std::string& host) {
  return std::ranges::any_of(decision.stats, [&](const Json& entry) {
    return string_at(entry, {"hostname"}) == host && may_take(decision, entry);
  });
}

/// "" for none.
std::string host_for_upkeep(const SessionDecision& decision) {
  const auto found = std::ranges::find_if(decision.stats, [&](const Json& entry) { return may_take(decision, entry); });
  return found == decision.stats.end() ? "" : string_at(*found, {"hostname"});
}

Json hosts_of_upkeep(const Json& stats) {
  Json backed_up = Json::array(), left_alone = Json::array();
  for (const Json& entry : stats)
    (string_at(entry, {"phase"}) == kHostSucceeded ? backed_up : left_alone).push_back(string_at(entry, {"hostname"}));
  return {{"upkeep", {{"backedUp", std::move(backed_up)}, {"leftAlone", std::move(left_alone)}}}};
}

Json pending(const std::string& host) { return {{"hostname", host}, {"phase", kHostPending}}; }

/// How long the condition has said that the upkeep is waited for.
std::chrono::seconds waited(const SessionDecision& decision) {
  const api::Condition* said = api::find_condition(decision.status.conditions(), names::kCompleted);
  const bool begun = said != nullptr && said->status == "False" && said->reason == reasons::kUpkeep;
  return begun ? age(said->last_transition, decision.world.now) : std::chrono::seconds(0);
}

std::chrono::seconds deadline(const SessionDecision& decision) {
  return api::time_out(decision.world.configuration->spec.time_out).value_or(decision.world.limits.deadline);
}

void wait_for(SessionDecision& decision, const std::string& host, const std::string& message, bool anew = false) {
  StatusDraft& status = decision.status;
  const api::Condition* said = api::find_condition(status.conditions(), names::kCompleted);
  status.json["upkeepHost"] = host;
  status.json["phase"] = "Running";
  if (anew || said == nullptr || said->reason != reasons::kUpkeep) {
    status.set_now(names::kCompleted, "False", reasons::kUpkeep, message);
  } else {
    status.set(names::kCompleted, "False", reasons::kUpkeep, message);
  }
  write(decision);
  look_again(decision.plan, decision.world.limits.look_again);
}

std::string waiting_for(const std::string& host) {
  return fmt::format("all hosts have ended; waiting for {} to do the upkeep of the repository", host);
}

void give_to(SessionDecision& decision, const Json* object, const std::string& host, bool anew) {
  if (object == nullptr) {
    create_object(decision.plan, api::kBackupSessionHosts,
                  host_object(decision.world.session, "", hosts_of_upkeep(decision.stats), pending(host)));
  } else {
    write_patch(decision.plan, api::kBackupSessionHosts, *object,
                {{"status", {{"stats", Json::array({pending(host)})}}}});
  }
  wait_for(decision, host, waiting_for(host), anew);
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
    wait_for(decision, host,
             fmt::format("all hosts have ended; {} does the upkeep of the repository{}{}", host,
                         step.empty() ? "" : ": ", step));
    return true;
  }
  if (taken) {
    record_lost_pods(decision.status.json, Json::array({object_at(entry, {"claim"})}), decision.world.target.ref);
  } else if (waited(decision) >= decision.world.limits.claim) {
    return give_up(decision, "no pod took the upkeep of the repository");
  } else if (object != nullptr && may_take(decision, host)) {
    wait_for(decision, host, waiting_for(host));
    return true;
  }
  const std::string next = host_for_upkeep(decision);
  if (next.empty()) return give_up(decision, "no pod was left for the upkeep of the repository");
  give_to(decision, object, next, taken);
  return true;
}

}  // namespace stash::controller
