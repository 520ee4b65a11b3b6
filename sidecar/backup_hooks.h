#pragma once
#include <optional>
#include <string>

#include "api/backup_configuration.h"
#include "sidecar/backup_plan.h"
#include "sidecar/hook_run.h"

namespace stash::sidecar {

/// The hooks of one host's backup: whatever ends the work, what preBackup has frozen is thawed, or somebody is left who
/// knows that it is not. Each step notes in the progress what came of it.
class BackupHooks {
 public:
  /// References outlive this. `resumes`: an earlier container of this pod may have run preBackup.
  BackupHooks(Context& context, HostStatus& status, const api::BackupConfiguration& configuration,
              std::string session_uid, bool resumes);

  /// Before anything else: which are due. The sentence of a hook that means nothing.
  std::optional<std::string> plan(BackupProgress& progress);

  /// What an earlier container froze, and no hook of the configuration thaws any more: its author took it out, and is
  /// owed it all the same.
  void thaw_what_is_not_planned();

  /// The steps; each blocks until its hook has ended. A postBackup that `go_on` interrupts stays due.
  void run_before(BackupProgress& progress, const GoOn& go_on);
  void run_after(BackupProgress& progress, const GoOn& go_on);

  /// When the work has come to a result: nothing is to stay frozen.
  void end();
  /// When it ends without one. At most ten seconds.
  void part(const BackupProgress& progress);
  /// The postBackup of a host that was asked to stop, if nobody has run it: the controller is to do it when it can.
  const std::optional<api::HookStatus>& still_owed() const { return owed_thaw_; }

 private:
  std::string problem_of(const Result<void>& ended, const HookCall& hook) const;

  Context& context_;
  HostStatus& status_;
  const api::BackupConfiguration& configuration_;
  const std::string session_uid_;
  const bool resumes_;
  HookPair hooks_;
  std::optional<api::HookStatus> owed_thaw_;
};

}  // namespace stash::sidecar
