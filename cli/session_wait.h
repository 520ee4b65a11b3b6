#pragma once
#include <string>

#include "api/resource.h"
#include "cli/kubectl.h"

/// Waiting for a BackupSession or RestoreSession, with progress on standard error.
namespace stash::cli {

/// The session once it is over. An API server that does not answer for a while is waited for. Errors: timed_out, and
/// cancelled after Ctrl-C; the session goes on all the same.
Result<Json> wait_for(Kubectl& kubectl, const api::Resource& kind, const std::string& ns, const std::string& name,
                      double timeout_minutes);

/// Prints how it ended; the exit code.
Result<int> report_end(const Json& session, const std::string& output);

}  // namespace stash::cli
