#include "api/names.h"
#include "inject/container_parts.h"
#include "inject/identity.h"

namespace stash::inject {

Json sidecar_container(const api::BackupConfiguration& configuration, const api::Repository& repository,
                       const ContainerInputs& inputs) {
  const std::vector<api::VolumeMount>& mounts = configuration.spec.target->volume_mounts;
  Json container =
      common_container({.name = api::names::kSidecar,
                        .args = {"run-backup", "--backup-configuration=" + configuration.metadata.name},
                        .security_context = sidecar_security_context(inputs.workload, mounts, inputs.level)},
                       configuration.spec.temp_dir, mounts, repository, inputs);
  container.update(inputs.runtime.hooks);
  return container;
}

}  // namespace stash::inject
