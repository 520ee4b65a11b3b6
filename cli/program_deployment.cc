#include "cli/program_deployment.h"

#include <fmt/format.h>

namespace stash::cli {

std::vector<std::string> arguments_of(const Json& deployment) {
  std::vector<std::string> arguments;
  for (const Json& container : array_at(deployment, {"spec", "template", "spec", "containers"})) {
    const std::string program = array_at(container, {"command"}).empty() || !container["command"][0].is_string()
                                    ? ""
                                    : container["command"][0].get<std::string>();
    if (!program.ends_with(kWebhookProgram) && !program.ends_with(kControllerProgram)) continue;
    for (const Json& argument : array_at(container, {"args"})) {
      if (argument.is_string()) arguments.push_back(argument.get<std::string>());
    }
  }
  return arguments;
}

std::string argument_of(const Json& deployment, std::string_view flag) {
  const std::string name = fmt::format("--{}", flag);
  const auto arguments = arguments_of(deployment);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].starts_with(name + "=")) return arguments[i].substr(name.size() + 1);
    if (arguments[i] == name && i + 1 < arguments.size()) return arguments[i + 1];
  }
  return "";
}

std::vector<const Json*> program_deployments(const Json& deployments, std::string_view program) {
  std::vector<const Json*> found;
  for (const Json& deployment : deployments) {
    for (const Json& container : array_at(deployment, {"spec", "template", "spec", "containers"})) {
      const Json& command = array_at(container, {"command"});
      if (command.empty() || !command[0].is_string()) continue;
      if (command[0].get_ref<const std::string&>().ends_with(program)) found.push_back(&deployment);
    }
  }
  return found;
}

}  // namespace stash::cli
