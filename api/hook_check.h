#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "api/shared_types.h"
#include "base/result.h"

/// What can be told of a hook (contract 7.5) by looking at it.
namespace stash::api {

/// Errors invalid, with the field and the remedy: none or several of the four actions, no command, a port that is no
/// number, a scheme, host, header, timeout or executionPolicy that is none, body together with form. A session with
/// such a hook fails before anything is done. `action`: "preBackup", as in the spec.
Result<void> check_hook(std::string_view action, const Hook& hook);

/// nullopt: none from 1 to 65535. The container's names of ports are not known to those that open them.
std::optional<int> port_number(const std::string& port);

}  // namespace stash::api
