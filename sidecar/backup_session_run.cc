#include "sidecar/backup_session_run.h"

#include <algorithm>

#include "api/names.h"
#include "base/log.h"
#include "sidecar/backup_hooks.h"
#include "sidecar/backup_plan.h"
#include "sidecar/backup_publish.h"
#include "sidecar/backup_result.h"
#include "sidecar/incomplete_tag.h"
#include "sidecar/restart_limit.h"
#include "sidecar/session_name.h"
#include "sidecar/session_repository.h"
#include "sidecar/source_paths.h"
#include "sidecar/upkeep_steps.h"
#include "sidecar/work_progress.h"

namespace stash::sidecar {

namespace {

using Kind = BackupStep::Kind;

/// How long the application waits for its hook while the API server is away and a snapshot lacks files.
constexpr std::chrono::seconds kTelling{30};
/// A pod that is being stopped has 30 s as a rule.
constexpr std::chrono::seconds kParting{8};

class Run {
 public:
  Run(Context& context, BackupMemory& memory, const api::BackupConfiguration& configuration, HostStatus& status,
      const Json& session, const NextSession& next)
      : context_(context),
        configuration_(configuration),
        status_(status),
        tag_(session_tag(session)),
        resumes_(next.resume),
        hooks_(context, status, configuration, next.uid, next.resume),
        repository_(context, memory, configuration, going_) {
    progress_.host = status.host();
    progress_.session_tag = tag_;
    if (next.beside) progress_.part = Part::backup;
    progress_.told_incomplete = status.incomplete();
    progress_.upkeep.alone = is_only_host(session);
    progress_.retention = configuration.spec.retention_policy;
    const auto allow = configuration.metadata.annotations.find(std::string(api::names::kAllowEmpty));
    progress_.allow_empty = allow != configuration.metadata.annotations.end() && allow->second == "true";
    const auto& retry = configuration.spec.retry_config;
    progress_.retries_left = static_cast<int>(
        std::clamp<std::int64_t>(int_at(session, {"spec", "retryLeft"}, retry ? retry->max_retry : 0), 0, 1000));
  }

  /// False: stopped or lost, and there is no result.
  bool run() {
    if (!work()) return false;
    hooks_.end();
    return true;
  }

  /// The result of a host that was asked to stop and could not be thawed: given back, it would be nobody's.
  std::optional<api::HostStats> unthawed(Nanoseconds duration) const {
    if (!hooks_.still_owed()) return std::nullopt;
    BackupProgress ended = progress_;
    // That restic was interrupted says nobody why.
    ended.error = status_.why_to_stop();
    api::HostStats result = host_result(ended, status_.host(), duration, status_.claim_now());
    result.hook = hooks_.still_owed();
    return result;
  }

  BackupReport report(Nanoseconds duration) {
    return {.progress = progress_,
            .repository = repository_.object(),
            .prepared = repository_.is_prepared(),
            .work = work_.last(),
            .duration = duration,
            .go_on = going_};
  }
  std::vector<std::string> incomplete() const { return incomplete_snapshots(progress_); }
  /// Tags what it has not come to before: once, and without waiting for a lock. Else the pod that takes the host next
  /// does it.
  void tag_in_parting() {
    if (!repository_.is_prepared()) return;
    Context hurried = context_;
    hurried.restic.patience.lock = {};
    const auto end = context_.clock.steady() + kParting;
    std::optional<Restic> restic;
    for (const PathProgress& path : progress_.paths) {
      for (const std::string& snapshot : path.unmarked) {
        if (!restic) {
          auto opened = repository_.open(hurried, [this, end] { return context_.clock.steady() < end; });
          if (!opened) return log_warning("{}", opened.error().sentence);
          restic.emplace(*std::move(opened));
        }
        if (const auto tagged = tag_incomplete(*restic, snapshot, status_.host(), path.path, tag_); !tagged)
          log_warning("snapshot {} lacks files and has no tag: {}", snapshot, tagged.error().sentence);
      }
    }
  }
  bool go_on() {
    repository_.beat();
    return !context_.stop() && status_.beat();
  }

