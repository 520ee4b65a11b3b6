#pragma once
#include <optional>
#include <string>

#include "api/backup_configuration.h"
#include "sidecar/context.h"

/// What this pod has frozen by HTTP or TCP, as a file beside restic's temporary ones: it outlives a container that is
/// killed, and is gone with the pod. Without it, nobody would know of it once the session has ended or is deleted
/// before the next container is there. What exec hooks froze the controller knows.
namespace stash::sidecar {

/// Before preBackup. Nothing where postBackup is an exec hook, or there is none. Best effort: what fails is logged.
void note_frozen(const Context& context, const std::string& session_uid, const api::BackupConfiguration& configuration);
/// After postBackup, or when it is not wanted. What another session has frozen stays noted.
void note_thawed(const Context& context, const std::string& session_uid);

/// UID of the session for which something may be frozen still. A file that cannot be read as one is removed.
std::optional<std::string> left_frozen_for(const Context& context);
/// Runs the postBackup that was noted, unless its executionPolicy is against it after a failed backup: for at most ten
/// seconds, several times when it does not work. The note goes, but when the pod is being stopped.
void thaw_left_frozen(Context& context);

}  // namespace stash::sidecar
