#include "api/names.h"
#include "inject/container_parts.h"
#include "inject/identity.h"

namespace stash::inject {

Json sidecar_container(const api::BackupConfiguration& configuration, const api::Repository& repository,
                       const ContainerInputs& inputs) {
  const std::vector<api::VolumeMount>& mounts = configuration.spec.target->volume_mounts;
  Json args = Json::array({"run-backup", "--backup-configuration=" + configuration.metadata.name});
  add_common_arguments(args, inputs.settings, configuration.spec.temp_dir);

  Json container = Json::object();
  container["name"] = api::names::kSidecar;
  container["args"] = std::move(args);
  container["env"] = environment(inputs.runtime);
  container["volumeMounts"] = volume_mounts(inputs.volumes, mounts, repository);
  container["securityContext"] =
      overlay(sidecar_security_context(inputs.workload, mounts, inputs.level), inputs.runtime.security_context);
  if (!inputs.runtime.env_from.empty()) container["envFrom"] = inputs.runtime.env_from;
  if (!inputs.runtime.resources.empty()) container["resources"] = inputs.runtime.resources;
  container.update(inputs.runtime.hooks);
  return container;
}

}  // namespace stash::inject
