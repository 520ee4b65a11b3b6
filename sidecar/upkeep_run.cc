#include "sidecar/upkeep_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/backup_session_host.h"
#include "api/codec.h"
#include "base/log.h"
#include "sidecar/backup_plan.h"
#include "sidecar/backup_publish.h"
#include "sidecar/restart_limit.h"
#include "sidecar/session_name.h"
#include "sidecar/session_repository.h"
#include "sidecar/upkeep_steps.h"
#include "sidecar/work_progress.h"

namespace stash::sidecar {

namespace {

using Kind = BackupStep::Kind;

OtherHosts hosts_beside(const api::UpkeepHosts& hosts, const std::string& own) {
  OtherHosts others;
  for (const std::string& host : hosts.backed_up) {
    if (host != own) others.named.push_back({host, OtherHost::State::backed_up, true});
  }
  for (const std::string& host : hosts.left_alone) others.named.push_back({host, OtherHost::State::failed, true});
  others.unnamed = std::max(0, hosts.unnamed);
  return others;
}

class UpkeepRun {
 public:
  UpkeepRun(Context& context, BackupMemory& memory, const api::BackupConfiguration& configuration, HostStatus& status,
            bool resumes)
      : context_(context),
        configuration_(configuration),
        status_(status),
        resumes_(resumes),
        repository_(context, memory, configuration, going_) {
    progress_.host = status.host();
    progress_.session_tag = session_tag(status.session());
    progress_.part = Part::upkeep;
    progress_.upkeep.alone = false;
    progress_.upkeep.turn = Upkeep::Turn::ours;
    progress_.upkeep.looks = 1;
    progress_.retention = configuration.spec.retention_policy;
  }

  /// False: stopped or lost, and there is no result.
  bool run(const api::ObjectRef& object) {
    if (auto failure = begin(object)) progress_.error = *failure;
    while (go_on()) {
      const BackupStep step = next_step(progress_);
      if (step.kind == Kind::finish) return true;
      work_.step(std::string(to_string(step.kind)));
      status_.progress(work_.now());
      if (step.kind == Kind::find_repository) {
        find_repository();
      } else {
        run_upkeep_step(step.kind, context_, configuration_, repository_.restic(), progress_, going_);
      }
    }
    return false;
  }

  BackupReport report(Nanoseconds duration) {
    return {.progress = progress_,
            .repository = repository_.object(),
            .prepared = repository_.is_prepared(),
            .work = work_.last(),
            .duration = duration,
            .go_on = going_};
  }

 private:
  bool go_on() { return !context_.stop() && status_.beat(); }

  std::optional<std::string> begin(const api::ObjectRef& own) {
    if (status_.restarts() < kRestarts) return prepare(own);
    return too_many_restarts(context_.pod, status_.restarts(),
                             "the upkeep of the repository (check, retention policy)");
  }

  std::optional<std::string> prepare(const api::ObjectRef& own) {
    const auto object = read_patiently(context_, api::kBackupSessionHosts, own, going_);
    if (!object) return object.error().message;
    const auto told = api::decode<api::BackupSessionHost>(*object);
    if (!told) return told.error().message;
    if (told->spec.upkeep) progress_.upkeep.others = hosts_beside(*told->spec.upkeep, status_.host());

    return repository_.prepare(progress_);
  }

  void find_repository() {
    const auto found = repository_.restic().has_repository();
    if (!found) {
      progress_.error = "opening the repository: " + found.error().sentence;
      progress_.unusable = true;
      return;
    }
    progress_.repository = *found ? RepositoryState::present : RepositoryState::absent;
    if (resumes_ && *found) repository_.restic().remove_own_locks();
  }

  Context& context_;
  const api::BackupConfiguration& configuration_;
  HostStatus& status_;
  const bool resumes_;
  const GoOn going_ = [this] { return go_on(); };
  SessionRepository repository_;
  BackupProgress progress_;
  WorkProgress work_;
};

}  // namespace

Result<bool> run_session_upkeep(Context& context, BackupMemory& memory, const api::BackupConfiguration& configuration,
                                const Json& session, const NextSession& next, const std::string& host) {
  HostStatus status(context, api::kBackupSessions, session, place_beside(session, ""), host, next.entry);
  // Whoever only lost sight of the API server has not ended. The backup of this session is another piece of work.
  const bool new_here = memory.upkeep_begun.insert(next.uid).second;
  memory.begun.insert(next.uid);
  TRY_VOID(next.resume ? status.resume(new_here ? Counted::yes : Counted::no) : status.claim());
  log_info("BackupSession {}/{}: upkeep of the repository", configuration.metadata.ns, next.name);
  const auto begun = context.clock.steady();
  UpkeepRun run(context, memory, configuration, status, next.resume);
  if (!run.run(api::host_object_ref(session, ""))) {
    if (!status.lost()) status.give_back();
    return false;
  }
  return publish_upkeep(context, configuration, status, run.report(context.clock.steady() - begun));
}

}  // namespace stash::sidecar