 private:
  bool work() {
    if (auto failure = begin()) progress_.error = *failure;
    while (go_on()) {
      const BackupStep step = next_step(progress_);
      if (step.kind == Kind::finish) return true;
      work_.step(name_of(step));
      tell_progress();
      execute(step);
    }
    if (!status_.lost() && end_without_upkeep(progress_)) return true;
    hooks_.part(progress_);
    return false;
  }

  /// What needs nobody else comes first.
  std::optional<std::string> begin() {
    const auto unplanned = hooks_.plan(progress_);
    // Whatever else this host does now may take hours.
    hooks_.thaw_what_is_not_planned();
    if (status_.asked_to_stop()) return std::nullopt;
    if (status_.restarts() >= kRestarts) return unplanned ? *unplanned + "; and " + give_up() : give_up();
    if (unplanned) return unplanned;
    if (auto failure = repository_.prepare(progress_)) {
      progress_.leave_upkeep = true;
      return failure;
    }
    return look_at_the_paths();
  }

  /// Without another look at the data. The upkeep that may fall to this host is tried once for the others: one that has
  /// told how its snapshots came out had begun with it.
  std::string give_up() {
    if (!status_.told()) return too_many_restarts(context_.pod, status_.restarts(), "this backup");
    progress_.leave_upkeep = true;
    return too_many_restarts(context_.pod, status_.restarts(),
                             "this backup, at last in the upkeep of the repository (check, retention policy)");
  }

  std::optional<std::string> look_at_the_paths() {
    auto paths =
        look_at_paths(configuration_.spec.target ? configuration_.spec.target->paths : std::vector<std::string>{});
    if (!paths) return "spec.target.paths of the BackupConfiguration: " + paths.error().message;
    const auto mounts =
        configuration_.spec.target ? configuration_.spec.target->volume_mounts : std::vector<api::VolumeMount>{};
    if (const auto inside = check_inside_mounts(*paths, mounts); !inside) return inside.error().message;
    progress_.paths = *std::move(paths);
    work_.set_parts(progress_.paths.size());
    return std::nullopt;
  }

  std::string name_of(const BackupStep& step) const {
    switch (step.kind) {
      case Kind::adopt:
      case Kind::back_up:
        return "backup " + progress_.paths[step.path].path;
      default:
        return std::string(to_string(step.kind));
    }
  }
  void tell_progress() { status_.progress(work_.now()); }
  void end_part(const std::optional<BackupSummary>& summary) {
    const BackupSummary done = summary.value_or(BackupSummary{});
    work_.end_part(done.files_total, done.bytes_total);
  }

  BackupRequest request(std::size_t path) const {
    return {status_.host(), progress_.paths[path].path, tag_, configuration_.spec.target->exclude};
  }

  void execute(const BackupStep& step) {
    switch (step.kind) {
      case Kind::find_repository:
        return find_repository();
      case Kind::init:
        return repository_.init(progress_, resumes_);
      case Kind::hook_before:
        hooks_.run_before(progress_, going_);
        if (progress_.error.empty()) progress_.error = look_at_the_paths().value_or("");
        return;
      case Kind::hook_after:
        return hooks_.run_after(progress_, going_);
      case Kind::find_snapshot:
        return repository_.find_snapshot(progress_, step.path);
      case Kind::adopt: {
        const auto outcome = repository_.restic().dry_run(request(step.path));
        end_part(outcome.summary);
        return note_adoption(progress_, step.path, outcome.summary, outcome.failure, outcome.unreadable);
      }
      case Kind::back_up: {
        const auto outcome = repository_.restic().back_up(request(step.path), [this](const ResticStatus& status) {
          work_.note(status);
          tell_progress();
        });
        end_part(outcome.summary);
        return note_backup(progress_, step.path, outcome.summary, outcome.failure, outcome.unreadable);
      }
      case Kind::tell_incomplete:
        return tell_incomplete();
      case Kind::mark_incomplete:
        return mark_incomplete(step.path);
      case Kind::tell:
        return tell();
      case Kind::wait:
        context_.pause(kUpkeepWait);
        return note_wait(progress_.upkeep);
      case Kind::check:
      case Kind::forget:
      case Kind::count_snapshots:
      case Kind::stats:
        return run_upkeep_step(step.kind, context_, configuration_, repository_.restic(), progress_, going_);
      case Kind::finish:
        return;
    }
  }

