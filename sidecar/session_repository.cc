#include "sidecar/session_repository.h"

#include "api/codec.h"
#include "api/names.h"
#include "base/log.h"
#include "sidecar/backup_result.h"
#include "sidecar/cache_cap.h"
#include "sidecar/lost_owners.h"
#include "sidecar/scratch.h"

namespace stash::sidecar {

namespace {

/// Two that make one repository at once, for Repositories of two namespaces, leave two keys and the config of one; and
/// whoever is killed while he makes one in a bucket leaves a key.
constexpr std::string_view kPerhapsHalfMade =
    ". Or it was made by two at once (is there a Repository with the same location in another namespace?), or its "
    "making "
    "was cut short: Stash knows of no backup in it. Look into its \"snapshots/\" and \"data/\": only when both hold "
    "nothing, remove its files \"config\" and \"keys/*\", and the next session makes it anew. Else they are needed: "
    "get "
    "what is damaged or missing back from a copy";

void fail_for_good(BackupProgress& progress, std::string error) {
  if (!progress.error.empty()) return note_left_upkeep(progress, error);
  progress.error = std::move(error);
  progress.unusable = true;
}

void fail_to(BackupProgress& progress, std::string what, const ResticFailure& failure) {
  const bool may_be_half_made =
      failure.cause == ResticCause::damaged && !progress.first_backup && !progress.first_snapshot;
  fail_for_good(progress, std::move(what) + failure.sentence + std::string(may_be_half_made ? kPerhapsHalfMade : ""));
}

void note_repository(BackupProgress& progress, const api::Repository& repository, TimePoint now) {
  progress.sharing = api::sharing_of(repository.spec.backend);
  progress.first_backup = repository.status.first_backup_time;
  progress.first_snapshot = repository.status.first_snapshot_time;
  const auto* shared = api::find_condition(repository.status.conditions, api::names::kLocationShared);
  if (shared && shared->status == "True" && shared->reason == api::names::kNotFirst)
    progress.leave_init = shared->message;
  progress.check_due = check_is_due(repository.status, now);
  if (!progress.check_due) progress.last_check = repository.status.last_check_time;
  progress.known_damaged = !repository.status.integrity.value_or(true);
}

}  // namespace

SessionRepository::SessionRepository(Context& context, BackupMemory& memory,
                                     const api::BackupConfiguration& configuration, GoOn go_on)
    : context_(context), memory_(memory), configuration_(configuration), go_on_(std::move(go_on)) {}

std::optional<std::string> SessionRepository::prepare(BackupProgress& progress) {
  const api::ObjectRef ref{configuration_.metadata.ns, configuration_.spec.repository};
  auto object = read_patiently(context_, api::kRepositories, ref, go_on_);
  if (!object) {
    if (object.error().code != ErrorCode::not_found) return "reading the Repository: " + object.error().message;
    return fmt::format(
        "the Repository \"{}\" does not exist: create it, or correct spec.repository.name of the "
        "BackupConfiguration",
        ref.name);
  }
  auto repository = api::decode<api::Repository>(*object);
  if (!repository) return repository.error().message;
  object_ = *std::move(repository);
  raw_ = *std::move(object);
  note_repository(progress, *object_, context_.clock.now());
  progress.init_claimed = at(raw_, {"status", "initialisation"}) != nullptr;

  if (!memory_.restic) {
    const auto version = probe_restic(context_.restic);
    if (!version) return version.error().sentence;
    memory_.restic = *version;
    log_info("restic {}", to_string(*version));
  }
  sweep_temporary_files(context_.restic.settings.temp_directory, context_.restic.settings.cache_directory);
  auto restic = open(context_, go_on_);
  if (!restic) return restic.error().sentence;
  restic_.emplace(*std::move(restic));
  progress.location = restic_->location();
  return std::nullopt;
}

ResticResult<Restic> SessionRepository::open(const Context& context, GoOn go_on) const {
  const auto& spec = configuration_.spec;
  return open_restic(context, *object_, Restic::Access::write, *memory_.restic,
                     spec.target ? spec.target->ref.kind : "", cache_cap(spec.temp_dir, spec.runtime_settings),
                     std::move(go_on), [this] { return lost_owners(context_); });
}

void SessionRepository::find(BackupProgress& progress, bool resumes) {
  auto found = restic_->has_repository();
  if (!found && found.error().cause == ResticCause::damaged && !init_turn_) {
    // What another pod has made half of looks like the remains of one.
    if (somebody_initialises()) {
      progress.repository = RepositoryState::absent;
      return;
    }
    found = restic_->has_repository();
  }
  if (!found) return fail_to(progress, "opening the repository: ", found.error());
  progress.repository = *found ? RepositoryState::present : RepositoryState::absent;
  // Else the last host, which wants the repository for itself, waits for the lock of one that lives.
  if (resumes && *found) restic_->remove_own_locks();
}

bool SessionRepository::somebody_initialises() {
  const api::ObjectRef ref{configuration_.metadata.ns, configuration_.spec.repository};
  auto object = read_patiently(context_, api::kRepositories, ref, go_on_);
  if (!object) return false;
  raw_ = *std::move(object);
  return !string_at(raw_, {"status", "initialisation", "podUID"}).empty();
}

void SessionRepository::init(BackupProgress& progress, bool resumes) {
  init_turn_.emplace(context_, raw_, go_on_);
  const auto turn = init_turn_->take();
  if (turn) {
    init_in_turn(progress, resumes);
  } else {
    fail_for_good(progress, "waiting to initialise the repository: " + turn.error().message);
  }
  init_turn_.reset();
}

void SessionRepository::init_in_turn(BackupProgress& progress, bool resumes) {
  // Another pod of this session may just have had its turn.
  find(progress, resumes);
  if (!progress.error.empty() || progress.repository == RepositoryState::present) return;
  log_info("initialising a repository at {}", restic_->location());
  const auto made = restic_->init();
  // Somebody else may have made it meanwhile; then restic says that there is a config already.
  if (made || (made.error().cause == ResticCause::damaged && restic_->has_repository() == true)) {
    progress.repository = RepositoryState::present;
  } else {
    fail_to(progress, "initialising the repository: ", made.error());
  }
}

void SessionRepository::find_snapshot(BackupProgress& progress, std::size_t path) {
  const auto earlier = restic_->snapshots(progress.host, progress.paths[path].path, progress.session_tag);
  if (!earlier) return fail_to(progress, "listing snapshots: ", earlier.error());
  const Snapshot* latest = newest(*earlier);
  note_earlier(progress, path, latest);
  if (latest != nullptr)
    log_info("{} is in snapshot {} of this session already", progress.paths[path].path, latest->short_id);
}

void SessionRepository::beat() {
  if (init_turn_) init_turn_->beat();
}

}  // namespace stash::sidecar
