#pragma once
#include <string>
#include <vector>

#include "api/backup_configuration.h"
#include "api/restore_session.h"
#include "inject/operations.h"
#include "inject/workload_view.h"

/// The annotations that say what was applied (contract 10.5). For people and for Stash's tools: we never take them as
/// proof that a container is there.
namespace stash::inject {

/// apiVersion, kind, metadata (name, namespace, uid, labels, annotations but kubectl's) and spec.
std::shared_ptr<const Value> applied(const api::BackupConfiguration& configuration);
std::shared_ptr<const Value> applied(const api::RestoreSession& session);

/// The annotation: beside what was applied whom the container serves, when there are several, and the pull
/// secrets that we added, which nothing else tells from the user's when they are to be removed.
std::shared_ptr<const Value> applied_annotation(std::shared_ptr<const Value> applied,
                                                const std::vector<std::string>& serves,
                                                const std::vector<std::string>& added_pull_secrets);

/// The pull secrets that the workload's annotations say we added; none without a container of ours.
std::vector<std::string> recorded_pull_secrets(const PodTemplate& pod);

}  // namespace stash::inject
