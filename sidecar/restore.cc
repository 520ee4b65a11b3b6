#include "sidecar/restore.h"

#include <algorithm>
#include <filesystem>

#include "api/codec.h"
#include "api/names.h"
#include "base/backoff.h"
#include "base/log.h"
#include "sidecar/cache_cap.h"
#include "sidecar/disk_flush.h"
#include "sidecar/hook_run.h"
#include "sidecar/host_status.h"
#include "sidecar/mounted_paths.h"
#include "sidecar/planted_links.h"
#include "sidecar/restore_attempts.h"
#include "sidecar/restore_choice.h"
#include "sidecar/scratch.h"
#include "sidecar/work_progress.h"

namespace stash::sidecar {

namespace {

constexpr std::string_view kComponent = "Restore Init-Container";
// A watch is cut after this long and the session read again: the claim of a dead pod is given back by the controller.
constexpr std::chrono::seconds kLook{60};
// With nothing to wait for but a person.
constexpr std::chrono::seconds kQuietLook{290};

class Restorer {
 public:
  /// `resumes`: what this pod began before, and did not bring to its end.
  Restorer(Context& context, const api::RestoreSession& session, HostStatus& status, bool resumes)
      : context_(context), session_(session), status_(status), resumes_(resumes) {}

  /// nullopt: restored, and its hooks have succeeded; else why not.
  std::optional<std::string> run() {
    auto hooks =
        plan_hooks("Restore", session_.spec.pre_restore, session_.spec.post_restore, HookPlace::init_container);
    if (!hooks) return hooks.error().message;
    hooks_ = *std::move(hooks);
    auto problem = hooks_.before ? run_hook_before() : std::nullopt;
    if (!problem) problem = restore_all();
    if (!go_on()) {
      // Its result is Succeeded then, and no attempt follows that would run the hook.
      const bool succeeded = !problem && !status_.lost();
      if (!hooks_.before && !succeeded) return problem;
      const auto failed = run_farewell_hook(context_, status_, hooks_, succeeded);
      return problem ? problem : failed;
    }
    return run_hook_after(std::move(problem));
  }

  /// Of a last attempt that was cut off: the hook that its end calls for, and what the host's result says.
  std::string give_up() {
    std::string problem = cut_off_attempt();
    auto hooks =
        plan_hooks("Restore", session_.spec.pre_restore, session_.spec.post_restore, HookPlace::init_container);
    if (!hooks) return problem;
    hooks_ = *std::move(hooks);
    return run_hook_after(std::move(problem)).value();
  }

  bool go_on() { return !context_.stop() && status_.beat(); }
  api::Progress progress() const { return work_.last(); }

 private:
  std::optional<std::string> run_hook_before() {
    if (const auto failed = run_hook_now(*hooks_.before)) return *failed + "; nothing was restored";
    return std::nullopt;
  }

  /// After the work on the host has come to `problem`, or to none.
  std::optional<std::string> run_hook_after(std::optional<std::string> problem) {
    const int retries_left = kRestoreAttempts - status_.attempts();
    if (!hooks_.after || !is_wanted(hooks_.after_policy, !problem, retries_left)) return problem;
    if (const auto failed = run_hook_now(*hooks_.after)) return problem ? *problem + "; " + *failed : failed;
    return problem;
  }

  std::optional<std::string> run_hook_now(const HookCall& hook) {
    const auto ended = run_hook(context_, status_, hook, [this] { return go_on(); });
    return ended ? std::nullopt : std::optional(failed_hook(hook, hooks_.place, ended.error()));
  }

  std::optional<std::string> restore_all() {
    const auto items = restore_items(session_.spec.rules, status_.host());
    if (!items) return items.error().message;
    if (auto problem = open()) return problem;
    work_.set_parts(items->size());
    std::vector<Chosen> all;
    for (const RestoreItem& item : *items) {
      if (!go_on()) return "interrupted";
      auto chosen = choose(*restic_, item, status_.chosen(), mounts());
      if (!chosen) return chosen.error().message;
      all.push_back(*std::move(chosen));
    }
    if (auto problem = tell_chosen(all)) return problem;
    for (const Chosen& chosen : all) {
      if (!go_on()) return "interrupted";
      if (auto problem = restore(chosen)) return problem;
    }
    // The application would start on nothing.
    return took_something_ ? std::nullopt : std::optional(includes_nothing(all));
  }

