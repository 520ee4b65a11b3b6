#include "api/names.h"
#include "inject/container_parts.h"
#include "inject/identity.h"

namespace stash::inject {

Json sidecar_container(const std::vector<std::string>& configurations, const ContainerInputs& inputs) {
  Json args = {"run-backup"};
  for (const std::string& name : configurations) args.push_back("--backup-configuration=" + name);
  Json container =
      common_container({.name = api::names::kSidecar,
                        .args = std::move(args),
                        .security_context = sidecar_security_context(inputs.workload, inputs.mounts, inputs.level,
                                                                     inputs.runtime.security_context)},
                       inputs);
  container.update(inputs.runtime.hooks);
  return container;
}

}  // namespace stash::inject
