#include "sidecar/backup_session_run.h"

#include <algorithm>
#include <tuple>

#include "api/codec.h"
#include "api/names.h"
#include "base/backoff.h"
#include "base/log.h"
#include "sidecar/backup_plan.h"
#include "sidecar/cache_cap.h"
#include "sidecar/hook_run.h"
#include "sidecar/init_turn.h"
#include "sidecar/repository_conditions.h"
#include "sidecar/scratch.h"
#include "sidecar/source_paths.h"
#include "sidecar/work_progress.h"

namespace stash::sidecar {

namespace {

using Kind = BackupStep::Kind;

/// How long the host's result waits for the Repository's status at most.
constexpr std::chrono::minutes kRepositoryPatience{5};

/// Two that make one repository at once, for Repositories of two namespaces, leave two keys and the config of one.
std::string spoilt_repository(const std::string& location) {
  return fmt::format(
      "the repository at {} was made by two at once and cannot be read. It holds no backups yet: remove its files "
      "\"config\" and \"keys/*\", and let the next session make it anew. Is there a Repository with the same location "
      "in another namespace?",
      location);
}

class Run {
 public:
  Run(Context& context, BackupMemory& memory, const api::BackupConfiguration& configuration, HostStatus& status,
      const Json& session, bool resumes)
      : context_(context),
        memory_(memory),
        configuration_(configuration),
        status_(status),
        tag_(std::string(api::names::kSessionTagPrefix) + string_at(session, {"metadata", "uid"})),
        resumes_(resumes) {
    progress_.host = status.host();
    progress_.upkeep.alone = is_only_host(session);
    const auto& retry = configuration.spec.retry_config;
    progress_.retries_left = static_cast<int>(
        std::clamp<std::int64_t>(int_at(session, {"spec", "retryLeft"}, retry ? retry->max_retry : 0), 0, 1000));
  }

  /// False: stopped or lost, and nothing is to be written.
  bool run() {
    if (auto failure = prepare()) progress_.error = *failure;
    while (go_on()) {
      const BackupStep step = next_step(progress_);
      if (step.kind == Kind::finish) return true;
      work_.step(name_of(step));
      tell_progress();
      execute(step);
    }
    if (progress_.hook_before == HookState::done && progress_.hook_after == HookState::due)
      run_farewell_hook(context_, status_, hooks_);
    return false;
  }

  const BackupProgress& progress() const { return progress_; }
  const WorkProgress& work() const { return work_; }
  const std::optional<api::Repository>& repository() const { return repository_; }
  bool prepared() const { return restic_.has_value(); }
  bool go_on() {
    if (init_turn_) init_turn_->beat();
    return !context_.stop() && status_.beat();
  }

 private:
  std::optional<std::string> prepare() {
    const auto& spec = configuration_.spec;
    auto hooks = plan_hooks("Backup", spec.pre_backup, spec.post_backup, HookPlace::sidecar);
    if (!hooks) return hooks.error().message;
    hooks_ = *std::move(hooks);
    if (hooks_.before) progress_.hook_before = HookState::due;
    if (hooks_.after) progress_.hook_after = HookState::due;
    progress_.hook_after_policy = hooks_.after_policy;

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

    if (auto failure = look_at_the_paths()) return failure;
    progress_.first_backup = repository_->status.first_backup_time;
    progress_.init_claimed = at(repository_object_, {"status", "initialisation"}) != nullptr;
    const auto* shared = api::find_condition(repository_->status.conditions, api::names::kLocationShared);
    if (shared && shared->status == "True" && shared->reason == api::names::kNotFirst)
      progress_.leave_init = shared->message;
    progress_.retention = configuration_.spec.retention_policy;
    const auto allow = configuration_.metadata.annotations.find(std::string(api::names::kAllowEmpty));
    progress_.allow_empty = allow != configuration_.metadata.annotations.end() && allow->second == "true";
    progress_.check_due = check_is_due(repository_->status, context_.clock.now());
    if (!progress_.check_due) progress_.last_check = repository_->status.last_check_time;

    if (!memory_.restic) {
      const auto version = probe_restic(context_.restic);
      if (!version) return version.error().sentence;
      memory_.restic = *version;
      log_info("restic {}", to_string(*version));
    }
    sweep_temporary_files(context_.restic.settings.temp_directory, context_.restic.settings.cache_directory);
    auto restic = open_restic(
        context_, *repository_, Restic::Access::write, *memory_.restic, spec.target ? spec.target->ref.kind : "",
        cache_cap(spec.temp_dir, spec.runtime_settings), [this] { return go_on(); }, [this] { return dead_owners(); });
    if (!restic) return restic.error().sentence;
    restic_.emplace(*std::move(restic));
    progress_.location = restic_->location();
    return std::nullopt;
  }

