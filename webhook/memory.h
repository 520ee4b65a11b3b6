#pragma once

namespace stash::webhook {

/// Of jemalloc, for the program and for what measures it (docs/decisions/0042). An answer takes a thousand pieces of
/// memory, most of them small: a thread that can keep so many asks nobody for them. Larger ones are not kept, for there
/// may be hundreds of threads while many peers are slow.
inline constexpr const char* kMemorySettings =
    "narenas:2,dirty_decay_ms:2000,muzzy_decay_ms:2000,background_thread:true,"
    "lg_tcache_max:9,tcache_nslots_small_max:600,lg_tcache_nslots_mul:2";

}  // namespace stash::webhook
