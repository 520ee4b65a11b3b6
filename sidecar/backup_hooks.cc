#include "sidecar/backup_hooks.h"

#include "sidecar/left_frozen.h"

namespace stash::sidecar {

BackupHooks::BackupHooks(Context& context, HostStatus& status, const api::BackupConfiguration& configuration,
                         std::string session_uid, bool resumes)
    : context_(context),
      status_(status),
      configuration_(configuration),
      session_uid_(std::move(session_uid)),
      resumes_(resumes) {}

std::optional<std::string> BackupHooks::plan(BackupProgress& progress) {
  const auto& spec = configuration_.spec;
  auto hooks = plan_hooks("Backup", spec.pre_backup, spec.post_backup, HookPlace::sidecar);
  if (!hooks) return hooks.error().message;
  hooks_ = *std::move(hooks);
  if (hooks_.before) progress.hook_before = HookState::due;
  if (hooks_.after) progress.hook_after = HookState::due;
  progress.hook_after_policy = hooks_.after_policy;
  return std::nullopt;
}

void BackupHooks::run_before(BackupProgress& progress, const GoOn& go_on) {
  note_frozen(context_, session_uid_, configuration_);
  note_hook_before(progress, problem_of(run_hook(context_, status_, *hooks_.before, go_on), *hooks_.before));
}

void BackupHooks::run_after(BackupProgress& progress, const GoOn& go_on) {
  const auto ended = run_hook(context_, status_, *hooks_.after, go_on);
  // Interrupted: still due, as the farewell.
  if (!ended && ended.error().code == ErrorCode::cancelled) return;
  note_hook_after(progress, problem_of(ended, *hooks_.after));
  note_thawed(context_, session_uid_);
}

void BackupHooks::thaw_what_is_not_planned() {
  if (!hooks_.after && left_frozen_for(context_) == session_uid_) thaw_left_frozen(context_);
}

void BackupHooks::end() {
  thaw_what_is_not_planned();
  // Whether there was a postBackup or none was wanted.
  note_thawed(context_, session_uid_);
}

void BackupHooks::part(const BackupProgress& progress) {
  // What an earlier container did before it ended it has told nobody: thawing twice is better than staying frozen.
  const bool frozen = progress.hook_before == HookState::done || (resumes_ && progress.hook_before == HookState::due);
  if (!frozen || progress.hook_after != HookState::due) return;
  const auto problem = run_farewell_hook(context_, status_, hooks_);
  if (!problem) note_thawed(context_, session_uid_);
  if (!problem || hooks_.after->kind != HookCall::Kind::exec) return;
  if (status_.asked_to_stop() && !status_.lost()) owed_thaw_ = owed_thaw(status_.hook(), context_.clock.now());
}

std::string BackupHooks::problem_of(const Result<void>& ended, const HookCall& hook) const {
  return ended ? "" : failed_hook(hook, hooks_.place, ended.error());
}

}  // namespace stash::sidecar
