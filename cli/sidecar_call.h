#pragma once
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/kubectl.h"
#include "cli/snapshots.h"

/// restic needs the repository's credentials, which nothing but the sidecars has: so it is run there.
namespace stash::cli {

/// Arguments of `kubectl exec` that run `stash SUBCOMMAND` for a Repository as the sidecar of this pod runs restic:
/// with the places of Secrets and volumes that its own arguments name.
std::vector<std::string> exec_arguments(const Json& pod, const std::string& subcommand, const std::string& repository,
                                        const std::vector<std::string>& more);

/// The pod whose running sidecar serves one of these BackupConfigurations; a ready one before others. nullptr: none.
const Json* pod_with_sidecar(const Json& pods, const std::vector<std::string>& configurations);

/// Finds such a pod for a Repository, runs the subcommand in it and gives its last line. Errors not_found: no such
/// Repository, or no running sidecar to ask, with what to do; else what the subcommand said.
Result<std::string> ask_sidecar(Kubectl& kubectl, const std::string& ns, const std::string& repository,
                                const std::string& subcommand);
/// The same with its standard output at `output_fd`.
Result<void> ask_sidecar_into(Kubectl& kubectl, const std::string& ns, const std::string& repository,
                              const std::string& subcommand, const std::vector<std::string>& more, int output_fd);

Result<std::vector<SnapshotFacts>> ask_for_snapshots(Kubectl& kubectl, const std::string& ns,
                                                     const std::string& repository);

}  // namespace stash::cli
