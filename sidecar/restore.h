#pragma once
#include <string>

#include "sidecar/context.h"

namespace stash::sidecar {

/// `stash restore`: the init container. Restores this pod's host of a RestoreSession, or waits while another pod does.
/// Returns the exit code: 0 lets the application start (restored, restored before, or there is no such session any
/// more); 1 makes the kubelet run it again.
int restore(Context& context, const std::string& session_name);

}  // namespace stash::sidecar
