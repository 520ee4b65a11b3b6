#include "controller/restore_phase.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "api/names.h"
#include "api/restore_attempts.h"
#include "api/time_out.h"
#include "controller/claims.h"
#include "controller/expected_hosts.h"
#include "controller/fields_honoured.h"
#include "controller/hosts.h"
#include "controller/reasons.h"
#include "controller/refused_nudge.h"
#include "controller/restore_conditions.h"
#include "controller/session_progress.h"
#include "controller/status_draft.h"
#include "inject/restore_place.h"
#include "inject/restore_rules.h"

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
  int unnamed = 0;  ///< hosts that are expected and have no name yet
};

void write(Decision& decision) {
  const std::size_t total = decision.stats.size() + static_cast<std::size_t>(decision.unnamed);
  if (!decision.stats.empty()) {
    decision.status.json["stats"] = decision.stats;
    decision.status.json["totalHosts"] = total;
  }
  set_progress(decision.status, decision.stats, total, reasons::kHostRestoreFailed);
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
  return phase == "Succeeded" || phase == "Unknown" || phase == kInvalidPhase ||
         inject::was_ended_by_older_stash(decision.session);
}

/// But for those that were accepted by the rules of another time: the application may wait on what is half restored,
/// and Invalid would let it start.
bool unusable_session_is_invalid(Decision& decision) {
  const bool ended = inject::has_failed(decision.session) && !decision.stats.empty();
  if (ended || inject::was_tried(decision.session)) return false;
  const auto expected = decision.stats.empty() ? expected_hosts(decision.world.target) : std::nullopt;
  const std::string why = inject::unusable(decision.session, expected ? expected->names : std::vector<std::string>());
  if (why.empty()) return false;
  end(decision, kInvalidPhase, reasons::kInvalid, why);
  return true;
}

/// spec.timeOut has ended it before.
bool is_late(const Decision& decision) {
  return api::find_condition(decision.status.conditions(), names::kDeadlineExceeded) != nullptr;
}

/// What a user may expect of a restore that failed.
std::string outlook(const Decision& decision) {
  bool begun = false, may_retry = false;
  for (const Json& host : decision.stats) {
    const auto attempts = int_at(host, {"attempts"});
    begun = begun || attempts > 0;
    may_retry = may_retry || api::has_attempt_left(string_at(host, {"phase"}), attempts);
  }
  if (decision.world.injected == decision.session.metadata.name) {
    return may_retry ? "; a pod that waits for it tries again" : "";
  }
  return begun ? "" : "; nothing was restored: remove the cause, then delete this RestoreSession and create it again";
}

Claims claims_of(const Decision& decision) {
  const RestoreWorld& world = decision.world;
  return {.target = world.target,
          .silent_for = world.silent_for,
          .limits = world.limits,
          .now = world.now,
          .disrupted = reasons::kRestoreDisrupted,
          .in_turn = true,
          .watched_for = world.watched_for};
}

/// Fails the free hosts, and asks the pods that have the others to stop: who is told that the session has ended must
/// find nobody writing.
void call_off(Decision& decision, const std::string& message) {
  if (tally(decision.stats).running > 0)
    judge_claims(claims_of(decision), decision.stats, decision.status, decision.plan);
  fail_hosts(decision.stats, kHostPending, message);
  ask_to_stop(decision.stats, message);
}

bool waits_for_pods(Decision& decision, std::string_view reason, const std::string& message) {
  const std::string running = hosts_in(decision.stats, kHostRunning);
  if (running.empty()) return false;
  decision.status.json["phase"] = "Running";
  decision.status.json.erase("sessionDuration");
  decision.status.set(names::kCompleted, "False", reason, message + "; waiting for the pod that works on " + running);
  look_again(decision.plan, decision.world.limits.look_again);
  write(decision);
  return true;
}

