#pragma once
#include <string>
#include <vector>

#include "api/repository.h"
#include "controller/status_draft.h"

namespace stash::controller {

/// Names of the other Repositories of its namespace that have the location of `repository`, the oldest first. Those of
/// other namespaces are not looked at: a condition about them would tell what is none of this namespace's business, and
/// keep it from its own repository.
std::vector<std::string> sharers(const api::Repository& repository, const std::vector<api::Repository>& all);

/// LocationShared. Only the first of them makes the restic repository, for two `restic init` at once spoil it.
void set_location_shared(StatusDraft& status, const api::Repository& repository,
                         const std::vector<api::Repository>& all);

}  // namespace stash::controller