  /// As far as sessions of this namespace tell: their pods are those that share this repository with us.
  DeadOwners dead_owners() {
    DeadOwners dead;
    const auto sessions = context_.api.list(api::kBackupSessions, context_.pod.ns, {});
    if (!sessions) {
      log_warning("{}", sessions.error().message);
      return dead;
    }
    for (const Json& session : array_at(*sessions, {"items"})) add_lost_pods(dead, session);
    return dead;
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
        note_hook_before(progress_, problem_of(run(*hooks_.before), *hooks_.before));
        if (progress_.error.empty()) progress_.error = look_at_the_paths().value_or("");
        return;
      case Kind::hook_after: {
        const auto ended = run(*hooks_.after);
        // Interrupted: still due, as the farewell.
        if (ended || ended.error().code != ErrorCode::cancelled)
          note_hook_after(progress_, problem_of(ended, *hooks_.after));
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
      case Kind::mark_incomplete:
        return note_mark(progress_, step.path, mark_incomplete(step.path));
      case Kind::tell:
        return tell();
      case Kind::wait:
        context_.pause(kUpkeepWait);
        return note_wait(progress_.upkeep);
      case Kind::check:
        return note_check(progress_, restic_->check());
      case Kind::forget:
        return forget();
      case Kind::count_snapshots:
        return count_snapshots(0);
      case Kind::stats:
        return note_stats(progress_, restic_->stats());
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
      fail_for_good("opening the repository: " + found.error().sentence);
      return;
    }
    progress_.repository = *found ? RepositoryState::present : RepositoryState::absent;
    // Else the last host, which wants the repository for itself, waits for the lock of one that lives.
    if (resumes_ && *found) restic_->remove_own_locks();
  }

  void fail_for_good(std::string error) {
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
      made_now_ = true;
      progress_.repository = RepositoryState::present;
    } else {
      fail_for_good("initialising the repository: " + made.error().sentence);
    }
  }

  void find_snapshot(std::size_t path) {
    const auto earlier = restic_->snapshots(status_.host(), progress_.paths[path].path, tag_);
    if (!earlier) {
      fail_for_good(made_now_ && earlier.error().cause == ResticCause::damaged
                        ? spoilt_repository(restic_->location())
                        : "listing snapshots: " + earlier.error().sentence);
      return;
    }
    const Snapshot* latest = newest(*earlier);
    note_earlier(progress_, path, latest);
    if (latest != nullptr)
      log_info("{} is in snapshot {} of this session already", progress_.paths[path].path, latest->short_id);
  }

