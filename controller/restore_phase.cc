#include "controller/restore_phase.h"

#include "api/codec.h"
#include "api/names.h"
#include "controller/claims.h"
#include "controller/configuration_rules.h"
#include "controller/hosts.h"
#include "controller/reasons.h"
#include "controller/restore_rules.h"
#include "controller/status_draft.h"

namespace stash::controller {
namespace {

namespace names = api::names;

constexpr std::string_view kInvalidPhase = "Invalid";

struct Decision {
  const RestoreWorld& world;
  const api::RestoreSession& session;
  StatusDraft status;
  Json stats;
  Plan plan;
};

void write(Decision& decision) {
  if (!decision.stats.empty()) {
    decision.status.json["stats"] = decision.stats;
    decision.status.json["totalHosts"] = decision.stats.size();
  }
  write_status(decision.plan, api::kRestoreSessions, decision.world.session, decision.status.finish());
}

void end(Decision& decision, std::string_view phase, std::string_view reason, std::string message) {
  const bool same = decision.status.phase() == phase;
  decision.status.json["phase"] = phase;
  if (!same) decision.status.json["sessionDuration"] = age_text(decision.session.metadata.created, decision.world.now);
  decision.status.set(names::kCompleted, "True", reason, message);
  decision.plan.look_again_in.reset();
  write(decision);
  if (same) return;
  if (phase == "Succeeded") {
    note(decision.plan, reasons::kRestoreSucceeded, std::move(message));
  } else {
    warn(decision.plan, reasons::kRestoreFailed, std::move(message));
  }
}

bool deleted_session_is_released(Decision& decision) {
  if (!decision.session.metadata.being_deleted) return false;
  release_legacy_finalizers(decision.plan, api::kRestoreSessions, decision.world.session);
  return true;
}

bool settled_session_never_changes(Decision& decision) {
  const std::string& phase = decision.session.status.phase;
  return phase == "Succeeded" || phase == "Unknown" || phase == kInvalidPhase;
}

bool unusable_session_is_invalid(Decision& decision) {
  const std::string why = unusable(decision.session);
  if (why.empty()) return false;
  end(decision, kInvalidPhase, reasons::kInvalid, why);
  return true;
}

/// Speaks once: a pod that tries again afterwards may still succeed.
bool passed_time_out_fails(Decision& decision) {
  const auto limit = time_out(decision.session.spec.time_out);
  const api::Condition* said = api::find_condition(decision.status.conditions(), names::kDeadlineExceeded);
  const Tally sum = tally(decision.stats);
  const bool done = sum.total > 0 && sum.pending + sum.running == 0;
  if (!limit || said || done) return false;
  const auto passed = age(decision.session.metadata.created, decision.world.now);
  if (passed < *limit) {
    look_again(decision.plan, *limit - passed);
    return false;
  }
  const std::string message = fmt::format("it did not end within spec.timeOut, {}", format_duration(*limit));
  fail_hosts(decision.stats, kHostPending, message);
  fail_hosts(decision.stats, kHostRunning, message);
  decision.status.set(names::kDeadlineExceeded, "True", reasons::kDeadline, message);
  end(decision, "Failed", reasons::kDeadline, message);
  return true;
}

bool phase_follows_from_the_hosts(Decision& decision) {
  const RestoreWorld& world = decision.world;
  const bool first = decision.stats.empty();
  add_missing_hosts(decision.stats, expected_hosts(decision.session.spec.target->ref));
  const Claims claims{world.target, world.silent_for, decision.session.metadata.created,
                      world.limits, world.now,        reasons::kRestoreDisrupted};
  for (std::string& said : judge_claims(claims, decision.stats, decision.status, decision.plan)) {
    warn(decision.plan, reasons::kHostRestoreFailed, std::move(said));
  }
  const Tally sum = tally(decision.stats);
  if (sum.pending + sum.running == 0) {
    if (sum.failed > 0) {
      end(decision, "Failed", "Failed",
          errors_of(decision.stats) + "; the pods that wait for it try again until it succeeds or is deleted");
    } else {
      end(decision, "Succeeded", "Succeeded", fmt::format("{} of {} hosts restored", sum.succeeded, sum.total));
    }
    return true;
  }
  decision.status.json["phase"] = sum.pending == sum.total ? "Pending" : "Running";
  decision.status.json.erase("sessionDuration");
  write(decision);
  if (first) {
    note(decision.plan, reasons::kRestoreStarted,
         "waiting for a pod to restore " + hosts_in(decision.stats, kHostPending));
  }
  return true;
}

using Rule = bool (*)(Decision&);
constexpr Rule kRules[] = {deleted_session_is_released, settled_session_never_changes, unusable_session_is_invalid,
                           passed_time_out_fails, phase_follows_from_the_hosts};

}  // namespace

Plan plan_restore(const RestoreWorld& world) {
  const auto session = api::decode<api::RestoreSession>(world.session);
  if (!session) {
    Plan plan;
    const std::string phase = string_at(world.session, {"status", "phase"});
    if (phase == kInvalidPhase || at(world.session, {"metadata", "deletionTimestamp"})) return plan;
    StatusDraft status(world.session, {}, world.now);
    status.json["phase"] = kInvalidPhase;
    status.set(names::kCompleted, "True", reasons::kInvalid, session.error().message);
    write_status(plan, api::kRestoreSessions, world.session, status.finish());
    warn(plan, reasons::kRestoreFailed, session.error().message);
    return plan;
  }
  Decision decision{world,
                    *session,
                    StatusDraft(world.session, session->status.conditions, world.now),
                    array_at(world.session, {"status", "stats"}),
                    {}};
  for (const Rule rule : kRules) {
    if (rule(decision)) break;
  }
  return std::move(decision.plan);
}

}  // namespace stash::controller
