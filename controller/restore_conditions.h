#pragma once
#include "api/restore_session.h"
#include "controller/restore_phase.h"
#include "controller/status_draft.h"

namespace stash::controller {

/// RestoreTargetFound and StashInitContainerInjected of a session that may still restore something (contract 8.5).
void set_restore_conditions(StatusDraft& status, const RestoreWorld& world, const api::RestoreSession& session);

}  // namespace stash::controller
