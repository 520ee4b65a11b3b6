#pragma once
#include <cstdint>

#include "api/shared_types.h"

namespace stash::sidecar {

/// How many bytes restic's cache may take in /tmp, beside temporary files. The kubelet evicts a pod whose /tmp outgrows
/// `sizeLimit`, or whose volumes and logs outgrow its containers' limits of ephemeral-storage, so the cache gets half
/// of the lesser one; a volume in memory counts as memory, of which restic itself needs more than half. 2 GiB where
/// nothing is stated, half of what the chart allows.
std::uint64_t cache_cap(const api::TempDir& temp_dir, const api::RuntimeSettings& runtime);

}  // namespace stash::sidecar