  void find_repository() {
    // A host that failed before it came to it, and is the last.
    if (!repository_.is_prepared()) {
      if (const auto failure = repository_.prepare(progress_)) return note_left_upkeep(progress_, *failure);
    }
    repository_.find(progress_, resumes_);
  }

  void tell_incomplete() {
    progress_.told_incomplete = incomplete_snapshots(progress_);
    const auto end = context_.clock.steady() + kTelling;
    status_.tell_incomplete(progress_.told_incomplete,
                            [this, end] { return context_.clock.steady() < end && go_on(); });
  }

  void mark_incomplete(std::size_t path) {
    const PathProgress& entry = progress_.paths[path];
    const auto tagged = tag_incomplete(repository_.restic(), entry.unmarked.front(), status_.host(), entry.path, tag_);
    // Interrupted: still unmarked, for the parting.
    if (!was_interrupted(tagged, going_)) note_mark(progress_, path, tagged);
  }

  void tell() {
    const auto told = status_.tell_backed_up(progress_.error.empty(), going_);
    if (!told && told.error().code == ErrorCode::cancelled) return;
    if (!told) log_warning("telling how the snapshots came out: {}", told.error().message);
    if (told && *told) {
      note_others(progress_.upkeep, other_hosts(**told, status_.host()));
    } else {
      note_others(progress_.upkeep, std::nullopt);
    }
  }

  Context& context_;
  const api::BackupConfiguration& configuration_;
  HostStatus& status_;
  const std::string tag_;
  const bool resumes_;  ///< what an earlier container of this pod began
  const GoOn going_ = [this] { return go_on(); };
  BackupHooks hooks_;
  SessionRepository repository_;
  BackupProgress progress_;
  WorkProgress work_;
};

void give_back(HostStatus& status, const Run& run, Nanoseconds duration) {
  const auto result = run.unthawed(duration);
  if (!result) return status.give_back(run.incomplete());
  if (const auto written = status.write_result(*result); !written)
    log_error("that {} is to be thawed was not written: {}", status.host(), written.error().message);
}

}  // namespace

Result<bool> run_backup_session(Context& context, BackupMemory& memory, const api::BackupConfiguration& configuration,
                                const Json& session, const NextSession& next, const std::string& host) {
  HostStatus status(context, api::kBackupSessions, session,
                    next.beside ? place_beside(session, host) : place_in(api::kBackupSessions, session), host,
                    next.entry);
  // Whoever only lost sight of the API server has not ended.
  const bool new_here = memory.begun.insert(next.uid).second;
  TRY_VOID(next.resume ? status.resume(new_here ? Counted::yes : Counted::no) : status.claim());
  log_info("BackupSession {}/{}: {} host {}", configuration.metadata.ns, next.name,
           next.resume ? "resuming" : "claimed", host);

  const auto begun = context.clock.steady();
  Run run(context, memory, configuration, status, session, next);
  if (!run.run()) {
    if (status.lost()) {
      log_warning("BackupSession {}: host {} was taken away from this pod; stopped", next.name, host);
    } else {
      log_info("BackupSession {}: {}; host {} is given back", next.name,
               status.asked_to_stop() ? "the controller asks for an early end" : "this pod is being stopped", host);
      if (status.asked_to_stop()) memory.wanted_back.insert(next.uid);
      give_back(status, run, context.clock.steady() - begun);
    }
    // After it: the next pod need not wait, and knows of the snapshots all the same.
    run.tag_in_parting();
    return false;
  }
  return publish_backup(context, configuration, status, run.report(context.clock.steady() - begun));
}

}  // namespace stash::sidecar
