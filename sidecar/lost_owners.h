#pragma once
#include "sidecar/context.h"
#include "sidecar/lock_owner.h"

namespace stash::sidecar {

/// The owners of locks that are gone, as far as sessions of this namespace tell: their pods are those that share a
/// repository with us. Asks the API server once; what goes wrong is logged.
DeadOwners lost_owners(Context& context);

}  // namespace stash::sidecar
