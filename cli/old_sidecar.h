#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "cli/lists.h"

/// The sidecars that AppsCode's Stash put into workloads, and what becomes of them.
namespace stash::cli {

/// Images of AppsCode's, whatever the registry.
inline constexpr std::string_view kOldImages[] = {"appscode/stash", "stashed/stash"};
bool is_old_image(std::string_view image);

bool has_old_sidecar(const Json& workload);

/// A line for each, and one for each BackupConfiguration whose repository ours may be unable to read.
std::vector<std::string> old_sidecars(const Lists& lists);

}  // namespace stash::cli
