#pragma once
#include <optional>
#include <string>

#include "api/backup_configuration.h"
#include "api/repository.h"
#include "controller/status_draft.h"

namespace stash::controller {

/// Phase and condition Ready, which sum up the conditions that are set already: the first that is not True speaks for
/// it. Where all are, what the spec itself keeps from working does, and else what it works like. `unusable_because` is
/// inject::unusable(), which makes the phase Invalid. The message depends on nothing that changes by itself.
/// `repository`: nullopt where there is none.
void set_ready(StatusDraft& status, const api::BackupConfiguration& configuration,
               const std::optional<api::Repository>& repository, const std::string& unusable_because);

/// Does Ready say something that no other condition says?
bool speaks_for_itself(const api::Condition& ready);

}  // namespace stash::controller
