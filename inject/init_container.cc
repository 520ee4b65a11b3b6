#include "api/names.h"
#include "inject/container_parts.h"
#include "inject/identity.h"

namespace stash::inject {

Json init_container(const api::RestoreSession& session, const api::Repository& repository,
                    const ContainerInputs& inputs) {
  const std::vector<api::VolumeMount>& mounts = session.spec.target->volume_mounts;
  return common_container({.name = api::names::kInitContainer,
                           .args = {"restore", "--restore-session=" + session.metadata.name},
                           .security_context = init_container_security_context(inputs.workload, mounts, inputs.level)},
                          session.spec.temp_dir, mounts, repository, inputs);
}

}  // namespace stash::inject
