#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

/// The Deployments of our programs, whatever a release of the chart called them.
namespace stash::cli {

inline constexpr std::string_view kWebhookProgram = "stash-webhook";
inline constexpr std::string_view kControllerProgram = "stash-controller";

/// Found by the command of their containers.
std::vector<const Json*> program_deployments(const Json& deployments, std::string_view program);
std::vector<std::string> arguments_of(const Json& deployment);
/// The value of --flag=value or of "--flag", "value" among the container's args; "" without it.
std::string argument_of(const Json& deployment, std::string_view flag);

}  // namespace stash::cli
