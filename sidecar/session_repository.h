#pragma once
#include <optional>
#include <string>

#include "api/backup_configuration.h"
#include "api/repository.h"
#include "sidecar/backup_memory.h"
#include "sidecar/backup_plan.h"
#include "sidecar/context.h"
#include "sidecar/init_turn.h"

namespace stash::sidecar {

/// The repository that a session writes to, from the name in the BackupConfiguration to a restic that works on it. What
/// is found is noted in the progress.
class SessionRepository {
 public:
  /// References outlive this. `go_on` is asked often while something takes time.
  SessionRepository(Context& context, BackupMemory& memory, const api::BackupConfiguration& configuration, GoOn go_on);

  /// Reads the Repository, over outages, and opens restic with its Secret and volume. The sentence of what is wrong;
  /// may be tried again.
  std::optional<std::string> prepare(BackupProgress& progress);
  bool is_prepared() const { return restic_.has_value(); }
  /// As it was read; nothing when it could not be.
  const std::optional<api::Repository>& object() const { return object_; }
  Restic& restic() { return *restic_; }  ///< once it is prepared
  /// One more, for the same repository.
  ResticResult<Restic> open(const Context& context, GoOn go_on) const;

  /// The steps of the same names, once it is prepared. `resumes`: locks of an earlier container of this pod are
  /// removed.
  void find(BackupProgress& progress, bool resumes);
  /// One pod at a time; blocks until it is this one's turn.
  void init(BackupProgress& progress, bool resumes);
  void find_snapshot(BackupProgress& progress, std::size_t path);
  /// To be called often: the turn to make it needs signs of life.
  void beat();

 private:
  bool somebody_initialises();
  void init_in_turn(BackupProgress& progress, bool resumes);

  Context& context_;
  BackupMemory& memory_;
  const api::BackupConfiguration& configuration_;
  GoOn go_on_;
  std::optional<api::Repository> object_;
  Json raw_;  ///< the same, or as last read
  std::optional<Restic> restic_;
  std::optional<InitTurn> init_turn_;
};

}  // namespace stash::sidecar
