#include "api/names.h"
#include "inject/container_parts.h"
#include "inject/identity.h"

namespace stash::inject {

Json init_container(const std::string& session, const ContainerInputs& inputs) {
  return common_container({.name = api::names::kInitContainer,
                           .args = {"restore", "--restore-session=" + session},
                           .security_context = init_container_security_context(
                               inputs.workload, inputs.mounts, inputs.level, inputs.runtime.security_context)},
                          inputs);
}

}  // namespace stash::inject