  /// The id that the snapshot has with its tag.
  ResticResult<std::string> mark_incomplete(std::size_t path) {
    const PathProgress& entry = progress_.paths[path];
    if (const auto tagged = restic_->add_tag(entry.snapshot->name, kIncompleteTag); !tagged)
      return std::unexpected(tagged.error());
    auto found = restic_->snapshots(status_.host(), entry.path, tag_);
    if (!found) return std::unexpected(found.error());
    const auto untagged = [](const Snapshot& snapshot) { return !is_incomplete(snapshot); };
    std::erase_if(*found, untagged);
    const Snapshot* marked = newest(*found);
    if (marked == nullptr) return std::unexpected(ResticFailure{ResticCause::unknown, "restic did not tag it"});
    log_info("snapshot {} lacks files; tagged {} it is {}", entry.snapshot->name, kIncompleteTag, marked->short_id);
    return marked->short_id;
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

  void forget() {
    const std::vector<std::string> hosts = hosts_to_forget(progress_);
    const auto outcome = restic_->forget(progress_.retention, hosts);
    if (!outcome) return note_forget(progress_, outcome);
    if (progress_.retention.dry_run) {
      log_info("the retention policy is a dry run: it would keep {} snapshots and remove {}", outcome->kept,
               outcome->removed);
      return count_snapshots(0);
    }
    if (hosts.empty()) return note_forget(progress_, outcome);
    log_info("the retention policy was applied to the snapshots of {} only", fmt::join(hosts, ", "));
    count_snapshots(outcome->removed);
  }

  void count_snapshots(int removed) {
    const auto all = restic_->snapshots("", "", "");
    if (!all) return note_forget(progress_, std::unexpected(all.error()));
    note_forget(progress_, ForgetOutcome{static_cast<int>(all->size()), removed});
  }

  Context& context_;
  BackupMemory& memory_;
  const api::BackupConfiguration& configuration_;
  HostStatus& status_;
  std::string tag_;
  const bool resumes_;  ///< what an earlier container of this pod began
  HookPair hooks_;
  std::optional<api::Repository> repository_;
  Json repository_object_;
  std::optional<Restic> restic_;
  std::optional<InitTurn> init_turn_;
  bool made_now_ = false;  ///< the restic repository, by us or by somebody else at the same time
  BackupProgress progress_;
  WorkProgress work_;
};

MetricLabels labels_of(const api::BackupConfiguration& configuration, const std::string& host) {
  MetricLabels labels;
  if (configuration.spec.target) labels.target = configuration.spec.target->ref;
  labels.ns = configuration.metadata.ns;
  labels.repository = configuration.spec.repository;
  labels.host = host;
  return labels;
}

RepositoryMetrics measured(const api::Repository& repository, const BackupProgress& progress) {
  RepositoryMetrics metrics = repository_metrics(repository);
  if (progress.intact) metrics.integrity = progress.intact;
  if (progress.size) metrics.size_bytes = progress.size;
  if (progress.forgotten) {
    metrics.snapshots = progress.forgotten->kept;
    metrics.removed = progress.forgotten->removed;
  }
  return metrics;
}

/// Whether a try is owed: the API server was away. What it says there outlives this session: that there have been
/// backups, so that a repository that is gone is not made anew.
bool owes_repository_status(Context& context, Run& run, const api::ObjectRef& ref, const Json& patch) {
  Backoff backoff;
  const auto begun = context.clock.steady();
  while (true) {
    const auto written = context.api.merge_patch(api::kRepositories, ref, patch, "status");
    if (written) return false;
    log_warning("status of the Repository: {}", written.error().message);
    if (!is_outage(written.error().code) && written.error().code != ErrorCode::conflict) return false;
    if (context.clock.steady() - begun >= kRepositoryPatience) return true;
    context.pause(backoff.next());
    if (!run.go_on()) return true;
  }
}

void publish(Context& context, const api::BackupConfiguration& configuration, HostStatus& status, Run& run,
             Nanoseconds duration) {
  const BackupProgress& progress = run.progress();
  const TimePoint now = context.clock.now();
  std::optional<RepositoryMetrics> repository;
  if (run.repository()) repository = measured(*run.repository(), progress);
  // Before the host's result: whoever sees the session Succeeded finds the Repository up to date.
  const api::ObjectRef ref{configuration.metadata.ns, configuration.spec.repository};
  const Json patch = repository_patch(progress, now);
  const bool owed = !patch.is_null() && owes_repository_status(context, run, ref, patch);

  // Also before it, for the session tells whether that worked.
  BackupMetrics metrics = backup_metrics(progress, duration);
  metrics.prepared = run.prepared();
  const auto push_failure =
      push_metrics(context, configuration.metadata.name, status.host(),
                   render_backup_metrics(labels_of(configuration, status.host()), metrics, repository));

  api::HostStats result = host_result(progress, status.host(), duration, status.claim_now());
  result.conditions = repository_conditions(progress, push_failure, now);
  result.hook = unanswered(status.hook());
  result.progress = run.work().last();
  if (const auto written = status.write_result(result); !written) {
    log_error("the result of {} was not written: {}", status.host(), written.error().message);
    if (written.error().code == ErrorCode::cancelled) return;
  } else if (owed) {
    std::ignore = owes_repository_status(context, run, ref, patch);
  }
  if (result.phase == "Succeeded") {
    log_info("backup of {} succeeded in {}", result.hostname, result.duration);
    tell_event(context, status.session(), kube::EventType::normal, "SuccessfulHostBackup",
               fmt::format("backup of host {} succeeded in {}", result.hostname, result.duration),
               "Post Backup Status Updater");
  } else {
    log_error("backup of {} failed: {}", result.hostname, result.error);
    tell_event(context, status.session(), kube::EventType::warning, "FailedHostBackup",
               fmt::format("backup of host {} failed: {}", result.hostname, result.error), "Backup Sidecar");
  }
  for (const auto& [reason, sentence] : progress.shortcomings) {
    log_warning("{}", sentence);
    tell_event(context, status.session(), kube::EventType::warning, reason, sentence, "Backup Sidecar");
  }
}

}  // namespace

Result<void> run_backup_session(Context& context, BackupMemory& memory, const api::BackupConfiguration& configuration,
                                const Json& session, const NextSession& next, const std::string& host) {
  HostStatus status(context, api::kBackupSessions, session, host, next.entry);
  if (!next.resume) TRY_VOID(status.claim());
  log_info("BackupSession {}/{}: {} host {}", configuration.metadata.ns, next.name,
           next.resume ? "resuming" : "claimed", host);

  const auto begun = context.clock.steady();
  Run run(context, memory, configuration, status, session, next.resume);
  if (!run.run()) {
    if (status.lost()) {
      log_warning("BackupSession {}: host {} was taken away from this pod; stopped", next.name, host);
    } else {
      log_info("BackupSession {}: this pod is being stopped; host {} is given back", next.name, host);
      status.give_back();
    }
    return {};
  }
  publish(context, configuration, status, run, context.clock.steady() - begun);
  return {};
}

}  // namespace stash::sidecar