/// Speaks once: a pod that tries again afterwards may still succeed.
bool passed_time_out_fails(Decision& decision) {
  const auto limit = api::time_out(decision.session.spec.time_out);
  const Tally sum = tally(decision.stats);
  const bool done = sum.total > 0 && sum.pending + sum.running + decision.unnamed == 0;
  if (!limit || is_late(decision) || done) return false;
  const auto passed = age(decision.session.metadata.created, decision.world.now);
  if (passed < *limit) {
    look_again(decision.plan, *limit - passed);
    return false;
  }
  const std::string message = fmt::format("it did not end within spec.timeOut, {}", format_duration(*limit));
  call_off(decision, message);
  if (passed < *limit + decision.world.limits.notice && waits_for_pods(decision, reasons::kDeadline, message))
    return true;
  fail_hosts(decision.stats, kHostRunning, message);
  decision.status.set(names::kDeadlineExceeded, "True", reasons::kDeadline, message);
  end(decision, "Failed", reasons::kDeadline, message + outlook(decision));
  return true;
}

/// The old pod may live until the new one is ready, and two restores must not write into one volume: the pods are asked
/// to stop, and the newer one begins when none has a host any more.
bool superseded_session_ends(Decision& decision) {
  const Tally sum = tally(decision.stats);
  if (decision.world.superseded_by.empty() || (sum.total > 0 && sum.succeeded == sum.total)) return false;
  const std::string message =
      fmt::format("superseded by RestoreSession {}/{}, which is newer and restores the same workload",
                  decision.session.metadata.ns, decision.world.superseded_by);
  call_off(decision, message);
  if (!waits_for_pods(decision, names::kSuperseded, message)) end(decision, "Failed", names::kSuperseded, message);
  return true;
}

/// Its pods are asked to stop, and give their hosts back.
bool volumes_in_use_are_waited_for(Decision& decision) {
  if (decision.world.used_by.empty() || !decision.stats.empty()) return false;
  if (!is_late(decision)) {
    decision.status.json["phase"] = "Pending";
    decision.status.set(names::kCompleted, "False", reasons::kVolumesInUse,
                        decision.world.used_by + " still works on the volumes of this workload; waiting for its end");
  }
  look_again(decision.plan, decision.world.limits.look_again);
  write(decision);
  return true;
}

/// One that has failed is tried again by the pods that it holds, and by no others.
bool may_still_restore(const Decision& decision) {
  return decision.session.status.phase != "Failed" || decision.world.injected == decision.session.metadata.name;
}

/// A target without pods is waited for as long as it takes: whoever restores often scales to zero first. What
/// spec.timeOut has ended meanwhile stays Failed until a pod may take a host.
bool hosts_are_named(Decision& decision) {
  decision.unnamed = name_hosts(decision.world.session, decision.world.target, decision.stats);
  if (may_still_restore(decision)) name_later_ordinals(decision.world.target, decision.stats);
  if (!decision.stats.empty()) return false;
  if (is_late(decision)) {
    look_again(decision.plan, decision.world.limits.look_again);
    write(decision);
    return true;
  }
  decision.status.json["phase"] = "Pending";
  if (const auto why = judge_unnamed(claims_of(decision), 0, decision.status, decision.plan)) {
    decision.status.set(names::kCompleted, "False", why->reason, why->message);
    look_again(decision.plan, decision.world.limits.look_again);
  }
  write(decision);
  return true;
}

