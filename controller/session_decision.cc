#include "controller/session_decision.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "api/names.h"
#include "controller/hosts.h"
#include "controller/reasons.h"
#include "controller/retry.h"
#include "controller/session_progress.h"
#include "controller/session_results.h"
#include "controller/thaw.h"
#include "controller/upkeep_conditions.h"

namespace stash::controller {
namespace {

namespace names = api::names;

/// A little more than the programs themselves may take.
constexpr std::chrono::seconds kThawPatience{60};

/// Another try could not end otherwise where the objects are wrong.
bool may_be_repeated(const SessionDecision& decision, std::string_view reason) {
  return decision.world.configuration && reason != reasons::kInvalid && reason != reasons::kConfigurationMissing;
}

/// Its pod, or one that takes it yet, would hold the repository's exclusive lock in the time of the next session, and
/// do what this session says is left to that one. Told first: who was done in this moment is believed.
void stop_upkeep(SessionDecision& decision) {
  const Json* object = upkeep_object(decision.world.host_objects);
  if (object == nullptr) return;
  const std::string phase = string_at(entry_in(*object), {"phase"});
  if (phase == kHostSucceeded || phase == kHostFailed) return;
  Json stopped = {{"hostname", string_at(entry_in(*object), {"hostname"})},
                  {"phase", kHostFailed},
                  {"error", "the session ended before the upkeep of the repository did"}};
  write_patch(decision.plan, api::kBackupSessionHosts, *object,
              {{"status", {{"stats", Json::array({std::move(stopped)})}}}});
}

}  // namespace

std::string configuration_text(const SessionDecision& decision) {
  return fmt::format("BackupConfiguration {}/{}", decision.session.metadata.ns,
                     decision.configuration_name.value_or("?"));
}

void write(SessionDecision& decision) {
  StatusDraft& status = decision.status;
  const auto& target = decision.world.configuration ? decision.world.configuration->spec.target : std::nullopt;
  if (!decision.stats.empty()) {
    set_upkeep_conditions(status, decision.session.status.stats);
    status.json["stats"] = decision.stats;
    if (decision.has_host_objects() && api::is_final_phase(status.phase())) {
      SessionResults results = results_that_fit(decision.stats, status.conditions());
      status.json["stats"] = std::move(results.stats);
      if (!results.left_out.empty())
        status.set(reasons::kResultsShortened, "True", reasons::kTooLarge, std::move(results.left_out));
    }
    status.json["totalHosts"] = decision.total_hosts();
    if (target) {
      status.json["targets"] = Json::array(
          {{{"ref", {{"apiVersion", target->ref.api_version}, {"kind", target->ref.kind}, {"name", target->ref.name}}},
            {"totalHosts", decision.total_hosts()},
            {"phase", status.phase()},
            {"stats", finished_hosts(decision.stats)}}});
    }
  }
  set_progress(status, decision.stats, decision.total_hosts(), reasons::kHostBackupFailed);
  write_status(decision.plan, api::kBackupSessions, decision.world.session, status.finish());
}

void end(SessionDecision& decision, std::string_view phase, std::string_view reason, std::string message) {
  decision.status.json["phase"] = phase;
  decision.status.json["sessionDuration"] = age_text(decision.session.metadata.created, decision.world.now);
  decision.status.set(names::kCompleted, "True", reason, message);
  decision.plan.look_again_in.reset();
  if (phase == "Failed" && may_be_repeated(decision, reason)) {
    // By the wall clock: it is another session's time, which this one's clock does not tell.
    if (const auto when =
            next_retry(decision.session, *decision.world.configuration, decision.world.now + decision.world.stepped)) {
      decision.status.json["nextRetry"] = format_time(*when);
    }
  }
  if (decision.world.configuration && keeps_something(decision.world.configuration->spec.retention_policy) &&
      !(decision.has_host_objects() &&
        api::find_condition(decision.status.conditions(), names::kRetentionPolicyApplied))) {
    set_upkeep_missed(decision.status, decision.session.status.stats, decision.has_host_objects());
  }
  stop_upkeep(decision);
  write(decision);
  if (phase == "Succeeded") {
    note(decision.plan, reasons::kBackupSucceeded, std::move(message));
  } else {
    warn(decision.plan, phase == "Skipped" ? reasons::kBackupSkipped : reasons::kBackupFailed, std::move(message));
  }
}

bool waits_for_hosts(SessionDecision& decision) {
  if (!decision.has_host_objects() || decision.stats == array_at(decision.world.session, {"status", "stats"}))
    return false;
  decision.status.set(names::kCompleted, "False", reasons::kEnding, "the hosts that have not ended are ended");
  decision.status.json["phase"] = "Running";
  write(decision);
  look_again(decision.plan, decision.world.limits.look_again);
  return true;
}

bool waits_for_thaws(SessionDecision& decision) {
  const std::string hosts = hosts_to_thaw(decision.stats, decision.world.target.pods);
  if (hosts.empty()) return false;
  const api::Condition* said = api::find_condition(decision.status.conditions(), names::kCompleted);
  const bool begun = said != nullptr && said->status == "False" && said->reason == reasons::kThawing;
  const auto time = begun ? age(said->last_transition, decision.world.now) : std::chrono::seconds(0);
  if (time >= kThawPatience) return false;
  const std::string message = "the hosts have ended; the controller runs postBackup for " + hosts;
  if (begun) {
    decision.status.set(names::kCompleted, "False", reasons::kThawing, message);
  } else {
    decision.status.set_now(names::kCompleted, "False", reasons::kThawing, message);
  }
  decision.status.json["phase"] = "Running";
  write(decision);
  look_again(decision.plan, std::min(decision.world.limits.look_again, kThawPatience - time));
  return true;
}

void thaw_failed_hosts(SessionDecision& decision) {
  const SessionWorld& world = decision.world;
  if (!world.configuration || !world.exec_hooks) return;
  request_thaws(array_at(world.session, {"status", "stats"}), decision.stats, *world.configuration, world.target.pods,
                world.now);
}

void fail_session(SessionDecision& decision, std::string_view reason, std::string message) {
  fail_hosts(decision.stats, kHostPending, message);
  fail_hosts(decision.stats, kHostRunning, message);
  thaw_failed_hosts(decision);
  if (waits_for_hosts(decision) || waits_for_thaws(decision)) return;
  end(decision, "Failed", reason, std::move(message));
}

void skip(SessionDecision& decision, std::string_view reason, std::string message) {
  decision.stats = Json::array();
  decision.status.json.erase("stats");
  decision.status.json.erase("totalHosts");
  decision.status.json.erase("targets");
  decision.status.set(names::kBackupSkipped, "True", reason, message);
  end(decision, "Skipped", "Skipped", std::move(message));
}

}  // namespace stash::controller