  std::optional<std::string> open() {
    const api::ObjectRef ref{session_.metadata.ns, session_.spec.repository};
    const auto object = read_patiently(context_, api::kRepositories, ref, [this] { return go_on(); });
    if (!object) {
      if (object.error().code != ErrorCode::not_found) return "reading the Repository: " + object.error().message;
      return fmt::format("the Repository \"{}\" does not exist: create it, or correct spec.repository.name", ref.name);
    }
    const auto repository = api::decode<api::Repository>(*object);
    if (!repository) return repository.error().message;
    const auto version = probe_restic(context_.restic);
    if (!version) return version.error().sentence;
    sweep_temporary_files(context_.restic.settings.temp_directory, context_.restic.settings.cache_directory);
    auto restic =
        open_restic(context_, *repository, Restic::Access::read, *version,
                    session_.spec.target ? session_.spec.target->ref.kind : "",
                    cache_cap(session_.spec.temp_dir, session_.spec.runtime_settings), [this] { return go_on(); });
    if (!restic) return restic.error().sentence;
    restic_.emplace(*std::move(restic));
    const auto found = restic_->has_repository();
    if (!found) return "opening the repository: " + found.error().sentence;
    if (!*found)
      return fmt::format(
          "there is no restic repository at {}: nothing has been backed up to it, or its "
          "volume is another one",
          restic_->location());
    // Else a prune or check of the next hours waits for the lock of one that was killed.
    if (resumes_) restic_->remove_own_locks();
    return std::nullopt;
  }

  /// For whoever goes on with this restore: in the volume then is what we have written of these snapshots.
  std::optional<std::string> tell_chosen(const std::vector<Chosen>& all) {
    std::vector<api::SnapshotStats> told;
    for (const Chosen& chosen : all) {
      told.push_back({.name = chosen.snapshot.short_id, .path = fmt::format("{}", fmt::join(chosen.paths, ", "))});
    }
    if (told == status_.chosen()) return std::nullopt;
    const auto written = status_.tell_chosen(told, [this] { return go_on(); });
    if (written) return std::nullopt;
    return "telling which snapshots are restored: " + written.error().message + "; nothing was restored";
  }

  std::optional<std::string> restore(const Chosen& chosen) {
    const auto& [item, snapshot, paths, patterns] = chosen;
    log_info("restoring {} from snapshot {} of {}", fmt::join(paths, ", "), snapshot.short_id, snapshot.time);
    if (auto problem = clear_the_way(item, snapshot, paths)) return problem;
    work_.step(fmt::format("restore {}", fmt::join(paths, ", ")));
    const RestoreWatch watch{.on_status =
                                 [&](const ResticStatus& status) {
                                   work_.note(status);
                                   status_.progress(work_.now());
                                 },
                             .whole = item.include.empty() && item.exclude.empty(),
                             .chooses = !item.include.empty()};
    const auto restored = restic_->restore(snapshot.id, patterns.include, patterns.exclude, paths, volumes(), watch);
    if (!restored)
      return fmt::format("restoring {} from snapshot {}: {}", fmt::join(paths, ", "), snapshot.short_id,
                         restored.error().sentence);
    took_something_ = took_something_ || *restored;
    // What is told to be restored is never restored again.
    const auto flushed = flush_to_disk(volumes(), [this] { go_on(); });
    if (!flushed) return flushed.error().message;
    work_.end_part();
    return std::nullopt;
  }

  std::vector<api::VolumeMount> mounts() const {
    return session_.spec.target ? session_.spec.target->volume_mounts : std::vector<api::VolumeMount>();
  }
  std::vector<std::string> volumes() const { return mounted_paths(mounts()); }

  /// A link where the snapshot has a directory or a file gives way to it; restic would write to where it leads.
  std::optional<std::string> clear_the_way(const RestoreItem& item, const Snapshot& snapshot,
                                           const std::vector<std::string>& paths) {
    const std::set<std::string> links = links_in_the_way(paths, volumes());
    if (links.empty()) return std::nullopt;
    const auto types = restic_->types_at(snapshot.id, links);
    if (!types) return fmt::format("listing snapshot {}: {}", snapshot.short_id, types.error().sentence);
    for (const auto& [link, type] : *types) {
      if (type == "symlink") continue;
      // Which of them a pattern takes only restic knows.
      if (!item.include.empty() || !item.exclude.empty()) {
        return fmt::format(
            "{} is a symbolic link, and in snapshot {} it is a {}: a restore would write to where it leads. Remove the "
            "link, or restore without include and exclude",
            link, snapshot.short_id, type);
      }
      std::error_code problem;
      std::filesystem::remove(link, problem);
      if (problem) return fmt::format("{} is a symbolic link, which could not be removed: {}", link, problem.message());
      log_warning("removed the symbolic link {}: in snapshot {} it is a {}", link, snapshot.short_id, type);
    }
    return std::nullopt;
  }

