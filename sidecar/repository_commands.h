#pragma once
#include <string>

#include "sidecar/context.h"

/// What people ask of a repository, by `kubectl stash` or by hand: only a sidecar has its credentials. Results go to
/// standard output, what is wrong to standard error, in one sentence and without secrets. They return the exit code.
namespace stash::sidecar {

struct RepositoryQuestion {
  std::string repository;   ///< its name; the pod's account may read those that the sidecar serves
  std::string target_kind;  ///< of the workload that the pod is of
};

/// `stash snapshots`: a JSON list of {id, short_id, time, hostname, paths, tags}, as restic's, in one line.
int list_snapshots(Context& context, const RepositoryQuestion& asked);

/// `stash unlock`: removes the locks that restic calls stale; none from a pod whose name another pod can have, for that
/// could take a living one away (docs/decisions/0030). A JSON object
/// {"removed": [...], "left": [...]} of {lock, host, user, pid, time, exclusive, why}, in one line.
int unlock(Context& context, const RepositoryQuestion& asked);

/// `stash dump`: a directory of a snapshot as a tar archive.
int dump(Context& context, const RepositoryQuestion& asked, const std::string& snapshot, const std::string& path);

}  // namespace stash::sidecar
