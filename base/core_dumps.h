#pragma once

namespace stash {

/// From now on no crash of this process, nor of one that it starts, leaves its memory on a disk: passwords, keys and
/// tokens are in it.
void forbid_core_dumps();

}  // namespace stash
