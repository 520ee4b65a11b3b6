#include "sidecar/backup_session_run.h"

#include <algorithm>

#include "api/codec.h"
#include "api/names.h"
#include "base/log.h"
#include "sidecar/backup_plan.h"
#include "sidecar/backup_publish.h"
#include "sidecar/backup_result.h"
#include "sidecar/cache_cap.h"
#include "sidecar/hook_run.h"
#include "sidecar/incomplete_tag.h"
#include "sidecar/init_turn.h"
#include "sidecar/left_frozen.h"
#include "sidecar/lost_owners.h"
#include "sidecar/restart_limit.h"
#include "sidecar/scratch.h"
#include "sidecar/session_name.h"
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

/// Two that make one repository at once, for Repositories of two namespaces, leave two keys and the config of one; and
/// whoever is killed while he makes one in a bucket leaves a key.
constexpr std::string_view kPerhapsHalfMade =
    ". Or it was made by two at once (is there a Repository with the same location in another namespace?), or its "
    "making "
    "was cut short: Stash knows of no backup in it. Look into its \"snapshots/\" and \"data/\": only when both hold "
    "nothing, remove its files \"config\" and \"keys/*\", and the next session makes it anew. Else they are needed: "
    "get "
    "what is damaged or missing back from a copy";

class Run {
 public:
  Run(Context& context, BackupMemory& memory, const api::BackupConfiguration& configuration, HostStatus& status,
      const Json& session, const NextSession& next)
      : context_(context),
        memory_(memory),
        configuration_(configuration),
        status_(status),
        session_uid_(string_at(session, {"metadata", "uid"})),
        tag_(session_tag(session)),
        resumes_(next.resume) {
    progress_.host = status.host();
    progress_.session_tag = tag_;
    if (next.beside) progress_.part = Part::backup;
    progress_.told_incomplete = status.incomplete();
    progress_.upkeep.alone = is_only_host(session);
    const auto& retry = configuration.spec.retry_config;
    progress_.retries_left = static_cast<int>(
        std::clamp<std::int64_t>(int_at(session, {"spec", "retryLeft"}, retry ? retry->max_retry : 0), 0, 1000));
  }

  /// False: stopped or lost, and there is no result.
  bool run() {
    const bool ended = work();
    if (!ended) return false;
    // What its author took out of the configuration meanwhile is owed all the same.
    if (!hooks_.after && left_frozen_for(context_) == session_uid_) thaw_left_frozen(context_);
    // Whether there was a postBackup or none was wanted.
    note_thawed(context_, session_uid_);
    return true;
  }

  /// The result of a host that was asked to stop and could not be thawed: given back, it would be nobody's.
  std::optional<api::HostStats> unthawed(Nanoseconds duration) const {
    if (!owed_thaw_) return std::nullopt;
    BackupProgress ended = progress_;
    // That restic was interrupted says nobody why.
    ended.error = status_.why_to_stop();
    api::HostStats result = host_result(ended, status_.host(), duration, status_.claim_now());
    result.hook = owed_thaw_;
    return result;
  }

  BackupReport report(Nanoseconds duration) {
    return {.progress = progress_,
            .repository = repository_,
            .prepared = restic_.has_value(),
            .work = work_.last(),
            .duration = duration,
            .go_on = [this] { return go_on(); }};
  }
  std::vector<std::string> incomplete() const { return incomplete_snapshots(progress_); }
  /// Tags what it has not come to before: once, and without waiting for a lock. Else the pod that takes the host next
  /// does it.
  void tag_in_parting() {
    if (!repository_ || !memory_.restic || !restic_) return;
    Context hurried = context_;
    hurried.restic.patience.lock = {};
    const auto end = context_.clock.steady() + kParting;
    std::optional<Restic> restic;
    for (const PathProgress& path : progress_.paths) {
      for (const std::string& snapshot : path.unmarked) {
        if (!restic) {
          auto opened = open(hurried, [this, end] { return context_.clock.steady() < end; });
          if (!opened) return log_warning("{}", opened.error().sentence);
          restic.emplace(*std::move(opened));
        }
        if (const auto tagged = tag_incomplete(*restic, snapshot, status_.host(), path.path, tag_); !tagged)
          log_warning("snapshot {} lacks files and has no tag: {}", snapshot, tagged.error().sentence);
      }
    }
  }
  bool go_on() {
    if (init_turn_) init_turn_->beat();
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
    if (may_be_frozen()) run_farewell();
    return false;
  }

  /// What an earlier container did before it ended it has told nobody: thawing twice is better than staying frozen.
  bool may_be_frozen() const {
    const bool frozen =
        progress_.hook_before == HookState::done || (resumes_ && progress_.hook_before == HookState::due);
    return frozen && progress_.hook_after == HookState::due;
  }

