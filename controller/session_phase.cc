#include "controller/session_phase.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "api/names.h"
#include "api/time_out.h"
#include "controller/claims.h"
#include "controller/expected_hosts.h"
#include "controller/history.h"
#include "controller/hosts.h"
#include "controller/invoker_labels.h"
#include "controller/lost_pods.h"
#include "controller/reasons.h"
#include "controller/retry.h"
#include "controller/session_decision.h"
#include "controller/session_progress.h"
#include "controller/session_upkeep.h"
#include "controller/status_draft.h"
#include "controller/thaw.h"
#include "inject/configuration_rules.h"

namespace stash::controller {
namespace {

namespace names = api::names;

/// Thousands may have come together while nobody looked; those that run are looked at in between.
constexpr std::size_t kRemovedAtOnce = 50;
constexpr std::chrono::seconds kGoOnRemoving{1};

/// The deadline has ended it, and its pods or their thaws are waited for.
bool is_late(const SessionDecision& decision) {
  const api::Condition* late = api::find_condition(decision.status.conditions(), names::kDeadlineExceeded);
  return late != nullptr && late->status == "True";
}

/// No pod has taken a host yet, nor lost one.
bool untouched(const SessionDecision& decision) {
  const Tally sum = tally(decision.stats);
  // Pods take hosts that are objects of their own without the session being written.
  if (decision.has_host_objects() || is_late(decision)) return false;
  return sum.total == sum.pending && !api::find_condition(decision.status.conditions(), reasons::kBackupDisrupted);
}

/// Its hosts have been named, so that pods may take them.
bool stamped(const SessionDecision& decision) { return !decision.stats.empty(); }

// Rules. The first one that returns true has decided; their order is the specification.

bool deleted_session_is_left_alone(SessionDecision& decision) {
  if (!decision.session.metadata.being_deleted) return false;
  release_legacy_finalizers(decision.plan, api::kBackupSessions, decision.world.session);
  return true;
}

bool session_of_another_invoker_is_left_alone(SessionDecision& decision) {
  return belongs_to_another_invoker(decision.session);
}

bool finished_session_only_tidies_its_history(SessionDecision& decision) {
  if (!api::is_final_phase(decision.session.status.phase)) return false;
  if (!decision.world.configuration || decision.world.followed) return true;
  std::vector<api::BackupSession> all = decision.world.siblings;
  all.push_back(decision.session);
  const int limit = decision.world.configuration->spec.backup_history_limit.value_or(1);
  for (const api::ObjectMeta& meta : beyond_history(std::move(all), limit)) {
    if (decision.plan.writes.size() >= kRemovedAtOnce) {
      look_again(decision.plan, kGoOnRemoving);
      break;
    }
    remove_object(decision.plan, api::kBackupSessions, meta);
  }
  return true;
}

/// The one that repeats it comes first and is always named the same, so whatever stops us, there is never a second one.
void repeat(SessionDecision& decision, const std::string& name) {
  const auto& siblings = decision.world.siblings;
  const bool made =
      std::ranges::any_of(siblings, [&](const api::BackupSession& other) { return other.metadata.name == name; });
  if (!made) {
    create_object(decision.plan, api::kBackupSessions, retry_of(decision.session, *decision.world.configuration));
    note(decision.plan, reasons::kRetried, fmt::format("it failed and is repeated by BackupSession {}", name));
  }
  decision.status.json["retried"] = true;
}

/// A newer backup has run, or runs: what this one should have saved is saved.
bool is_overtaken(const SessionDecision& decision, const std::string& retry) {
  const api::ObjectMeta& own = decision.session.metadata;
  return std::ranges::any_of(decision.world.siblings, [&](const api::BackupSession& other) {
    return other.metadata.created > own.created && other.metadata.name != retry && other.status.phase != "Skipped" &&
           !other.metadata.being_deleted;
  });
}

bool failed_session_is_repeated(SessionDecision& decision) {
  const api::BackupSessionStatus& status = decision.session.status;
  if (status.phase != "Failed" || status.retried || !status.next_retry || !decision.world.configuration) return false;
  const api::BackupConfiguration& configuration = *decision.world.configuration;
  const std::string name = retry_name(decision.session);
  if (!next_retry(decision.session, configuration, decision.world.now) ||
      !inject::unusable(configuration, decision.world.exec_hooks).empty() || is_overtaken(decision, name)) {
    decision.status.json.erase("nextRetry");
  } else if (decision.world.now < *status.next_retry) {
    const auto wait = std::chrono::ceil<std::chrono::seconds>(*status.next_retry - decision.world.now);
    look_again(decision.plan, wait);
    return false;
  } else {
    repeat(decision, name);
  }
  write_status(decision.plan, api::kBackupSessions, decision.world.session, decision.status.finish());
  return false;
}

bool contradicting_names_fail(SessionDecision& decision) {
  if (decision.configuration_name) return false;
  fail_session(decision, reasons::kNamesContradict, decision.configuration_name.error().message);
  return true;
}

bool session_of_nothing_fails(SessionDecision& decision) {
  if (!decision.configuration_name->empty()) return false;
  fail_session(decision, reasons::kInvalid,
               "it names no BackupConfiguration; create a new session with spec.invoker or spec.backupConfiguration");
  return true;
}

bool missing_configuration_fails_after_a_grace(SessionDecision& decision) {
  if (decision.world.configuration) return false;
  if (decision.world.configuration_error.empty() && decision.age() < decision.world.limits.grace) {
    look_again(decision.plan, decision.world.limits.grace - decision.age());
    return true;
  }
  const std::string why = decision.world.configuration_error.empty()
                              ? configuration_text(decision) + " does not exist; create it, then create a new session"
                              : decision.world.configuration_error + "; correct it, then create a new session";
  fail_session(decision, reasons::kConfigurationMissing, why);
  return true;
}

bool session_of_a_replaced_configuration_fails(SessionDecision& decision) {
  for (const api::OwnerReference& owner : decision.session.metadata.owners) {
    const api::ObjectMeta& configuration = decision.world.configuration->metadata;
    if (owner.kind != "BackupConfiguration" || owner.name != configuration.name || owner.uid == configuration.uid)
      continue;
    fail_session(decision, reasons::kConfigurationMissing,
                 configuration_text(decision) + " was deleted and made anew since; create a new session");
    return true;
  }
  return false;
}

bool labels_and_owner_are_completed(SessionDecision& decision) {
  const Json patch = missing_invoker_metadata(decision.world.session, *decision.world.configuration);
  // Sidecars select by label, so a session made by hand gets it before its hosts are offered.
  if (!patch.empty()) write_patch(decision.plan, api::kBackupSessions, decision.world.session, {{"metadata", patch}});
  return false;
}

bool paused_configuration_skips(SessionDecision& decision) {
  if (!decision.world.configuration->spec.paused || !untouched(decision)) return false;
  skip(decision, reasons::kPaused,
       configuration_text(decision) + " is paused; set spec.paused to false to back up again");
  return true;
}

bool older_unfinished_session_skips_this_one(SessionDecision& decision) {
  if (!untouched(decision)) return false;
  const auto key = [](const api::ObjectMeta& meta) { return std::pair(meta.created, meta.name); };
  for (const api::BackupSession& other : decision.world.siblings) {
    if (other.metadata.being_deleted || api::is_final_phase(other.status.phase)) continue;
    if (key(other.metadata) >= key(decision.session.metadata)) continue;
    skip(decision, reasons::kSkipped,
         fmt::format("session {} of the same BackupConfiguration has not ended yet", other.metadata.name));
    return true;
  }
  return false;
}

/// A pod of before the restore may still run, on the same volume: its snapshot would hold half-restored data, and the
/// retention policy would forget good ones for it.
bool restore_of_the_target_skips(SessionDecision& decision) {
  if (decision.world.restoring.empty() || !untouched(decision)) return false;
  skip(decision, names::kRestoreInProgress,
       fmt::format("RestoreSession {}/{} restores the same workload and has not ended; backups go on when it has "
                   "succeeded or is deleted",
                   decision.session.metadata.ns, decision.world.restoring));
  return true;
}

bool unusable_configuration_fails(SessionDecision& decision) {
  const std::string why = inject::unusable(*decision.world.configuration, decision.world.exec_hooks);
  if (why.empty() || stamped(decision)) return false;
  fail_session(decision, reasons::kInvalid, why);
  return true;
}

Claims claims_of(const SessionDecision& decision) {
  const SessionWorld& world = decision.world;
  return {.target = world.target,
          .silent_for = world.silent_for,
          .limits = world.limits,
          .now = world.now,
          .disrupted = reasons::kBackupDisrupted,
          .in_turn = false,
          .watched_for = world.watched_for,
          .refused = world.objects_refused};
}

/// Gives back what vanished pods had, and fails what stands still or is taken by nobody.
void judge_hosts(SessionDecision& decision, Claims claims) {
  Json lost = Json::array();
  claims.lost = &lost;
  for (std::string& said : judge_claims(claims, decision.stats, decision.status, decision.plan)) {
    warn(decision.plan, reasons::kHostBackupFailed, std::move(said));
  }
  record_lost_pods(decision.status.json, lost, decision.world.target.ref);
}

/// A restore begins when this session has ended: not before its pods have given back what they read.
bool restore_waits_for_pods(SessionDecision& decision, const std::string& message) {
  if (decision.world.restoring.empty()) return false;
  judge_hosts(decision, claims_of(decision));
  fail_hosts(decision.stats, kHostPending, message);
  ask_to_stop(decision.stats, message);
  if (!uses_volumes(decision.stats)) return false;
  thaw_failed_hosts(decision);
  decision.status.json["phase"] = "Running";
  decision.status.set(names::kCompleted, "False", names::kRestoreInProgress, message);
  look_again(decision.plan, decision.world.limits.look_again);
  write(decision);
  return true;
}

bool passed_deadline_fails(SessionDecision& decision) {
  const Tally sum = tally(decision.stats);
  if (stamped(decision) && sum.pending + sum.running == 0 && decision.unnamed == 0) return false;
  const auto& limits = decision.world.limits;
  const std::chrono::seconds limit =
      api::time_out(decision.world.configuration->spec.time_out).value_or(limits.deadline);
  if (decision.age() < limit) {
    look_again(decision.plan, limit - decision.age());
    return false;
  }
  const std::string silent = hosts_in(decision.stats, kHostRunning);
  std::string message = fmt::format("it did not end within {}{}", format_duration(limit),
                                    silent.empty() ? "" : "; still running: " + silent);
  // Which hosts they were is told as of the first look.
  if (is_late(decision)) message = api::find_condition(decision.status.conditions(), names::kDeadlineExceeded)->message;
  decision.status.set(names::kDeadlineExceeded, "True", reasons::kDeadline, message);
  // Who keeps to kStall has ended by then.
  if (decision.age() < limit + limits.stall && restore_waits_for_pods(decision, message)) return true;
  fail_session(decision, reasons::kDeadline, message);
  return true;
}

bool hosts_are_named(SessionDecision& decision) {
  const SessionWorld& world = decision.world;
  const bool interrupted = !world.host_objects.empty() && !api::has_host_objects(world.session);
  const std::size_t known = decision.stats.size();
  decision.unnamed = name_hosts(world.session, world.target, decision.stats, interrupted);
  if (!world.objects_refused.empty() && decision.has_host_objects()) {
    // Without objects of their own they stay what they were before.
    decision.unnamed += static_cast<int>(decision.stats.size() - known);
    decision.stats.erase(decision.stats.begin() + static_cast<std::ptrdiff_t>(known), decision.stats.end());
  }
  if (stamped(decision)) return false;
  if (const auto why = judge_unnamed(claims_of(decision), 0, decision.status, decision.plan)) {
    fail_session(decision, why->reason, why->message);
    return true;
  }
  decision.status.json["phase"] = "Pending";
  write(decision);
  return true;
}

/// What is read while somebody restores into the volume is neither the data of before nor that of after. The restore
/// waits for these pods.
void make_way_for_restore(SessionDecision& decision) {
  if (decision.world.restoring.empty() || !decision.world.restore_injected) return;
  const std::string why = fmt::format("RestoreSession {}/{} restores the same workload, and began before this was done",
                                      decision.session.metadata.ns, decision.world.restoring);
  fail_hosts(decision.stats, kHostPending, why);
  ask_to_stop(decision.stats, why);
  // Else each other pod that could work on such a host takes it in the moment in which it is given back.
  if (uses_volumes(decision.stats)) decision.status.set(names::kCompleted, "False", names::kRestoreInProgress, why);
}

bool phase_follows_from_the_hosts(SessionDecision& decision) {
  const bool first = array_at(decision.world.session, {"status", "stats"}).empty();
  const Claims claims = claims_of(decision);
  judge_hosts(decision, claims);
  make_way_for_restore(decision);
  thaw_failed_hosts(decision);
  const Tally sum = tally(decision.stats);
  if (sum.pending + sum.running == 0) {
    if (waits_for_hosts(decision) || waits_for_thaws(decision)) return true;
  }
  if (sum.pending + sum.running == 0 && decision.unnamed > 0) {
    // Those that are missing have been given up where the upkeep has begun.
    const bool given_up = upkeep_object(decision.world.host_objects) != nullptr;
    if (const auto why = given_up ? why_unnamed(claims, decision.unnamed)
                                  : judge_unnamed(claims, decision.unnamed, decision.status, decision.plan)) {
      if (waits_for_upkeep(decision, is_late(decision))) return true;
      tell_of_failed_thaws(decision.stats);
      end(decision, "Failed", why->reason,
          sum.failed > 0 ? errors_of(decision.stats) + "; " + why->message : why->message);
      return true;
    }
  } else if (sum.pending + sum.running == 0) {
    if (waits_for_upkeep(decision, is_late(decision))) return true;
    tell_of_failed_thaws(decision.stats);
    if (sum.failed > 0) {
      end(decision, "Failed", is_late(decision) ? reasons::kDeadline : "Failed", errors_of(decision.stats));
    } else {
      end(decision, "Succeeded", "Succeeded", fmt::format("{} of {} hosts succeeded", sum.succeeded, sum.total));
    }
    return true;
  }
  decision.status.json["phase"] = sum.pending == sum.total ? "Pending" : "Running";
  write(decision);
  if (first) {
    note(decision.plan, reasons::kBackupStarted,
         "waiting for a pod to back up " + hosts_in(decision.stats, kHostPending));
  }
  return true;
}

using Rule = bool (*)(SessionDecision&);
constexpr Rule kRules[] = {
    deleted_session_is_left_alone,
    session_of_another_invoker_is_left_alone,
    failed_session_is_repeated,
    finished_session_only_tidies_its_history,
    contradicting_names_fail,
    session_of_nothing_fails,
    missing_configuration_fails_after_a_grace,
    session_of_a_replaced_configuration_fails,
    labels_and_owner_are_completed,
    paused_configuration_skips,
    older_unfinished_session_skips_this_one,
    restore_of_the_target_skips,
    unusable_configuration_fails,
    passed_deadline_fails,
    hosts_are_named,
    phase_follows_from_the_hosts,
};

Plan plan_unreadable(const SessionWorld& world, const Error& error) {
  Plan plan;
  release_legacy_finalizers(plan, api::kBackupSessions, world.session);
  const std::string phase = string_at(world.session, {"status", "phase"});
  if (api::is_final_phase(phase) || at(world.session, {"metadata", "deletionTimestamp"})) return plan;
  StatusDraft status(world.session, {}, world.now);
  status.json["phase"] = "Failed";
  status.set(names::kCompleted, "True", reasons::kInvalid, error.message);
  set_progress(status, Json::array(), 0, reasons::kHostBackupFailed);
  write_status(plan, api::kBackupSessions, world.session, status.finish());
  warn(plan, reasons::kBackupFailed, error.message);
  return plan;
}

}  // namespace

SessionWorld without_more_objects(SessionWorld world, const Json& session, std::string why) {
  world.objects_refused = std::move(why);
  if (api::has_host_objects(session)) return world;
  world.session = session;
  world.host_objects.clear();
  world.may_have_host_objects = false;
  return world;
}

Plan plan_session(const SessionWorld& world) {
  Result<api::BackupSession> session = api::decode<api::BackupSession>(world.session);
  if (!session) return plan_unreadable(world, session.error());
  Json stats = array_at(world.session, {"status", "stats"});
  if (stats.empty()) {
    for (const api::HostStats& host : session->status.stats) stats.push_back(api::encode_host(host));
  }
  if (const auto upkeep = upkeep_entry(world.host_objects)) session->status.stats.push_back(*upkeep);
  const int unnamed = unnamed_hosts(world.session, stats);
  SessionDecision decision{world,
                           *session,
                           api::configuration_of(*session),
                           StatusDraft(world.session, session->status.conditions, world.now),
                           std::move(stats),
                           {},
                           unnamed};
  for (const Rule rule : kRules) {
    if (rule(decision)) break;
  }
  spread_hosts(decision.plan, world.session, world.host_objects, world.may_have_host_objects);
  return std::move(decision.plan);
}

}  // namespace stash::controller
