#pragma once
#include <vector>

#include "api/backup_session.h"
#include "controller/status_draft.h"

namespace stash::controller {

/// BackendRepositoryInitialized, RetentionPolicyApplied, RepositoryIntegrityVerified and RepositoryMetricsPushed of a
/// session (contract 8.5), from what its pods have told in their hosts' entries. Where several speak, the last one
/// holds, but a repository that one of them has found is there, whatever kept another from it. What nobody told of is
/// not set.
void set_upkeep_conditions(StatusDraft& status, const std::vector<api::HostStats>& hosts);

/// When a session with a retention policy ends: says so if no pod was left that could apply it. `by_controller`: one
/// host was to be told to do it (session_upkeep.h), so none tells by its entry that it could have.
void set_upkeep_missed(StatusDraft& status, const std::vector<api::HostStats>& hosts, bool by_controller = false);

}  // namespace stash::controller