  void run_farewell() {
    const auto problem = run_farewell_hook(context_, status_, hooks_);
    if (!problem) note_thawed(context_, session_uid_);
    if (!problem || hooks_.after->kind != HookCall::Kind::exec) return;
    if (status_.asked_to_stop() && !status_.lost()) owed_thaw_ = owed_thaw(status_.hook(), context_.clock.now());
  }

  std::optional<std::string> begin() {
    if (auto failure = plan()) return failure;
    if (status_.asked_to_stop()) return std::nullopt;
    if (status_.restarts() >= kRestarts) return give_up();
    if (auto failure = prepare()) {
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

  /// What needs nobody else.
  std::optional<std::string> plan() {
    const auto& spec = configuration_.spec;
    auto hooks = plan_hooks("Backup", spec.pre_backup, spec.post_backup, HookPlace::sidecar);
    if (!hooks) return hooks.error().message;
    hooks_ = *std::move(hooks);
    if (hooks_.before) progress_.hook_before = HookState::due;
    if (hooks_.after) progress_.hook_after = HookState::due;
    progress_.hook_after_policy = hooks_.after_policy;
    return std::nullopt;
  }

  std::optional<std::string> prepare() {
    const api::ObjectRef ref{configuration_.metadata.ns, configuration_.spec.repository};
    const auto object = read_patiently(context_, api::kRepositories, ref, [this] { return go_on(); });
    if (!object) {
      if (object.error().code != ErrorCode::not_found) return "reading the Repository: " + object.error().message;
      return fmt::format(
          "the Repository \"{}\" does not exist: create it, or correct spec.repository.name of the "
          "BackupConfiguration",
          ref.name);
    }
    auto repository = api::decode<api::Repository>(*object);
    if (!repository) return repository.error().message;
    repository_ = *std::move(repository);
    repository_object_ = *object;

    progress_.sharing = api::sharing_of(repository_->spec.backend);
    progress_.first_backup = repository_->status.first_backup_time;
    progress_.first_snapshot = repository_->status.first_snapshot_time;
    progress_.init_claimed = at(repository_object_, {"status", "initialisation"}) != nullptr;
    const auto* shared = api::find_condition(repository_->status.conditions, api::names::kLocationShared);
    if (shared && shared->status == "True" && shared->reason == api::names::kNotFirst)
      progress_.leave_init = shared->message;
    progress_.retention = configuration_.spec.retention_policy;
    const auto allow = configuration_.metadata.annotations.find(std::string(api::names::kAllowEmpty));
    progress_.allow_empty = allow != configuration_.metadata.annotations.end() && allow->second == "true";
    progress_.check_due = check_is_due(repository_->status, context_.clock.now());
    if (!progress_.check_due) progress_.last_check = repository_->status.last_check_time;
    progress_.known_damaged = !repository_->status.integrity.value_or(true);

    if (!memory_.restic) {
      const auto version = probe_restic(context_.restic);
      if (!version) return version.error().sentence;
      memory_.restic = *version;
      log_info("restic {}", to_string(*version));
    }
    sweep_temporary_files(context_.restic.settings.temp_directory, context_.restic.settings.cache_directory);
    auto restic = open(context_, [this] { return go_on(); });
    if (!restic) return restic.error().sentence;
    restic_.emplace(*std::move(restic));
    progress_.location = restic_->location();
    return std::nullopt;
  }

  ResticResult<Restic> open(const Context& context, GoOn go_on) {
    const auto& spec = configuration_.spec;
    return open_restic(context, *repository_, Restic::Access::write, *memory_.restic,
                       spec.target ? spec.target->ref.kind : "", cache_cap(spec.temp_dir, spec.runtime_settings),
                       std::move(go_on), [this] { return lost_owners(context_); });
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
        return init();
      case Kind::hook_before:
        note_frozen(context_, session_uid_, configuration_);
        note_hook_before(progress_, problem_of(run(*hooks_.before), *hooks_.before));
        if (progress_.error.empty()) progress_.error = look_at_the_paths().value_or("");
        return;
      case Kind::hook_after: {
        const auto ended = run(*hooks_.after);
        // Interrupted: still due, as the farewell.
        if (!ended && ended.error().code == ErrorCode::cancelled) return;
        note_hook_after(progress_, problem_of(ended, *hooks_.after));
        note_thawed(context_, session_uid_);
        return;
      }
      case Kind::find_snapshot:
        return find_snapshot(step.path);
      case Kind::adopt: {
        const auto outcome = restic_->dry_run(request(step.path));
        end_part(outcome.summary);
        return note_adoption(progress_, step.path, outcome.summary, outcome.failure, outcome.unreadable);
      }
      case Kind::back_up: {
        const auto outcome = restic_->back_up(request(step.path), [this](const ResticStatus& status) {
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
        return run_upkeep_step(step.kind, context_, configuration_, *restic_, progress_, [this] { return go_on(); });
      case Kind::finish:
        return;
    }
  }

  Result<void> run(const HookCall& hook) {
    return run_hook(context_, status_, hook, [this] { return go_on(); });
  }
  std::string problem_of(const Result<void>& ended, const HookCall& hook) const {
    return ended ? "" : failed_hook(hook, hooks_.place, ended.error());
  }

  void find_repository() {
    // A host that failed before it came to it, and is the last.
    if (!restic_) {
      if (const auto failure = prepare()) return note_left_upkeep(progress_, *failure);
    }
    auto found = restic_->has_repository();
    if (!found && found.error().cause == ResticCause::damaged && !init_turn_) {
      // What another pod has made half of looks like the remains of one.
      if (somebody_initialises()) {
        progress_.repository = RepositoryState::absent;
        return;
      }
      found = restic_->has_repository();
    }
    if (!found) {
      fail_to("opening the repository: ", found.error());
      return;
    }
    progress_.repository = *found ? RepositoryState::present : RepositoryState::absent;
    // Else the last host, which wants the repository for itself, waits for the lock of one that lives.
    if (resumes_ && *found) restic_->remove_own_locks();
  }

  void fail_to(std::string what, const ResticFailure& failure) {
    const bool may_be_half_made =
        failure.cause == ResticCause::damaged && !progress_.first_backup && !progress_.first_snapshot;
    fail_for_good(std::move(what) + failure.sentence + std::string(may_be_half_made ? kPerhapsHalfMade : ""));
  }

  template <class T>
  bool was_interrupted(const ResticResult<T>& outcome) {
    return stash::sidecar::was_interrupted(outcome, [this] { return go_on(); });
  }

  void fail_for_good(std::string error) {
    if (!progress_.error.empty()) return note_left_upkeep(progress_, error);
    progress_.error = std::move(error);
    progress_.unusable = true;
  }

  bool somebody_initialises() {
    const api::ObjectRef ref{configuration_.metadata.ns, configuration_.spec.repository};
    auto object = read_patiently(context_, api::kRepositories, ref, [this] { return go_on(); });
    if (!object) return false;
    repository_object_ = *std::move(object);
    return !string_at(repository_object_, {"status", "initialisation", "podUID"}).empty();
  }

  void init() {
    init_turn_.emplace(context_, repository_object_, [this] { return go_on(); });
    const auto turn = init_turn_->take();
    if (turn) {
      init_in_turn();
    } else {
      fail_for_good("waiting to initialise the repository: " + turn.error().message);
    }
    init_turn_.reset();
  }

  void init_in_turn() {
    // Another pod of this session may just have had its turn.
    find_repository();
    if (!progress_.error.empty() || progress_.repository == RepositoryState::present) return;
    log_info("initialising a repository at {}", restic_->location());
    const auto made = restic_->init();
    // Somebody else may have made it meanwhile; then restic says that there is a config already.
    if (made || (made.error().cause == ResticCause::damaged && restic_->has_repository() == true)) {
      progress_.repository = RepositoryState::present;
    } else {
      fail_to("initialising the repository: ", made.error());
    }
  }

  void find_snapshot(std::size_t path) {
    const auto earlier = restic_->snapshots(status_.host(), progress_.paths[path].path, tag_);
    if (!earlier) {
      fail_to("listing snapshots: ", earlier.error());
      return;
    }
    const Snapshot* latest = newest(*earlier);
    note_earlier(progress_, path, latest);
    if (latest != nullptr)
      log_info("{} is in snapshot {} of this session already", progress_.paths[path].path, latest->short_id);
  }

  void tell_incomplete() {
    progress_.told_incomplete = incomplete_snapshots(progress_);
    const auto end = context_.clock.steady() + kTelling;
    status_.tell_incomplete(progress_.told_incomplete,
                            [this, end] { return context_.clock.steady() < end && go_on(); });
  }

  void mark_incomplete(std::size_t path) {
    const PathProgress& entry = progress_.paths[path];
    const auto tagged = tag_incomplete(*restic_, entry.unmarked.front(), status_.host(), entry.path, tag_);
    // Interrupted: still unmarked, for the parting.
    if (!was_interrupted(tagged)) note_mark(progress_, path, tagged);
  }

  void tell() {
    const auto told = status_.tell_backed_up(progress_.error.empty(), [this] { return go_on(); });
    if (!told && told.error().code == ErrorCode::cancelled) return;
    if (!told) log_warning("telling how the snapshots came out: {}", told.error().message);
    if (told && *told) {
      note_others(progress_.upkeep, other_hosts(**told, status_.host()));
    } else {
      note_others(progress_.upkeep, std::nullopt);
    }
  }

  Context& context_;
  BackupMemory& memory_;
  const api::BackupConfiguration& configuration_;
  HostStatus& status_;
  std::string session_uid_, tag_;
  const bool resumes_;  ///< what an earlier container of this pod began
  HookPair hooks_;
  std::optional<api::Repository> repository_;
  Json repository_object_;
  std::optional<Restic> restic_;
  std::optional<InitTurn> init_turn_;
  BackupProgress progress_;
  std::optional<api::HookStatus> owed_thaw_;  ///< which the controller is to run when it can
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
