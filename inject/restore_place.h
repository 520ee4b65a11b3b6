#pragma once
#include <string>

#include "api/restore_session.h"
#include "base/json.h"

/// Which RestoreSession the init container in a pod template is for. Pods know their session by its name, and one that
/// is deleted and made anew has the name of the one before it.
namespace stash::inject {

/// A pod of this Stash has begun it: what it wrote may be a part of a volume.
bool was_tried(const api::RestoreSession& session);

bool has_failed(const api::RestoreSession& session);

/// Older Stash counted a restore that failed as processed: its application runs since then, on newer data.
bool was_ended_by_older_stash(const api::RestoreSession& session);

/// It never restores again.
bool is_over(const api::RestoreSession& session);

/// Is the init container that is there this session's? That of an earlier one of its name is not, unless this one is
/// over or the pods have begun it meanwhile.
bool is_injected(const Json& workload, const api::RestoreSession& session);

/// The UID of the session that the pods were made for; "" when the template states none, as those of earlier releases.
std::string restore_uid_of(const Json& workload);

/// What the template shall state, so that the pods restart for a session that was made anew; "": what is there stays.
std::string uid_to_state(const Json& workload, const api::RestoreSession& session);

}  // namespace stash::inject
