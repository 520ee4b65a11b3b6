#pragma once
#include <map>
#include <string>

#include "api/backup_configuration.h"
#include "api/backup_session.h"

namespace stash::controller {

/// The labels that tie an object to its BackupConfiguration, of all generations of Stash (contract 5.2). A name that is
/// too long for a label is shortened.
std::map<std::string, std::string> invoker_labels(const std::string& configuration);

/// Does the session belong to a BackupBatch, or another kind that is not ours to run?
bool belongs_to_another_invoker(const api::BackupSession& session);

/// The `metadata` of a merge patch that gives a session the labels and the owner it lacks; an empty object when it
/// lacks nothing.
Json missing_invoker_metadata(const Json& session, const api::BackupConfiguration& configuration);

/// An ownerReferences entry. No controller flag, no blocking: a dead operator must not hold up a deletion.
Json owner_reference(const api::Resource& resource, const api::ObjectMeta& owner);

}  // namespace stash::controller
