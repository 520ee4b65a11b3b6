#pragma once
#include <vector>

#include "api/repository.h"
#include "controller/status_draft.h"

namespace stash::controller {

/// Those of its namespace that have its location and are not being deleted, the oldest first. They point into `all`.
std::vector<const api::Repository*> others_there(const api::Repository& repository,
                                                 const std::vector<api::Repository>& all);

/// LocationShared: which other Repositories of its namespace have the location of `repository`. Only the oldest of them
/// makes the restic repository, for two `restic init` at once spoil it. Those of other namespaces are not looked at: a
/// condition about them would tell what is none of this namespace's business, and keep it from its own repository.
void set_location_shared(StatusDraft& status, const api::Repository& repository,
                         const std::vector<api::Repository>& all);

}  // namespace stash::controller
