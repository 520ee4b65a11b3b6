#include "sidecar/backup_session_run.h"

#include <filesystem>

#include "api/codec.h"
#include "api/names.h"
#include "base/log.h"
#include "sidecar/backup_plan.h"

namespace stash::sidecar {

namespace {

namespace fs = std::filesystem;
using Kind = BackupStep::Kind;

/// Directories at most, all the way down. What cannot be looked into counts as not empty: restic will name it.
bool is_empty_tree(const fs::path& root) {
  std::error_code problem;
  if (!fs::is_directory(fs::symlink_status(root, problem))) return false;
  fs::recursive_directory_iterator entry(root, problem);
  while (!problem && entry != fs::recursive_directory_iterator()) {
    if (!fs::is_directory(entry->symlink_status(problem))) return false;
    entry.increment(problem);
  }
  return !problem;
}

Result<std::vector<PathProgress>> look_at_paths(const std::vector<std::string>& paths) {
  std::vector<PathProgress> progress;
  for (const std::string& path : paths) {
    TRY(std::string cleaned, clean_path(path));
    std::error_code problem;
    const bool exists = fs::exists(fs::symlink_status(cleaned, problem));
    const bool has_entries = exists && !is_empty_tree(cleaned);
    progress.push_back({.path = std::move(cleaned), .exists = exists, .has_entries = has_entries});
  }
  return progress;
}

class Run {
 public:
  Run(Context& context, BackupMemory& memory, const api::BackupConfiguration& configuration, HostStatus& status,
      std::string uid)
      : context_(context),
        memory_(memory),
        configuration_(configuration),
        status_(status),
        tag_(std::string(api::names::kSessionTagPrefix) + uid) {}

  /// False: stopped or lost, and nothing is to be written.
  bool run() {
    if (auto failure = prepare()) progress_.error = *failure;
    while (go_on()) {
      const BackupStep step = next_step(progress_);
      if (step.kind == Kind::finish) return true;
      execute(step);
    }
    return false;
  }

  const BackupProgress& progress() const { return progress_; }
  const std::optional<api::Repository>& repository() const { return repository_; }
  bool go_on() { return !context_.stop() && status_.beat(); }

 private:
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

    auto paths =
        look_at_paths(configuration_.spec.target ? configuration_.spec.target->paths : std::vector<std::string>{});
    if (!paths) return "spec.target.paths of the BackupConfiguration: " + paths.error().message;
    progress_.paths = *std::move(paths);
    progress_.first_backup = repository_->status.first_backup_time;
    progress_.retention = configuration_.spec.retention_policy;
    const auto allow = configuration_.metadata.annotations.find(std::string(api::names::kAllowEmpty));
    progress_.allow_empty = allow != configuration_.metadata.annotations.end() && allow->second == "true";
    progress_.check_due = check_is_due(repository_->status.integrity, memory_.last_check, context_.clock.now());

    if (!memory_.restic) {
      const auto version = probe_restic(context_.restic);
      if (!version) return version.error().sentence;
      memory_.restic = *version;
      log_info("restic {}", to_string(*version));
    }
    auto restic = Restic::open(repository_->spec.backend, Restic::Access::write, *memory_.restic, context_.restic,
                               [this] { return go_on(); });
    if (!restic) return restic.error().sentence;
    restic_.emplace(*std::move(restic));
    progress_.location = restic_->location();
    return std::nullopt;
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
      case Kind::find_snapshot:
        return find_snapshot(step.path);
      case Kind::adopt: {
        const auto outcome = restic_->dry_run(request(step.path));
        return note_adoption(progress_, step.path, outcome.summary, outcome.failure, outcome.unreadable);
      }
      case Kind::back_up: {
        const auto outcome = restic_->back_up(request(step.path));
        return note_backup(progress_, step.path, outcome.summary, outcome.failure, outcome.unreadable);
      }
      case Kind::check:
        return check();
      case Kind::forget:
        return note_forget(progress_, restic_->forget(progress_.retention));
      case Kind::count_snapshots:
        return count_snapshots();
      case Kind::stats:
        return note_stats(progress_, restic_->stats());
      case Kind::finish:
        return;
    }
  }

