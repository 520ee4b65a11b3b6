#pragma once
#include <string>
#include <vector>

#include "cli/lists.h"

namespace stash::cli {

/// Objects that AppsCode's Stash acted on and this one will not, a line each: why, and what to do. The sentences are
/// those of the statuses, so that nobody has to wait for these.
std::vector<std::string> not_taken_over(const Lists& lists);

}  // namespace stash::cli