bool phase_follows_from_the_hosts(Decision& decision) {
  const bool first = array_at(decision.world.session, {"status", "stats"}).empty();
  const Claims claims = claims_of(decision);
  // Whatever was waited for before, no pod could take them.
  if (first) {
    decision.status.set_now(names::kCompleted, "False", reasons::kWaitingForClaim,
                            "waiting for a pod to take " + hosts_in(decision.stats, kHostPending));
  }
  for (std::string& said : judge_claims(claims, decision.stats, decision.status, decision.plan)) {
    warn(decision.plan, reasons::kHostRestoreFailed, std::move(said));
  }
  const Tally sum = tally(decision.stats);
  if (sum.pending + sum.running == 0 && decision.unnamed > 0) {
    const api::Condition* late = api::find_condition(decision.status.conditions(), names::kDeadlineExceeded);
    if (late != nullptr && late->status == "True") {
      end(decision, "Failed", reasons::kDeadline, late->message + outlook(decision));
      return true;
    }
    if (const auto why = judge_unnamed(claims, decision.unnamed, decision.status, decision.plan)) {
      decision.status.set(names::kCompleted, "False", why->reason, why->message);
      look_again(decision.plan, decision.world.limits.look_again);
    }
  } else if (sum.pending + sum.running == 0) {
    if (sum.failed > 0) {
      end(decision, "Failed", "Failed", errors_of(decision.stats) + outlook(decision));
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

/// An init container with which the API server refuses the workload waits outside it.
void set_withdrawal(Decision& decision) {
  const RestoreWorld& world = decision.world;
  const api::ObjectMeta& meta = decision.session.metadata;
  const auto& repository = world.target.repository_found;
  auto held = decision.session.status.withdrawal;
  if (held && repository && held->repository_generation != repository->metadata.generation) held.reset();
  const auto withdrawal = plan_hold(
      {.held = held,
       .generation = meta.generation,
       .repository_generation = repository ? repository->metadata.generation : 0,
       .workload = fmt::format("{} {}/{}", world.target.ref.kind, meta.ns, world.target.ref.name),
       .container = "init container",
       .remedy = "change the policy, or delete this RestoreSession and create it with what is allowed there in "
                 "spec.runtimeSettings.container",
       .settings = world.settings,
       .refused =
           refused_for(world.target.injection, fmt::format("RestoreSession {}", to_string(meta.ref())), world.now),
       .is_in = world.injected == meta.name && world.target.injection.up_to_date,
       .now = world.now});
  if (withdrawal) {
    decision.status.json["withdrawal"] =
        api::encode_status(api::RestoreSessionStatus{.withdrawal = withdrawal})["withdrawal"];
  } else {
    decision.status.json.erase("withdrawal");
  }
}

using Rule = bool (*)(Decision&);
constexpr Rule kRules[] = {deleted_session_is_released,
                           settled_session_never_changes,
                           unusable_session_is_invalid,
                           superseded_session_ends,
                           passed_time_out_fails,
                           volumes_in_use_are_waited_for,
                           hosts_are_named,
                           phase_follows_from_the_hosts};

}  // namespace

bool may_be_tried_again(const api::RestoreSession& session) {
  const api::RestoreSessionStatus& status = session.status;
  return status.phase == "Failed" && status.reason != names::kSuperseded &&
         !inject::was_ended_by_older_stash(session) &&
         std::ranges::any_of(
             status.stats, [](const api::HostStats& host) { return api::has_attempt_left(host.phase, host.attempts); });
}

Plan plan_restore(const RestoreWorld& world) {
  const auto session = api::decode<api::RestoreSession>(world.session);
  if (!session) {
    Plan plan;
    release_legacy_finalizers(plan, api::kRestoreSessions, world.session);
    const std::string phase = string_at(world.session, {"status", "phase"});
    if (phase == kInvalidPhase || at(world.session, {"metadata", "deletionTimestamp"})) return plan;
    StatusDraft status(world.session, {}, world.now);
    status.json["phase"] = kInvalidPhase;
    status.set(names::kCompleted, "True", reasons::kInvalid, session.error().message);
    set_progress(status, Json::array(), 0, reasons::kHostRestoreFailed);
    write_status(plan, api::kRestoreSessions, world.session, status.finish());
    warn(plan, reasons::kRestoreFailed, session.error().message);
    return plan;
  }
  Decision decision{world,
                    *session,
                    StatusDraft(world.session, session->status.conditions, world.now),
                    array_at(world.session, {"status", "stats"}),
                    {},
                    unnamed_hosts(world.session, array_at(world.session, {"status", "stats"}))};
  if (!decision.session.metadata.being_deleted) {
    set_fields_honoured<api::RestoreSession>(decision.status, world.session, world.target.remarks);
    if (!settled_session_never_changes(decision)) {
      set_restore_conditions(decision.status, world, *session);
      if (world.target.workload) set_withdrawal(decision);
    }
  }
  for (const Rule rule : kRules) {
    if (rule(decision)) break;
  }
  return std::move(decision.plan);
}

}  // namespace stash::controller