  Context& context_;
  const api::RestoreSession& session_;
  HostStatus& status_;
  const bool resumes_;
  HookPair hooks_;
  std::optional<Restic> restic_;
  bool took_something_ = false;  ///< of any item of the host's rule
  WorkProgress work_;
};

/// Errors: the result is not in the session's status.
Result<void> publish(Context& context, const api::RestoreSession& session, HostStatus& status,
                     const std::optional<std::string>& problem, Nanoseconds duration,
                     std::optional<api::Progress> progress = std::nullopt) {
  api::HostStats result;
  result.hostname = status.host();
  result.phase = problem ? "Failed" : "Succeeded";
  result.claim = status.claim_now();
  result.snapshots = status.chosen();
  result.duration = format_duration(duration);
  result.error = problem.value_or("");
  result.attempts = status.attempts();
  result.progress = std::move(progress);
  const auto written = status.write_result(result);
  if (!written) log_error("the result of {} was not written: {}", status.host(), written.error().message);
  if (problem) {
    log_error("restore of {} failed: {}", result.hostname, *problem);
    tell_event(context, status.session(), kube::EventType::warning, "FailedHostRestore",
               fmt::format("restore of host {} failed: {}", result.hostname, *problem), kComponent);
  } else {
    log_info("restore of {} succeeded in {}", result.hostname, result.duration);
    tell_event(context, status.session(), kube::EventType::normal, "SuccessfulHostRestore",
               fmt::format("restore of host {} succeeded in {}", result.hostname, result.duration), kComponent);
  }
  MetricLabels labels;
  if (session.spec.target) labels.target = session.spec.target->ref;
  labels.ns = session.metadata.ns;
  labels.repository = session.spec.repository;
  labels.host = status.host();
  push_metrics(context, session.metadata.name, status.host(), render_restore_metrics(labels, !problem, duration));
  return written;
}

/// The exit code, or nullopt when another pod was faster. `unanswered`: the attempt that this process claimed without
/// an answer, and so has not begun; 0 for none. If the claim was written all the same, that attempt is begun now: it is
/// counted already, and nothing has ended in the middle of it.
std::optional<int> take_turn(Context& context, const Json& object, const api::RestoreSession& session,
                             const std::string& host, RestoreTurn turn, int& unanswered) {
  const HostEntry entry = *host_entry(object, host);
  HostStatus status(context, api::kRestoreSessions, object, host, entry);
  // Another claim would know nothing of it.
  if (!entry.stop.empty() && is_held_by(entry, context.pod)) {
    log_warning("the controller asks for an early end; host {} is given back", host);
    status.give_back();
    return std::nullopt;
  }
  const bool claimed_before = unanswered > 0 && unanswered == entry.attempts && is_held_by(entry, context.pod);
  const bool give_up = turn == RestoreTurn::give_up && !claimed_before;
  // Also what this container began before it was restarted is claimed again: every beginning counts.
  const Counted counted = give_up || claimed_before ? Counted::no : Counted::yes;
  if (const auto claimed = status.claim(counted); !claimed) {
    const bool outage = is_outage(claimed.error().code);
    if (outage && counted == Counted::yes) unanswered = entry.attempts + 1;
    if (outage || claimed.error().code == ErrorCode::conflict) return std::nullopt;
    log_error("claiming host {}: {}", host, claimed.error().message);
    return 1;
  }
  unanswered = 0;
  if (give_up) {
    Restorer restorer(context, session, status, false);
    const std::string problem = restorer.give_up();
    // The host stays ours: whoever comes next gives up as well, and runs the hook. Unless a newer restore waits for it.
    if (!restorer.go_on()) {
      if (status.lost()) return std::nullopt;
      if (!status.asked_to_stop()) return 1;
      status.give_back();
      return std::nullopt;
    }
    const auto published = publish(context, session, status, problem, {});
    if (!published) log_warning("{}; looking again", published.error().message);
    return std::nullopt;
  }
  log_info("host {} of RestoreSession {}: attempt {} of {}", host, session.metadata.name, status.attempts(),
           kRestoreAttempts);
  const auto begun = context.clock.steady();
  Restorer restorer(context, session, status, !entry.pod_uid.empty() && entry.pod_uid == context.pod.uid);
  auto problem = restorer.run();
  if (problem && !restorer.go_on()) {
    if (!status.lost()) status.give_back();
    log_warning("interrupted; {}", status.lost() ? "the session was taken away or deleted"
                                   : status.asked_to_stop()
                                       ? "the controller asks for an early end; the host is given back"
                                       : "the host is given back");
    return context.stop() && !status.lost() ? std::optional(1) : std::nullopt;
  }
  if (problem) problem = failed_attempt(status.attempts(), *problem);
  const auto published =
      publish(context, session, status, problem, context.clock.steady() - begun, restorer.progress());
  // Taken away: look again who has it. Otherwise unwritten: the application does not start on what nobody knows to be
  // restored, for the next start of this pod would restore over its work.
  if (!published && published.error().code == ErrorCode::cancelled) return std::nullopt;
  // After the last attempt a restart has nothing to do but to wait.
  if (problem && published && status.attempts() >= kRestoreAttempts) return std::nullopt;
  return problem || !published ? 1 : 0;
}

/// Until something about the session changes, or for a while.
void await_change(Context& context, const std::string& name, const std::string& version, std::chrono::seconds limit) {
  const EndsOnStop ends_on_stop(context);
  const auto watched =
      context.api.watch(api::kRestoreSessions, context.pod.ns,
                        {.field_selector = "metadata.name=" + name, .resource_version = version, .timeout = limit},
                        [](const kube::WatchEvent& event) { return event.type == kube::WatchType::bookmark; });
  if (!watched && !context.stop()) context.pause(std::chrono::seconds(5));
}

std::string what_is_waited_for(const api::RestoreSession& session, const std::string& host) {
  const auto& stats = session.status.stats;
  if (std::ranges::find(stats, host, &api::HostStats::hostname) != stats.end()) return "another pod restores it";
  if (session.status.phase == "Invalid") {
    const auto& conditions = session.status.conditions;
    const auto why = std::ranges::find(conditions, api::names::kCompleted, &api::Condition::type);
    return fmt::format("it is invalid{}{}; delete it to let the application start without a restore",
                       why == conditions.end() ? "" : ": ", why == conditions.end() ? "" : why->message);
  }
  return fmt::format("the controller has not started the restore of host {} yet", host);
}

}  // namespace

int restore(Context& context, const std::string& session_name) {
  const api::ObjectRef ref{context.pod.ns, session_name};
  Backoff backoff;
  std::string last_problem, said;
  int unanswered = 0;
  while (!context.stop()) {
    const auto object = context.api.get(api::kRestoreSessions, ref);
    if (!object && object.error().code == ErrorCode::not_found) {
      log_info("the RestoreSession {} does not exist; nothing to restore", to_string(ref));
      return 0;
    }
    if (!object) {
      if (object.error().message != last_problem) log_warning("{}; trying again", object.error().message);
      last_problem = object.error().message;
      context.pause(backoff.next());
      continue;
    }
    backoff.reset();
    const auto session = api::decode<api::RestoreSession>(*object);
    if (!session) {
      log_error("{}", session.error().message);
      return 1;
    }
    const auto host = host_of(session->spec.target ? session->spec.target->ref.kind : "", context.pod);
    if (!host) {
      log_error("{}", host.error().message);
      return 1;
    }
    switch (const RestoreTurn turn = restore_turn(*object, *host, context.pod)) {
      case RestoreTurn::nothing_to_do:
        log_info("host {} of RestoreSession {} is restored already, or the session is being deleted", *host,
                 to_string(ref));
        return 0;
      case RestoreTurn::wait: {
        const std::string waiting = what_is_waited_for(*session, *host);
        if (waiting != said) log_info("waiting for RestoreSession {}: {}", to_string(ref), waiting);
        said = waiting;
        await_change(context, session_name, string_at(*object, {"metadata", "resourceVersion"}), kLook);
        break;
      }
      case RestoreTurn::exhausted: {
        const Json& stats = array_at(*object, {"status", "stats"});
        const std::string why = string_at(stats[host_entry(*object, *host)->index], {"error"});
        if (why != said) log_error("host {} of RestoreSession {} is not restored: {}", *host, to_string(ref), why);
        said = why;
        await_change(context, session_name, string_at(*object, {"metadata", "resourceVersion"}), kQuietLook);
        break;
      }
      case RestoreTurn::claim:
      case RestoreTurn::resume:
      case RestoreTurn::give_up:
        if (const auto code = take_turn(context, *object, *session, *host, turn, unanswered)) return *code;
        context.pause(backoff.next());
        break;
    }
  }
  return 1;
}

}  // namespace stash::sidecar
