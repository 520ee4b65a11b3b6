#pragma once
#include <string>
#include <vector>

#include "cli/lists.h"

namespace stash::cli {

/// Objects that AppsCode's Stash acted on and this one will not, a line each: why, and what to do. The sentences are
/// those of the statuses, so that nobody has to wait for these.
std::vector<std::string> not_taken_over(const Lists& lists);

/// Of these, what backed up workloads that have no backup any more where nobody wrote a BackupConfiguration for them.
std::vector<std::string> other_backups(const Lists& lists);

}  // namespace stash::cli
