#pragma once
#include <string>
#include <string_view>

#include "api/backup_session.h"
#include "base/json.h"
#include "controller/status_draft.h"

namespace stash::controller {

/// What `kubectl get` shows of a session, from the entries of its hosts (status.stats[]). `total` also counts hosts
/// that have no entry yet. Hosts that have not begun count as nothing done, those that have failed as what
/// they had done: a failed session is not 100%.
api::SessionProgress session_progress(const Json& stats, std::size_t total);

/// Why a session has not succeeded, in one word: the reason of the condition that says it; "" when it has, or when
/// that word would only repeat the phase. `failed` is the word for hosts that failed.
std::string session_reason(const StatusDraft& status, std::string_view failed);

/// Puts both into the status, and the condition Ready that `kubectl wait` asks for: it is True once the session has
/// succeeded, and carries the sentence of why not until then. Takes away what is not known any more.
void set_progress(StatusDraft& status, const Json& stats, std::size_t total, std::string_view failed);

}  // namespace stash::controller