  void find_repository() {
    const auto found = restic_->has_repository();
    if (!found) {
      progress_.error = "opening the repository: " + found.error().sentence;
      return;
    }
    progress_.repository = *found ? RepositoryState::present : RepositoryState::absent;
  }

  void init() {
    log_info("initialising a repository at {}", restic_->location());
    const auto made = restic_->init();
    if (made) {
      progress_.repository = RepositoryState::present;
    } else {
      progress_.error = "initialising the repository: " + made.error().sentence;
    }
  }

  void find_snapshot(std::size_t path) {
    const auto earlier = restic_->snapshots(status_.host(), progress_.paths[path].path, tag_);
    if (!earlier) {
      progress_.error = "listing snapshots: " + earlier.error().sentence;
      return;
    }
    const Snapshot* latest = newest(*earlier);
    progress_.paths[path].earlier_snapshot = latest == nullptr ? "" : latest->short_id;
    if (latest != nullptr)
      log_info("{} is in snapshot {} of this session already", progress_.paths[path].path, latest->short_id);
  }

  void check() {
    const auto intact = restic_->check();
    if (intact) memory_.last_check = context_.clock.now();
    note_check(progress_, intact);
  }

  void count_snapshots() {
    const auto all = restic_->snapshots("", "", "");
    if (!all) return note_forget(progress_, std::unexpected(all.error()));
    note_forget(progress_, ForgetOutcome{static_cast<int>(all->size()), 0});
  }

  Context& context_;
  BackupMemory& memory_;
  const api::BackupConfiguration& configuration_;
  HostStatus& status_;
  std::string tag_;
  std::optional<api::Repository> repository_;
  std::optional<Restic> restic_;
  BackupProgress progress_;
};

MetricLabels labels_of(const api::BackupConfiguration& configuration, const std::string& host) {
  MetricLabels labels;
  if (configuration.spec.target) labels.target = configuration.spec.target->ref;
  labels.ns = configuration.metadata.ns;
  labels.repository = configuration.spec.repository;
  labels.host = host;
  return labels;
}

void publish(Context& context, const api::BackupConfiguration& configuration, HostStatus& status, const Run& run,
             Nanoseconds duration) {
  const BackupProgress& progress = run.progress();
  const TimePoint now = context.clock.now();
  std::optional<RepositoryMetrics> repository;
  // Before the host's result: whoever sees the session Succeeded finds the Repository up to date.
  if (const Json patch = repository_patch(progress, now); !patch.is_null()) {
    const api::ObjectRef ref{configuration.metadata.ns, configuration.spec.repository};
    if (const auto written = context.api.merge_patch(api::kRepositories, ref, patch, "status"); !written) {
      log_warning("status of the Repository: {}", written.error().message);
    }
    repository.emplace();
    repository->backend = api::backend_kind(run.repository()->spec.backend);
    repository->integrity = progress.intact ? progress.intact : run.repository()->status.integrity;
    repository->size_bytes = progress.size;
    if (progress.forgotten) {
      repository->snapshots = progress.forgotten->kept;
      repository->removed = progress.forgotten->removed;
    }
  }

  const api::HostStats result = host_result(progress, status.host(), duration, status.claim_now());
  if (const auto written = status.write_result(result); !written) {
    log_error("the result of {} was not written: {}", status.host(), written.error().message);
    if (written.error().code == ErrorCode::cancelled) return;
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
  push_metrics(
      context, configuration.metadata.name, status.host(),
      render_backup_metrics(labels_of(configuration, status.host()), backup_metrics(progress, duration), repository));
}

}  // namespace

Result<void> run_backup_session(Context& context, BackupMemory& memory, const api::BackupConfiguration& configuration,
                                const Json& session, const NextSession& next, const std::string& host) {
  HostStatus status(context, api::kBackupSessions, session, host, next.entry);
  if (!next.resume) TRY_VOID(status.claim());
  log_info("BackupSession {}/{}: {} host {}", configuration.metadata.ns, next.name,
           next.resume ? "resuming" : "claimed", host);

  const auto begun = context.clock.steady();
  Run run(context, memory, configuration, status, next.uid);
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
