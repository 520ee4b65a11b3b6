#pragma once
#include <string_view>

#include "base/time.h"
#include "controller/plan.h"
#include "kube/api.h"

namespace stash::controller {

struct ExecuteOptions {
  bool dry_run = false;        ///< print to standard output, write nothing
  std::string_view component;  ///< source of the events: "BackupSession Controller"
};

/// Does what a plan says, in order; the first write that fails stops the rest. A removal of what is gone, or of another
/// object of that name, is done already. Writes to one object carry the resourceVersion of the one before. Events are
/// best effort: they come after all writes, and their errors go to the log. `done` is told how many writes were carried
/// out.
Result<void> execute(kube::Api& api, const Plan& plan, const Json& about, const ExecuteOptions& options,
                     const Clock& clock, std::size_t* done = nullptr);

}  // namespace stash::controller
