#pragma once
#include "api/backup_configuration.h"
#include "sidecar/backup_plan.h"
#include "sidecar/context.h"
#include "sidecar/restic.h"

namespace stash::sidecar {

/// By ourselves, as `go_on` says: what is left is told as not done, instead of as having failed.
template <class T>
bool was_interrupted(const ResticResult<T>& outcome, const GoOn& go_on) {
  return !outcome && outcome.error().cause == ResticCause::interrupted && !go_on();
}

/// Runs check, forget, count_snapshots or stats and notes what came of it; nothing when it was interrupted.
/// `forget` goes by the policy of `configuration` as it is by then, and by none of one that was deleted.
void run_upkeep_step(BackupStep::Kind kind, Context& context, const api::BackupConfiguration& configuration,
                     Restic& restic, BackupProgress& progress, const GoOn& go_on);

}  // namespace stash::sidecar
