#pragma once
#include <string>

#include "api/repository.h"
#include "api/workload_kind.h"

namespace stash::inject {

/// What its author should know of a Repository in a volume that is not one and the same for all pods of a workload; ""
/// where there is nothing. `label` is "Repository demo/repo".

/// Of an emptyDir.
std::string lost_with_pods(const std::string& label, const api::Backend& backend, api::HostScheme hosts);

/// Of a hostPath, for a workload of several hosts. A network mount that every node has at that path is as good as any
/// other volume, so this refuses nothing. As short as a warning has to be: docs/backends.md says what comes of it.
std::string apart_on_nodes(const std::string& label, const api::Backend& backend, api::HostScheme hosts);

}  // namespace stash::inject
